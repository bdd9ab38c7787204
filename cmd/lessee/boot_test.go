package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/nettest"
)

// A bootBench is a host with links, each of which has a server of its own at
// the other end, in 198.51.N.0/24, N being 0 for the first. The links are down.
type bootBench struct {
	t       *testing.T
	net     *nettest.Net
	host    *nettest.Machine
	dir     string
	remotes map[string]*nettest.Machine
	servers map[string]*dhcptest.Server
}

func newBootBench(t *testing.T, links ...string) *bootBench {
	t.Helper()
	b := &bootBench{t: t, net: nettest.New(t), dir: t.TempDir(), remotes: map[string]*nettest.Machine{}, servers: map[string]*dhcptest.Server{}}
	b.host = b.net.Host("host")
	for _, link := range links {
		b.connect(link)
		if err := b.host.SetDown(link); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// connect adds a link that is up.
func (b *bootBench) connect(link string) {
	b.t.Helper()
	n := len(b.remotes)
	remote := b.net.Host("remote" + link)
	b.net.Connect(b.host, link, remote, "eth0")
	remote.Addr("eth0", fmt.Sprintf("198.51.%d.1/24", n))
	srv := dhcptest.New(b.t, dhcptest.Config{
		Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, byte(n), 0}), 24), First: netip.AddrFrom4([4]byte{198, 51, byte(n), 10}), Last: netip.AddrFrom4([4]byte{198, 51, byte(n), 20}),
		Options: dhcptest.MustOptions(fmt.Sprintf("routers=198.51.%d.1", n), "domain-name-servers=192.0.2.53", "root-path=/srv/it's"),
	})
	b.servers[link], b.remotes[link] = srv, remote
	remote.Must(func() error {
		ifi, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		l, err := srv.Listen(ifi)
		if err == nil {
			b.t.Cleanup(func() { _ = l.Close() }) // its link may be gone
		}
		return err
	})
}

// command is lessee acquire --boot, with its directories in the test's own and
// a command line of the kernel's that the test has.
func (b *bootBench) command(ctx context.Context, kernel string, args ...string) *exec.Cmd {
	b.t.Helper()
	line := filepath.Join(b.dir, "cmdline")
	if err := os.WriteFile(line, []byte(kernel+"\n"), 0o600); err != nil {
		b.t.Fatal(err)
	}
	args = append([]string{"acquire", "--boot", "--run-dir", filepath.Join(b.dir, "run"), "--net-conf-dir", b.dir,
		"--resolv-conf", b.path("resolv.conf"), "--kernel-args", line, "--probe", "off", "--config", "none"}, args...)
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), asLessee+"=1")
	return cmd
}

func (b *bootBench) path(name string) string { return filepath.Join(b.dir, name) }

// boot runs it.
func (b *bootBench) boot(kernel string, args ...string) result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := b.command(ctx, kernel, args...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := b.host.Start(cmd); err != nil {
		b.t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// must runs another program on the host, or lessee with another command.
func (b *bootBench) must(name string, args ...string) string {
	b.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), asLessee+"=1"), &out, &out
	if err := b.host.Start(cmd); err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		b.t.Fatalf("%v: %v\n%s", cmd, err, out.String())
	}
	return out.String()
}

// want runs it and compares its exit code, and a part of what it says.
func (b *bootBench) want(code int, said, kernel string, args ...string) result {
	b.t.Helper()
	r := b.boot(kernel, args...)
	if r.code != code || !strings.Contains(r.out+r.stderr, said) {
		b.t.Fatalf("%q %v: exit %d, want %d and %q\n%s%s", kernel, args, r.code, code, said, r.out, r.stderr)
	}
	return r
}

// bound are the links that have an address, those that are up, and those that
// scripts are told of.
func (b *bootBench) bound(links ...string) (bound, up, told []string) {
	b.t.Helper()
	for _, link := range links {
		if len(b.host.AddrsOf(link)) > 0 {
			bound = append(bound, link)
		}
		ifi, err := b.host.Interface(link)
		if err != nil {
			b.t.Fatal(err)
		}
		if ifi.Flags&net.FlagUp != 0 {
			up = append(up, link)
		}
		if _, err := os.Stat(b.path("net-" + link + ".conf")); err == nil {
			told = append(told, link)
		}
	}
	return bound, up, told
}

// only checks that these links are bound, up, and told of, and no others.
func (b *bootBench) only(want ...string) {
	b.t.Helper()
	var links []string
	for link := range b.remotes {
		links = append(links, link)
	}
	slices.Sort(links)
	bound, up, told := b.bound(links...)
	if !slices.Equal(bound, want) || !slices.Equal(up, want) || !slices.Equal(told, want) {
		b.t.Errorf("bound %v, up %v, told %v, want %v", bound, up, told, want)
	}
}

