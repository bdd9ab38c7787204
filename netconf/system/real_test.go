package system

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/nettest"
	"github.com/lessee/lessee/netconf/program"
)

// Real programs, which cannot set this machine's clock: they are run without
// the capability for it, in a network where nobody answers.

// daemon starts a program and returns what it says, line by line, until it
// ends. It is ended with the test.
func daemon(t *testing.T, path string, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(nettest.Program(t, "setpriv"), append([]string{"--bounding-set", "-sys_time", "--inh-caps", "-sys_time", path}, args...)...)
	r, w, err := os.Pipe()
	must(t, err)
	cmd.Stdout, cmd.Stderr = w, w
	must(t, cmd.Start())
	must(t, w.Close())
	must(t, r.SetReadDeadline(time.Now().Add(time.Minute)))
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // killed
		_ = r.Close()
	})
	return cmd, bufio.NewScanner(r)
}

// until reads lines up to one with a text, and returns all of them.
func until(t *testing.T, s *bufio.Scanner, text string) (all string) {
	t.Helper()
	for s.Scan() {
		if all += s.Text() + "\n"; strings.Contains(s.Text(), text) {
			return all
		}
	}
	t.Fatalf("it never says %q, but %s", text, all)
	return ""
}

func TestARealChronyUsesTheServersAndForgetsThem(t *testing.T) {
	dir := unpacked(t, "chrony")
	b := newBox(t)
	network(t)
	b.over(dir+"/usr/sbin", "/usr/sbin")
	b.over(dir+"/usr/bin", "/usr/bin")
	b.put("/etc/chrony/chrony.conf", "server 203.0.113.1\nsourcedir /run/chrony-dhcp\npidfile /run/chrony/chronyd.pid\ncmdport 0\nport 0\n")
	c := TimeServers{b.place(nil)}
	sources := func() (out []string) {
		t.Helper()
		said, err := program.Run(usually, "", "/usr/bin/chronyc", "-n", "-c", "sources")
		must(t, err)
		for line := range strings.Lines(said) {
			out = append(out, strings.Split(line, ",")[2])
		}
		return out
	}
	is := func(when string, want ...string) {
		t.Helper()
		if got := sources(); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}

	must(t, c.Set("eth0", 10, servers("192.0.2.1"))) // before it runs
	cmd, says := daemon(t, "/usr/sbin/chronyd", "-d", "-x", "-u", "root", "-f", "/etc/chrony/chrony.conf")
	until(t, says, "Running with root privileges")
	for range 6000 { // then it opens its socket
		if _, err := os.Stat("/run/chrony/chronyd.sock"); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	is("at its start", "203.0.113.1", "192.0.2.1")
	must(t, c.Set("eth1", 20, servers("198.51.100.1", "198.51.100.2")))
	is("with a second link", "203.0.113.1", "192.0.2.1", "198.51.100.1", "198.51.100.2")
	must(t, c.Set("eth0", 10, servers("192.0.2.9")))
	is("renewed", "203.0.113.1", "198.51.100.1", "198.51.100.2", "192.0.2.9")
	must(t, c.Unset("eth1"))
	must(t, c.Unset("eth0"))
	is("in the end", "203.0.113.1")

	must(t, cmd.Process.Kill()) // its socket stays
	_ = cmd.Wait()              // killed
	must(t, c.Set("eth0", 10, servers("192.0.2.1")))
	must(t, c.Unset("eth0"))
}

// network gives the network that the test is in an address, to which nobody
// else answers.
func network(t *testing.T) {
	t.Helper()
	ip := nettest.Program(t, "ip")
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"address", "replace", "192.0.2.200/24", "dev", "lo"}} {
		if out, err := exec.Command(ip, args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %q: %v: %s", args, err, out)
		}
	}
}

func TestARealNTPsecReadsItsConfiguration(t *testing.T) {
	dir := unpacked(t, "ntpsec")
	b := newBox(t)
	network(t)
	b.over(dir+"/usr/sbin", "/usr/sbin")
	conf, err := os.ReadFile(dir + ntpConf)
	must(t, err)
	b.put(ntpConf, string(conf))
	c := TimeServers{b.place(nil)}
	must(t, c.Set("eth0", 0, servers("192.0.2.1", "192.0.2.2")))
	cmd, says := daemon(t, "/usr/sbin/ntpd", "-n", "-c", ntpDHCPConf, "-l", "/dev/stderr")
	all := until(t, says, "MRU")
	must(t, cmd.Process.Signal(unix.SIGTERM))
	for says.Scan() {
		all += says.Text() + "\n"
	}
	if strings.Contains(all, "syntax error") || !strings.Contains(all, "parsing file: "+ntpDHCPConf) ||
		!strings.Contains(all, "192.0.2.1 unlink") || !strings.Contains(all, "192.0.2.2 unlink") || strings.Contains(all, "pool") {
		t.Errorf("it says\n%s", all)
	}
}

func TestSystemdFindsTheDropInsOfTimesyncd(t *testing.T) {
	analyze := nettest.Program(t, "systemd-analyze")
	if !isProgram("/lib/systemd/systemd-timesyncd") {
		nettest.Missing(t, "no systemd-timesyncd")
	}
	b := newBox(t)
	c := TimeServers{b.place(nil)}
	must(t, c.Set("eth0", 0, servers("192.0.2.1")))
	out, err := program.Run(usually, "", analyze, "cat-config", "systemd/timesyncd.conf")
	if err != nil || !strings.HasSuffix(out, "[Time]\nNTP=192.0.2.1") {
		t.Errorf("%q, %v", out, err)
	}
	must(t, c.Unset("eth0"))
}
