package system

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/nettest"
)

func servers(texts ...string) (out []netip.Addr) {
	for _, s := range texts {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

// told is where programs note that they were told of something.
func (b *box) told() string { return filepath.Join(b.dir, "told") }

// clocks puts programs that keep the clock on the host, all three, which note
// what they are told.
func (b *box) clocks() {
	b.t.Helper()
	note := `echo "$0 $*" >> ` + b.told()
	b.programs(map[string]string{
		"/usr/sbin/chronyd": "exit 1", "/usr/bin/chronyc": note, "/usr/sbin/ntpd": "exit 1",
		"/lib/systemd/systemd-timesyncd": "exit 1", "/usr/bin/systemctl": note,
	})
	must(b.t, errors.Join(os.MkdirAll("/run/systemd/system", 0o755), os.MkdirAll("/run/chrony", 0o755), os.WriteFile("/run/chrony/chronyd.sock", nil, 0o600)))
	b.put(ntpConf, "driftfile /var/lib/ntpsec/ntp.drift\npool 0.example.org iburst\nserver 203.0.113.1\ntos minclock 4\nrestrict default\n#server none\n")
}

// tells demands what was told since the last time.
func (b *box) tells(when string, want ...string) {
	b.t.Helper()
	text, _ := os.ReadFile(b.told()) // without it nothing was
	if got := strings.Join(want, "\n"); strings.TrimSpace(string(text)) != got {
		b.t.Errorf("%s, told:\n%swant\n%s", when, text, got)
	}
	_ = os.Remove(b.told())
}

func (b *box) reads(path, want string) {
	b.t.Helper()
	if text, err := os.ReadFile(path); err != nil || string(text) != want {
		b.t.Errorf("%s: %q, %v, want %q", path, text, err, want)
	}
}

const (
	tellsChrony    = "/usr/bin/chronyc -n reload sources"
	tellsTimesyncd = "/usr/bin/systemctl --no-block --no-ask-password try-restart systemd-timesyncd.service"
	tellsNTPsec    = "/usr/bin/systemctl --no-block --no-ask-password try-restart ntpsec.service"
)

func TestTimeServersReachAllProgramsThatKeepTheClock(t *testing.T) {
	b := newBox(t)
	b.clocks()
	was := b.state()
	c := TimeServers{b.place(nil)}
	must(t, c.Set("eth0", 20, servers("192.0.2.1", "192.0.2.2")))
	b.tells("the first lease", tellsChrony, tellsTimesyncd, tellsNTPsec)
	b.reads("/run/chrony-dhcp/lessee-eth0.sources", "# Written by lessee from a DHCP lease.\nserver 192.0.2.1 iburst\nserver 192.0.2.2 iburst\n")
	b.reads("/run/systemd/timesyncd.conf.d/lessee-eth0.conf", "# Written by lessee from a DHCP lease.\n[Time]\nNTP=192.0.2.1 192.0.2.2\n")
	b.reads(ntpDHCPConf, ntpHeader+"\nserver 192.0.2.1 iburst\nserver 192.0.2.2 iburst\n\ndriftfile /var/lib/ntpsec/ntp.drift\nrestrict default\n#server none\n")

	must(t, c.Set("eth0", 20, servers("192.0.2.1", "192.0.2.2")))
	b.tells("a renewal")

	must(t, c.Set("a.b%", 10, servers("198.51.100.1", "192.0.2.1")))
	b.tells("a second link", tellsChrony, tellsTimesyncd, tellsNTPsec)
	b.reads("/run/chrony-dhcp/lessee-a%2Eb%25.sources", "# Written by lessee from a DHCP lease.\nserver 198.51.100.1 iburst\nserver 192.0.2.1 iburst\n")
	b.reads(ntpDHCPConf, ntpHeader+"\nserver 198.51.100.1 iburst\nserver 192.0.2.1 iburst\nserver 192.0.2.2 iburst\n\ndriftfile /var/lib/ntpsec/ntp.drift\nrestrict default\n#server none\n")

	must(t, os.Remove("/run/chrony-dhcp/lessee-eth0.sources"))
	must(t, c.Set("eth0", 20, servers("192.0.2.1", "192.0.2.2")))
	b.tells("a file that somebody took away", tellsChrony)

	must(t, c.Rename("eth0", "lan"))
	b.tells("a link that is renamed", tellsChrony, tellsTimesyncd)
	must(t, c.Unset("lan"))
	b.tells("the first one gone", tellsChrony, tellsTimesyncd, tellsNTPsec)
	must(t, c.Unset("a.b%"))
	b.tells("the last one gone", tellsChrony, tellsTimesyncd, tellsNTPsec)
	b.is("in the end", was)
}

func TestAHostWhereNothingKeepsTheClockIsLeftAlone(t *testing.T) {
	b := newBox(t)
	for _, dir := range []string{"/usr/sbin", "/lib/systemd"} {
		if _, err := os.Stat(dir); err == nil {
			b.mount(dir, "tmpfs", 0, "")
		}
	}
	was := b.state()
	c := TimeServers{b.place(func(what string) { t.Errorf("needless: %s", what) })}
	if why := c.Why(); !strings.Contains(why, "chrony, systemd-timesyncd, ntpsec") {
		t.Errorf("why: %q", why)
	}
	must(t, c.Set("eth0", 0, servers("192.0.2.1")))
	b.is("in the end", was)
}

func TestAProgramThatCannotBeToldIsToldAtTheNextRenewal(t *testing.T) {
	b := newBox(t)
	b.clocks()
	b.programs(map[string]string{"/usr/bin/chronyc": "echo \"500 Failure $(env | sort | tr '\\n' ' ')\"; exit 1"})
	c := TimeServers{b.place(nil)}
	err := c.Set("eth0", 0, servers("192.0.2.1"))
	if err == nil || !strings.Contains(err.Error(), "500 Failure") || !strings.Contains(err.Error(), "chrony") {
		t.Errorf("%v", err)
	}
	if strings.Contains(err.Error(), "HOME") || strings.Contains(err.Error(), "LESSEE") {
		t.Errorf("it has our environment: %v", err)
	}
	b.tells("the others all the same", tellsTimesyncd, tellsNTPsec)
	must(t, unix.Unmount("/usr/bin", 0)) // the one that fails
	must(t, c.Set("eth0", 0, servers("192.0.2.1")))
	b.tells("a renewal", tellsChrony)
	must(t, unix.Mount("none", "/usr/bin", "tmpfs", 0, "")) // for the end of the test to take away
	must(t, c.Unset("eth0"))
}

func TestAChronyThatMayNotBeSpokenToIsNoChronyThatDoesNotRun(t *testing.T) {
	b := newBox(t)
	b.clocks()
	must(t, os.Chmod("/run/chrony", 0)) // chrony's own user may
	c := TimeServers{b.place(nil)}
	powerless(t, func() {
		if err := c.Set("eth0", 0, servers("192.0.2.1")); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "CAP_DAC_OVERRIDE") {
			t.Errorf("%v", err)
		}
	}, unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH)
	b.tells("the others", tellsTimesyncd, tellsNTPsec)
	must(t, c.Set("eth0", 0, servers("192.0.2.1")))
	b.tells("a renewal", tellsChrony)
}

func TestAConfigurationForNTPsecThatSomebodyElseMadeIsLeftAlone(t *testing.T) {
	b := newBox(t)
	b.clocks()
	b.put(ntpDHCPConf, "# This file was copied by a hook\nserver 203.0.113.9\n")
	was := b.state()
	c := TimeServers{b.place(nil)}
	if err := c.Set("eth0", 0, servers("192.0.2.1")); err == nil || !strings.Contains(err.Error(), "somebody else's") {
		t.Errorf("%v", err)
	}
	b.tells("the others", tellsChrony, tellsTimesyncd)
	must(t, c.Unset("eth0"))
	b.is("in the end", was)
}

func TestAnOperatorWhoHasNTPsecIgnoreDHCPIsObeyed(t *testing.T) {
	b := newBox(t)
	b.clocks()
	b.put(ntpDefaults, "NTPD_OPTS=\"-g -N\"\n\nIGNORE_DHCP=\"yes\"\n")
	c := TimeServers{b.place(nil)}
	must(t, c.Set("eth0", 0, servers("192.0.2.1")))
	b.tells("the others", tellsChrony, tellsTimesyncd)
	if _, err := os.Stat(ntpDHCPConf); err == nil {
		t.Error("it is written all the same")
	}
	b.put(ntpDefaults, "IGNORE_DHCP=\"\"\n")
	must(t, c.Set("eth0", 0, servers("192.0.2.1")))
	b.tells("when he does not any more", tellsNTPsec)
}

func TestAddressesThatNoTimeServerHas(t *testing.T) {
	for text, bad := range map[string]bool{
		"192.0.2.1": false, "10.0.0.1": false, "169.254.169.123": false,
		"0.0.0.0": true, "0.1.2.3": true, "127.0.0.1": true, "224.0.1.1": true, "240.0.0.1": true, "255.255.255.255": true, "2001:db8::1": true,
	} {
		if got := BadServer(netip.MustParseAddr(text)); (got != "") != bad {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// hook runs one of Debian's hooks for dhclient, as dhclient-script does.
func (b *box) hook(path string, env ...string) {
	b.t.Helper()
	cmd := exec.Command("/bin/sh", "-c", ". "+path)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "interface=eth0"}, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("%s: %v: %s", path, err, out)
	}
}

// setting lines are those that a program heeds.
func heeded(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	var out []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

func TestDropInsSayWhatDebiansHooksForDhclientSay(t *testing.T) {
	chronyPkg, ntpsecPkg := unpacked(t, "chrony"), unpacked(t, "ntpsec")
	const timesyncdHook = "/etc/dhcp/dhclient-exit-hooks.d/timesyncd"
	text, err := os.ReadFile(timesyncdHook)
	if err != nil {
		nettest.Missing(t, "%v", err)
	}
	b := newBox(t)
	b.clocks()
	b.programs(map[string]string{"/usr/sbin/invoke-rc.d": "exit 0"})
	b.put(timesyncdHook, string(text))
	conf, err := os.ReadFile(ntpsecPkg + ntpConf)
	must(t, err)
	b.put(ntpConf, string(conf))
	env := []string{"reason=BOUND", "new_ntp_servers=192.0.2.1 192.0.2.2"}
	b.hook(chronyPkg+"/etc/dhcp/dhclient-exit-hooks.d/chrony", env...)
	b.hook(ntpsecPkg+"/etc/dhcp/dhclient-exit-hooks.d/ntpsec", env...)
	b.hook(timesyncdHook, env...)
	theirs := []string{"/run/chrony-dhcp/eth0.sources", "/run/systemd/timesyncd.conf.d/01-dhclient.conf", ntpDHCPConf}
	var want []string
	for _, path := range theirs {
		want = append(want, heeded(t, path))
		must(t, os.Remove(path))
	}
	must(t, (&TimeServers{b.place(nil)}).Set("eth0", 0, servers("192.0.2.1", "192.0.2.2")))
	for i, path := range []string{"/run/chrony-dhcp/lessee-eth0.sources", "/run/systemd/timesyncd.conf.d/lessee-eth0.conf", ntpDHCPConf} {
		if got := heeded(t, path); got != want[i] || got == "" {
			t.Errorf("%s:\n%s\nthe hook writes\n%s", path, got, want[i])
		}
	}
}