func TestAtBootTheFirstLinkWinsAndTheOthersAreAsTheyWere(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1", "eth2")
	b.servers["eth0"].Always(dhcptest.Ignore)
	b.servers["eth2"].On(dhcp4.Request, dhcptest.Ignore)
	b.want(0, "eth1: bound, 198.51.1.1", "quiet")
	b.only("eth1")
	if r := b.host.RoutesOf(); len(r) != 2 {
		t.Errorf("routes %q", r)
	}
	out, err := exec.Command("/bin/sh", "-euc", `. "$1"; printf %s "$DEVICE $IPV4GATEWAY $ROOTPATH $ROOTSERVER"`, "sh", b.path("net-eth1.conf")).CombinedOutput()
	if want := "eth1 198.51.1.1 /srv/it's 198.51.1.1"; string(out) != want || err != nil {
		t.Errorf("a shell reads %s, %v, want %s", out, err, want)
	}
}

func TestAtBootALinkThatIsBoundTooLateGivesItsLeaseBack(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1", "eth2")
	for range 5 {
		r := b.want(0, "bound", "")
		link, _, _ := strings.Cut(r.out, ":")
		b.only(link)
		held := 0
		for _, srv := range b.servers {
			held += len(srv.Leases())
		}
		if held != 1 {
			t.Errorf("%d servers believe that their lease is used", held)
		}
		b.must("/proc/self/exe", "release", link, "--state-dir", b.path("state"), "--run-dir", b.path("run"), "--resolv-conf", b.path("resolv.conf"))
		if err := os.Remove(b.path("net-" + link + ".conf")); err != nil {
			t.Fatal(err)
		}
		b.only()
	}
}

func TestAtBootAllLinksWithACarrierAreWaitedFor(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1", "eth2")
	if err := b.remotes["eth2"].SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	r := b.want(0, "eth0: bound, 198.51.0.1", "rd.net.timeout.carrier=1", "--boot-wait", "all")
	if !strings.Contains(r.out, "eth1: bound, 198.51.1.1") {
		t.Errorf("%s", r.out)
	}
	b.only("eth0", "eth1")
}

func TestAtBootACarrierThatComesInTimeTakesPart(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1")
	if err := b.remotes["eth1"].SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	done := make(chan result)
	go func() { done <- b.boot("rd.net.timeout.carrier=20", "--boot-wait", "all") }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := b.servers["eth0"].WaitFor(ctx, dhcptest.Sent(dhcp4.ACK)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // by now eth0 is bound and announced; were it enough, that would be the end
	if err := b.remotes["eth1"].SetUp("eth0"); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.code != 0 || !strings.Contains(r.out, "eth1: bound") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.stderr)
	}
	b.only("eth0", "eth1")
}

func TestAtBootALinkThatFailsIsAFailureOfAll(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1")
	b.servers["eth1"].Always(dhcptest.Ignore)
	r := b.want(3, "eth1: no server answered", "rd.net.timeout.carrier=1", "--boot-wait", "all", "--timeout", "3s", "--format", "json")
	b.only("eth0")
	var d document
	if err := json.Unmarshal([]byte(r.out), &d); err != nil {
		t.Fatalf("%v\n%s", err, r.out)
	}
	if d.Link != "eth0" || d.Result != "bound" || len(d.Links) != 2 || d.Links[0].Lease == nil || d.Links[1].Link != "eth1" || d.Links[1].Error.Exit != 3 {
		t.Errorf("%s", r.out)
	}
	r = b.want(3, "LESSEE_LINKS='eth0'\n", "", "--boot-wait", "all", "--timeout", "2s", "--format", "env")
	for _, want := range []string{"LESSEE_LINK='eth0'\n", "LESSEE_0_ADDRESS='198.51.0.1", "LESSEE_1_LINK='eth1'\n", "LESSEE_1_EXIT='3'\n"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %s in\n%s", want, r.out)
		}
	}
}

func TestAtBootTheExitCodeIsThatOfTheLinkThatCameFarthest(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1", "eth2")
	b.servers["eth0"].Always(dhcptest.Ignore)
	b.servers["eth1"].On(dhcp4.Request, dhcptest.NAK("not here"))
	if err := b.remotes["eth2"].SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.path("net-eth0.conf"), []byte("DEVICE='eth0'\n"), 0o600); err != nil { // of an earlier boot's
		t.Fatal(err)
	}
	r := b.want(4, "not here", "", "--timeout", "2s")
	for _, want := range []string{"eth0: no server answered", "eth2: wait for the carrier"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("no %q in %s", want, r.stderr)
		}
	}
	b.only()
	b.want(3, "no server answered", "", "eth0", "eth2", "--timeout", "500ms")
	b.want(6, "no carrier", "", "eth2", "--timeout", "500ms")
	b.want(6, "eth7: it did not come within 300ms", "", "eth7", "--timeout", "300ms")
	b.want(6, "no link that is wanted came", "", "wl*", "--timeout", "300ms")
	b.only()
}

