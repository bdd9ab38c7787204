package dhcptest_test

import (
	"errors"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/nettest"
)

// squat puts a squatter on the host's eth0 until the end of the test.
func squat(t *testing.T, h *nettest.Machine, cfg dhcptest.SquatterConfig) (s *dhcptest.Squatter) {
	t.Helper()
	h.Must(func() (err error) {
		s, err = dhcptest.Squat("eth0", cfg)
		return err
	})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// BusyBox's arping -D exits with 1 if the address is in use (RFC 5227's probe),
// at once, and otherwise when it has asked for so many seconds.
func arping(t *testing.T, h *nettest.Machine, addr netip.Addr, seconds int) (inUse bool) {
	t.Helper()
	n := strconv.Itoa(seconds)
	cmd := exec.CommandContext(patience(t), nettest.Program(t, "busybox"), "arping", "-D", "-c", n, "-w", n, "-I", "eth0", addr.String())
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Fatalf("%v: %s", err, out.String())
	}
	return err != nil
}

func TestASquatterAnswersForItsAddressesOnly(t *testing.T) {
	c := newCable(t, dhcptest.Config{})
	taken, free := netip.MustParseAddr("192.0.2.77"), netip.MustParseAddr("192.0.2.78")
	s := squat(t, c.server, dhcptest.SquatterConfig{Addrs: []netip.Addr{taken}})
	start := time.Now()
	if !arping(t, c.client, taken, 15) {
		t.Error("nobody answered")
	}
	if arping(t, c.client, free, 1) {
		t.Error("somebody answered for a free address")
	}
	ifi, err := c.client.Interface("eth0")
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.WaitFor(patience(t), taken)
	if err != nil || a.Err != nil || !a.Probe || a.To.String() != ifi.HardwareAddr.String() || a.Time.Before(start) || a.Time.After(time.Now()) {
		t.Errorf("%+v, %v", a, err)
	}
	s.Use(free)
	if arping(t, c.client, taken, 1) || !arping(t, c.client, free, 15) {
		t.Error("Use did not change the addresses")
	}
}

// The conflict that a client must find: K4, K7, F5.
func TestASquatterMakesAClientDecline(t *testing.T) {
	c := newCable(t, dhcptest.Config{})
	taken := netip.MustParseAddr("192.0.2.2")
	s := squat(t, c.server, dhcptest.SquatterConfig{Addrs: []netip.Addr{taken}})
	c.client.Run(exec.Command(nettest.Program(t, "busybox"), "udhcpc", "-i", "eth0", "-f", "-q", "-n", "-a15000", "-t", "15", "-T", "1",
		"-s", "/bin/true", "-p", filepath.Join(t.TempDir(), "pid")))
	e, err := c.srv.WaitFor(patience(t), dhcptest.Received(dhcp4.Decline))
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.WaitFor(patience(t), taken)
	if err != nil || a.Time.After(e.Time) {
		t.Errorf("answered at %v (%v), declined at %v", a.Time, err, e.Time)
	}
	if got := c.srv.Declined(); len(got) != 1 || got[0] != taken {
		t.Errorf("declined: %v", got)
	}
	if got := c.srv.Leases(); len(got) != 0 {
		t.Errorf("leased all the same: %v", got)
	}
}

func TestASquatterAnnouncesAndProbes(t *testing.T) {
	c := newCable(t, dhcptest.Config{})
	addr := netip.MustParseAddr("192.0.2.77")
	claimed := net.HardwareAddr{2, 0, 0, 0, 0, 0x99}
	s := squat(t, c.server, dhcptest.SquatterConfig{HardwareAddr: claimed})
	heard := c.client.Hear("eth0")
	for _, test := range []struct {
		name   string
		send   func(netip.Addr) error
		sender netip.Addr
	}{{"announce", s.Announce, addr}, {"probe", s.Probe, netip.IPv4Unspecified()}} {
		if err := test.send(addr); err != nil {
			t.Fatal(err)
		}
		f, ok := heard.Wait(10*time.Second, func(f nettest.Frame) bool {
			op, sender, target, ok := f.ARP()
			return ok && op == 1 && sender == test.sender && target == addr
		})
		if !ok {
			t.Fatalf("%s: not heard", test.name)
		}
		if got := net.HardwareAddr(f.Data[22:28]); got.String() != claimed.String() || f.Dst().String() != "ff:ff:ff:ff:ff:ff" {
			t.Errorf("%s: from %v to %v", test.name, got, f.Dst())
		}
	}
}

func TestASquatterMayBeSlow(t *testing.T) {
	c := newCable(t, dhcptest.Config{})
	addr := netip.MustParseAddr("192.0.2.77")
	const delay = 150 * time.Millisecond
	s := squat(t, c.server, dhcptest.SquatterConfig{Addrs: []netip.Addr{addr}, Delay: delay})
	heard := c.server.Hear("eth0")
	if !arping(t, c.client, addr, 15) {
		t.Error("nobody answered")
	}
	f, ok := heard.Wait(10*time.Second, func(f nettest.Frame) bool { op, _, target, ok := f.ARP(); return ok && op == 1 && target == addr })
	a, err := s.WaitFor(patience(t), addr)
	if !ok || err != nil || a.Time.Sub(f.At) < delay {
		t.Errorf("asked at %v (%v), answered at %v (%v)", f.At, ok, a.Time, err)
	}
}

func TestOnlyIPv4CanBeSquatted(t *testing.T) {
	if _, err := dhcptest.Squat("lo", dhcptest.SquatterConfig{Addrs: []netip.Addr{netip.IPv6Loopback()}}); err == nil || !strings.Contains(err.Error(), "IPv4") {
		t.Errorf("%v", err)
	}
}
