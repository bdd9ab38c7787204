package boot

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// configuration is what lessee.service finds.
const configuration = "[agent]\nlinks = [\"lan0\"]\n"

// addLan1 has another link there, and in the configuration, which is to be read
// again.
const addLan1 = `
ip link add lan1 type veth peer name lan1 netns server
sed -i 's/"lan0"/"lan0", "lan1"/' /etc/lessee/lessee.toml
`

// shipped returns an image with the units as they are shipped, and those of
// them enabled that "systemctl enable lessee" enables.
func shipped(t *testing.T) *Image {
	t.Helper()
	i := withLessee(Systemd())
	i.Unit("lessee.service", example(t, "systemd/lessee.service"), "multi-user.target")
	i.Unit("lessee-wait-online.service", example(t, "systemd/lessee-wait-online.service"), "network-online.target")
	i.File("/etc/lessee/lessee.toml", 0o644, []byte(configuration))
	return i
}

// bound boots a guest whose lan0 is bound.
func bound(t *testing.T, i *Image, lease time.Duration) *VM {
	t.Helper()
	vm := Start(t, Config{Image: i, Modules: modules, Setup: network + serveFor(lease)})
	vm.Until(isBound)
	return vm
}

// isBound succeeds when the unit's status has lan0's address.
const isBound = `address=$(ip -4 -o address show dev lan0 | sed -n 's/.*inet \([0-9.]*\).*/\1/p')
[ -n "$address" ] && systemctl show --property=StatusText --value lessee | grep -F "$address"`

// watch begins to write down what becomes of addresses and routes, and returns
// when that is being written.
const watch = `(ip monitor address route > /run/monitor 2>&1) &
` + mark + "127.9.9.1\n"

// mark waits until what comes to pass has been written down.
const mark = `
mark() {
	until grep -q "$1" /run/monitor; do
		ip address add "$1/32" dev lo
		ip address del "$1/32" dev lo
		sleep 0.1
	done
}
mark `

// untouched checks that the address that was there is still there, and that
// neither it nor a route was taken away since watch.
func untouched(t *testing.T, vm *VM, address string) {
	t.Helper()
	vm.Must(mark + fmt.Sprintf("127.9.8.%d", vm.shell.number)) // another each time
	ipv6 := regexp.MustCompile(`inet6|[0-9a-f]::|^Deleted multicast`)
	for line := range strings.Lines(vm.Must("cat /run/monitor")) {
		if strings.HasPrefix(line, "Deleted") && strings.Contains(line, "lan0") && !ipv6.MatchString(line) {
			t.Errorf("taken away: %s", line)
		}
	}
	if got := addressOf(vm); got != address {
		t.Errorf("address %q, was %q", got, address)
	}
}

func addressOf(vm *VM) string {
	return vm.Must(`ip -4 -o address show dev lan0 | sed -n 's/.*inet \([0-9./]*\).*/\1/p'`)
}

// property reads one of the unit's properties.
func property(vm *VM, name string) string {
	return vm.Must("systemctl show --value --property=" + name + " lessee.service")
}

// heard returns the messages that the server got so far.
func heard(vm *VM) (out []message) {
	for line := range strings.Lines(vm.Must("cat /run/server")) {
		words := strings.Fields(line)
		if len(words) != 4 {
			vm.t.Fatalf("the server says %q", line)
		}
		at, err := strconv.ParseFloat(words[0], 64)
		if err != nil {
			vm.t.Fatal(err)
		}
		out = append(out, message{at, words[1], words[2]})
	}
	return out
}

// A message is one that a server got.
type message struct {
	at        float64 // seconds since boot
	kind, src string
}

func TestSystemctlStatusShowsTheAddress(t *testing.T) {
	t.Parallel()
	vm := bound(t, shipped(t), time.Hour)
	t.Logf("bound after %v", vm.Age())
	address, _, _ := strings.Cut(addressOf(vm), "/")
	status := vm.Must("systemctl status --no-pager lessee")
	if !regexp.MustCompile(`(?m)^\s*Status: .*lan0.*` + regexp.QuoteMeta(address)).MatchString(status) {
		t.Errorf("no status with lan0 and %s in\n%s", address, status)
	}
	entry := vm.Must("journalctl --no-pager -u lessee -o json LESSEE_LINK=lan0 | tail -n 1")
	for _, want := range []string{`"LESSEE_LINK":"lan0"`, `"SYSLOG_IDENTIFIER":"lessee"`, `"_TRANSPORT":"journal"`, `"PRIORITY":`, `"LESSEE_EVENT":`} {
		if !strings.Contains(strings.ReplaceAll(entry, `" : "`, `":"`), want) {
			t.Errorf("no %s in the journal's %s", want, entry)
		}
	}
	pid := property(vm, "MainPID")
	if out, code := vm.Run("nsenter -m -t " + pid + " touch /usr/forbidden"); code == 0 || !strings.Contains(out, "Read-only") {
		t.Errorf("the service may write to /usr: %s", out)
	}
	if got := vm.Must("sed -n 's/^Cap\\(Prm\\|Bnd\\):\\s*0*//p' /proc/" + pid + "/status"); got != "3400\n3400" { // NET_BIND_SERVICE, NET_ADMIN, NET_RAW
		t.Errorf("capabilities %s", got)
	}
}