func TestAtBootADriverThatIsLateTakesPart(t *testing.T) {
	b := newBootBench(t, "eth0")
	b.servers["eth0"].Always(dhcptest.Ignore)
	done := make(chan result)
	go func() { done <- b.boot("ip=:::::eth1:dhcp", "--timeout", "20s") }()
	time.Sleep(300 * time.Millisecond) // whatever it does by then, it is not over
	b.connect("eth1")
	if r := <-done; r.code != 0 || !strings.Contains(r.out, "eth1: bound") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.stderr)
	}
	b.only("eth1")
}

func TestAtBootALinkIsFollowedToItsNewName(t *testing.T) {
	b := newBootBench(t, "eth0")
	b.servers["eth0"].On(dhcp4.Discover, dhcptest.First(1, dhcptest.Ignore))
	done := make(chan result)
	go func() { done <- b.boot("", "--timeout", "20s") }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := b.servers["eth0"].WaitFor(ctx, dhcptest.Received(dhcp4.Discover)); err != nil {
		t.Fatal(err)
	}
	b.must("sh", "-c", "ip link set eth0 down && ip link set eth0 name enp0s3")
	b.remotes["enp0s3"] = b.remotes["eth0"]
	delete(b.remotes, "eth0")
	if r := <-done; r.code != 0 || !strings.Contains(r.out, "enp0s3: bound") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.stderr)
	}
	b.only("enp0s3")
}

func TestAtBootPortsAndTheLikeAreLeftAlone(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1", "eth2")
	b.must("sh", "-ec", "ip link add br0 type bridge; ip link set eth1 master br0; ip link set eth2 arp off")
	b.want(0, "eth0: bound", "rd.net.timeout.carrier=1", "--boot-wait", "all")
	b.only("eth0")
	if len(b.servers["eth1"].Log()) != 0 || len(b.servers["eth2"].Log()) != 0 {
		t.Error("a port of a bridge was tried, or a link without ARP")
	}
	b.want(6, "eth1: it is part of a bridge", "", "eth1", "--timeout", "300ms") // nor if it is named
}

func TestTheKernelsCommandLineSaysWhatIsWanted(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1")
	eth1, err := b.host.Interface("eth1")
	if err != nil {
		t.Fatal(err)
	}
	b.want(0, "nothing", "ip=off")
	b.want(0, "a static address is not this program's", "ip=192.0.2.7::192.0.2.1:255.255.255.0::eth0:off")
	b.want(0, "nothing", "rd.neednet=0")
	b.want(2, "word 2 (column 7), ip=dchp: neither a method", "quiet ip=dchp")
	b.only()
	if n := len(b.servers["eth0"].Log()) + len(b.servers["eth1"].Log()); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
	b.want(0, "eth1: bound", "BOOTIF=01-"+strings.ReplaceAll(eth1.HardwareAddr.String(), ":", "-"))
	b.only("eth1")
	r := b.want(0, "eth0: bound, 198.51.0.17", "ip=198.51.0.17:192.0.2.99::::eth0:dhcp:9.9.9.9 nameserver=8.8.8.8 ip=dhcp6")
	if !strings.Contains(r.stderr, "word 3 (column 67), ip=dhcp6: IPv6") {
		t.Errorf("%s", r.stderr)
	}
	conf, err := os.ReadFile(b.path("net-eth0.conf"))
	for _, want := range []string{"IPV4DNS0='9.9.9.9'\n", "IPV4DNS1='8.8.8.8'\n", "ROOTSERVER='192.0.2.99'\n"} {
		if err != nil || !strings.Contains(string(conf), want) {
			t.Errorf("no %s in %s, %v", want, conf, err)
		}
	}
	b.want(0, "eth0: bound", "ip=eth0:dhcp:1400")
	if mtu, err := b.host.MTU("eth0"); mtu != 1400 || err != nil {
		t.Errorf("MTU %d, %v", mtu, err)
	}
}