func TestARestartLosesNoPacket(t *testing.T) {
	t.Parallel()
	vm := bound(t, shipped(t), time.Hour)
	address, pid := addressOf(vm), property(vm, "MainPID")
	vm.Must(watch + `
		(ping -i 0.05 192.0.2.1 > /run/ping 2>&1) &
		sleep 1
		systemctl restart lessee`)
	vm.Until(isBound)
	vm.Must("sleep 1; kill -INT $(pidof ping)")
	t.Log(vm.Until("grep transmitted /run/ping"))
	lost(t, vm.Must("cat /run/ping"))
	untouched(t, vm, address)
	if property(vm, "MainPID") == pid {
		t.Error("the same process: there was no restart")
	}
}

// lost checks that every packet of a ping was answered, but for the one, if any,
// that was under way when it was ended.
func lost(t *testing.T, said string) {
	t.Helper()
	answers := regexp.MustCompile(` icmp_seq=(\d+) `).FindAllStringSubmatch(said, -1)
	for n, answer := range answers {
		if answer[1] != strconv.Itoa(n+1) {
			t.Fatalf("packet %d was lost: %s", n+1, said)
		}
	}
	sent := regexp.MustCompile(`(?m)^(\d+) packets transmitted`).FindStringSubmatch(said)
	if sent == nil || len(answers) < 10 || sent[1] != strconv.Itoa(len(answers)) && sent[1] != strconv.Itoa(len(answers)+1) {
		t.Errorf("%d answers: %s", len(answers), said)
	}
}

func TestAReloadChangesWhatChangedOnly(t *testing.T) {
	t.Parallel()
	i := shipped(t)
	vm := bound(t, i, time.Hour)
	address, pid, before := addressOf(vm), property(vm, "MainPID"), len(heard(vm))
	vm.Must(watch + addLan1 + "systemctl reload lessee && systemctl is-active lessee")
	vm.Until("ip link show dev lan1 | grep -q UP")
	untouched(t, vm, address)
	if now := heard(vm); len(now) != before {
		t.Errorf("the server hears of it: %v", now[before:])
	}
	if got := property(vm, "MainPID"); got != pid {
		t.Errorf("another process, %s", got)
	}
	vm.Must("echo nonsense >> /etc/lessee/lessee.toml; ! systemctl reload lessee && systemctl is-active lessee")
	vm.Until("journalctl --no-pager -u lessee PRIORITY=3 | grep 'the old configuration stays in force.*lessee.toml:3:'")
	untouched(t, vm, address)
}

func TestTheWallClockDoesNotMatter(t *testing.T) {
	t.Parallel()
	// The lease has time for a host on which nothing goes fast.
	const lease, renewal = time.Minute, 5 * time.Second
	vm := Start(t, Config{Image: shipped(t), Modules: modules, Setup: network + serveAndRenew(lease, renewal)})
	vm.Until(isBound)
	address := addressOf(vm)
	vm.Must(watch)
	next := func() {
		t.Helper()
		n := len(heard(vm))
		vm.Until(fmt.Sprintf("[ $(wc -l < /run/server) -gt %d ]", n))
	}
	next()
	for _, seconds := range []string{"86400", "-2 * 86400"} { // a day on, and to a day ago
		vm.Must(fmt.Sprintf("date -u -s @$(($(date +%%s) + %s))", seconds))
		next()
	}
	messages := heard(vm)
	first := slices.IndexFunc(messages, func(m message) bool { return m.src != "0.0.0.0" })
	if first < 0 || len(messages) < first+3 {
		t.Fatalf("few renewals: %v", messages)
	}
	for i, m := range messages[first:] { // a busy host makes the guest late, and nothing early
		gap := m.at - messages[first+i-1].at
		if m.kind != "DHCPREQUEST" || m.src+"/24" != address || gap < renewal.Seconds()-1 || gap > lease.Seconds()/2 {
			t.Errorf("%v, %.2f s after the one before", m, gap)
		}
	}
	vm.Must("systemctl restart lessee") // nor is the lease too young or too old for the next process
	vm.Until(isBound)
	untouched(t, vm, address)
}

func TestStopKeepsTheAddress(t *testing.T) {
	t.Parallel()
	vm := bound(t, withNetworkd(shipped(t)), time.Hour)
	besideNetworkd(t, vm)
	address, before := addressOf(vm), len(heard(vm))
	vm.Must(watch + `
		systemctl stop lessee
		systemctl restart systemd-networkd`) // which leaves alone what it is told to
	if got := property(vm, "ActiveState") + " " + property(vm, "Result"); got != "inactive success" {
		t.Errorf("the unit is %s", got)
	}
	vm.Must("ping -c 1 -w 60 192.0.2.1")
	untouched(t, vm, address)
	if now := heard(vm); len(now) != before {
		t.Errorf("the server hears of it: %v", now[before:])
	}
}