func TestTheKernelsCommandLineSaysWhichNameServers(t *testing.T) {
	for line, want := range map[string]string{
		"":                                    "192.0.2.53",
		"nameserver=192.0.2.7":                "192.0.2.7 192.0.2.53",
		"rd.peerdns=0 nameserver=192.0.2.7":   "192.0.2.7",
		"rd.peerdns=0":                        "",
		"ip=:::::eth0:dhcp:192.0.2.8":         "192.0.2.8 192.0.2.53",
		"ip=:::::eth0:dhcp:192.0.2.8:9.9.9.9": "192.0.2.8 9.9.9.9 192.0.2.53",
	} {
		b := newBootBench(t, "eth0")
		b.want(0, "eth0: bound", line)
		text, err := os.ReadFile(b.path("resolv.conf"))
		if err != nil && (want != "" || !errors.Is(err, os.ErrNotExist)) {
			t.Error(err)
		}
		var got []string
		for l := range strings.Lines(string(text)) {
			if a, ok := strings.CutPrefix(l, "nameserver "); ok {
				got = append(got, strings.TrimSpace(a))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", line, got, want)
		}
	}
}

func TestFlagsWinOverTheKernelsCommandLine(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1")
	b.servers["eth0"].Always(dhcptest.Ignore)
	began := time.Now()
	b.want(3, "eth0: no server answered", "ip=eth1:dhcp rd.net.timeout.dhcp=50 ip=192.0.2.9::::::off", "eth0", "--timeout", "300ms")
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	b.only()
	b.want(0, "eth1: bound", "ip=::::from-kernel:eth1:dhcp", "--hostname", "from-flag")
	for _, e := range b.servers["eth1"].Log() {
		if e.Message == nil {
			continue
		}
		if name, err := dhcp4.HostName.Get(e.Message.Options); err == nil && name == "from-kernel" {
			t.Errorf("the host name is %s", name)
		}
	}
}

func TestAtBootWrongUsageIsTold(t *testing.T) {
	b := newBootBench(t)
	for _, args := range [][]string{
		{"--dry-run"}, {"--no-apply"}, {"--trace"}, {"--pcap", "x"}, {"--boot-wait", "second"}, {"eth0@blue"}, {"a/b"}, {"--timeout", "0s"}, {"--hostname", "a b"},
	} {
		if r := b.boot("", args...); r.code != 2 || !strings.Contains(r.stderr, "try: lessee acquire") {
			t.Errorf("%v: exit %d\n%s%s", args, r.code, r.out, r.stderr)
		}
	}
	cmd := exec.Command("/proc/self/exe", "acquire", "eth0", "--boot-wait", "all")
	cmd.Env = append(os.Environ(), asLessee+"=1")
	if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "means nothing without --boot") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestAtBootDisksMayBeReadOnly(t *testing.T) {
	b := newBootBench(t, "eth0")
	r := b.want(0, "eth0: bound", "", "--resolv-conf", "/proc/self/nowhere/resolv.conf", "--net-conf-dir", "/proc/self")
	for _, want := range []string{"the resolver is not configured", "scripts are not told"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("no %q in %s", want, r.stderr)
		}
	}
}

func TestAtBootASignalLeavesNothing(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1")
	for _, srv := range b.servers {
		srv.Always(dhcptest.Ignore)
	}
	cmd := b.command(t.Context(), "")
	if err := b.host.Start(cmd); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, srv := range b.servers {
		if _, err := srv.WaitFor(ctx, dhcptest.Received(dhcp4.Discover)); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit %d", code)
	}
	b.only()
}

func TestTheAgentTakesOverWhatTheBootGot(t *testing.T) {
	b := newBootBench(t, "eth0")
	b.want(0, "eth0: bound", "")
	before := b.host.AddrsOf("eth0")
	b.servers["eth0"].ForgetLog()
	monitor := exec.Command("ip", "monitor", "address", "route")
	var seen bytes.Buffer
	monitor.Stdout = &seen
	b.host.Run(monitor)

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	dirs := []string{"--state-dir", b.path("state"), "--run-dir", b.path("run")}
	agent := exec.CommandContext(ctx, "/proc/self/exe", append([]string{"run", "eth0", "--config", "none", "--resolv-conf", b.path("resolv.conf")}, dirs...)...)
	agent.Env = append(os.Environ(), asLessee+"=1")
	if err := b.host.Start(agent); err != nil {
		t.Fatal(err)
	}
	b.must("/proc/self/exe", "wait", "eth0", "--run-dir", b.path("run"), "--timeout", "20s", "--config", "none")
	if err := agent.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(agent.Wait(), monitor.Process.Kill()); err != nil {
		t.Error(err)
	}
	_ = monitor.Wait() // killed
	if after := b.host.AddrsOf("eth0"); len(after) != 1 || after[0].Prefix != before[0].Prefix {
		t.Errorf("addresses %+v, were %+v", after, before)
	}
	if strings.Contains(seen.String(), "Deleted") {
		t.Errorf("taken away: %s", seen.String())
	}
	for i, e := range b.servers["eth0"].Log() {
		if e.Message != nil && e.Message.Type() == dhcp4.Discover || i == 0 && e.Message.Type() != dhcp4.Request {
			t.Errorf("message %d is %v: the lease was not known", i, e)
		}
	}
	if _, err := os.Stat(b.path("run/boot/eth0.lease.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is remembered twice: %v", err)
	}
}
