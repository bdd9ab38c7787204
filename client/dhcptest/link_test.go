package dhcptest_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/nettest"
)

// A cable joins the server's host and the client's, each by its eth0.
type cable struct {
	srv            *dhcptest.Server
	listener       *dhcptest.Listener
	server, client *nettest.Machine
}

func newCable(t *testing.T, cfg dhcptest.Config) *cable {
	t.Helper()
	n := nettest.New(t)
	c := &cable{srv: dhcptest.New(t, cfg), server: n.Host("server"), client: n.Host("client")}
	n.Connect(c.server, "eth0", c.client, "eth0")
	c.server.Addr("eth0", c.srv.ID().String()+"/24")
	c.listener = listen(t, c.server, c.srv)
	return c
}

// listen joins srv to the host's eth0 until the end of the test.
func listen(t *testing.T, h *nettest.Machine, srv *dhcptest.Server) (l *dhcptest.Listener) {
	t.Helper()
	h.Must(func() (err error) {
		l, err = srv.Listen("eth0")
		return err
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return l
}

// patience bounds every wait for something that takes no time.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// udhcpc runs BusyBox's client until it has a lease or has failed, and returns
// what it printed.
func udhcpc(t *testing.T, h *nettest.Machine, args ...string) (string, error) {
	t.Helper()
	ctx := patience(t)
	args = append([]string{"udhcpc", "-i", "eth0", "-f", "-q", "-n", "-s", "/bin/true", "-p", filepath.Join(t.TempDir(), "pid")}, args...)
	cmd := exec.CommandContext(ctx, nettest.Program(t, "busybox"), args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	return out.String(), err
}

func TestUdhcpcGetsALease(t *testing.T) {
	for name, args := range map[string][]string{"unicast": nil, "broadcast": {"-B"}} {
		t.Run(name, func(t *testing.T) {
			c := newCable(t, dhcptest.Config{Options: template})
			out, err := udhcpc(t, c.client, args...)
			if err != nil || !strings.Contains(out, "lease of 192.0.2.2 obtained") {
				t.Fatalf("%v: %s", err, out)
			}
			if l := c.srv.Leases(); len(l) != 1 || l[0].Addr != netip.MustParseAddr("192.0.2.2") {
				t.Errorf("leases: %v", l)
			}
			e, err := c.srv.WaitFor(patience(t), dhcptest.Sent(dhcp4.ACK))
			if broadcast := e.Dst == netip.MustParseAddr("255.255.255.255"); err != nil || broadcast != (args != nil) {
				t.Errorf("DHCPACK %v, %v", e, err)
			}
		})
	}
}

func TestUdhcpcSuffersWhatTheRulesSay(t *testing.T) {
	c := newCable(t, dhcptest.Config{})
	c.srv.On(dhcp4.Discover, dhcptest.InTurn(dhcptest.Ignore, dhcptest.WrongXID, dhcptest.BadIPChecksum, dhcptest.Truncate(100)))
	out, err := udhcpc(t, c.client, "-t", "15", "-T", "1")
	if err != nil || !strings.Contains(out, "lease of 192.0.2.2 obtained") {
		t.Fatalf("%v: %s", err, out)
	}
	var discovers int
	for _, e := range c.srv.Log() {
		if dhcptest.Received(dhcp4.Discover)(e) {
			discovers++
		}
		if e.Err != nil {
			t.Errorf("log: %v", e)
		}
	}
	if discovers < 5 { // more, if the answer to the fifth was late
		t.Errorf("%d DHCPDISCOVERs, want 5", discovers)
	}
}

func TestDhclientGetsALease(t *testing.T) {
	c := newCable(t, dhcptest.Config{Options: template, LeaseTime: 600})
	dir := t.TempDir()
	leases := filepath.Join(dir, "leases")
	cmd := exec.Command(nettest.Program(t, "dhclient"), "-4", "-1", "-d", "-cf", "/dev/null", "-sf", "/bin/true", "-lf", leases, "-pf", filepath.Join(dir, "pid"), "eth0")
	var out strings.Builder
	cmd.Stderr = &out
	if err := c.client.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if _, err := c.srv.WaitFor(patience(t), dhcptest.Sent(dhcp4.ACK)); err != nil {
		t.Error(err)
	}
	// It writes the lease right after the DHCPACK; a client that stays in
	// the foreground has no other way to tell.
	limit := time.Now().Add(10 * time.Second)
	var text []byte
	for !strings.Contains(string(text), "\n}") && time.Now().Before(limit) { // whole
		time.Sleep(20 * time.Millisecond)
		text, _ = os.ReadFile(leases) // not there yet
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // killed
	for _, want := range []string{"fixed-address 192.0.2.2;", "option routers 192.0.2.1;", "option dhcp-lease-time 600;", "option domain-name-servers 192.0.2.53,192.0.2.54;"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in its lease:\n%s\n%s", want, text, out.String())
		}
	}
}

// A renewal goes by the kernel's UDP, so its checksum is often left to
// hardware; and nothing may answer "port unreachable".
func TestARenewalByUnicastIsAnsweredByUnicast(t *testing.T) {
	c := newCable(t, dhcptest.Config{})
	hers := netip.MustParseAddr("192.0.2.2")
	ifi, err := c.client.Interface("eth0")
	if err != nil {
		t.Fatal(err)
	}
	who := dhcp4.HardwareAddr(ifi.HardwareAddr)
	lease(t, c.srv, who, time.Now())
	c.client.Addr("eth0", "192.0.2.2/24")
	var conn *net.UDPConn
	c.client.Must(func() (err error) {
		conn, err = net.DialUDP("udp4", &net.UDPAddr{IP: hers.AsSlice(), Port: 68}, &net.UDPAddr{IP: us.AsSlice(), Port: 67})
		return err
	})
	defer conn.Close()
	b, err := msg(dhcp4.Request, who, ciaddr(hers)).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b = make([]byte, 1500)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := dhcp4.Parse(b[:n]); err != nil || m.Type() != dhcp4.ACK || m.YIAddr != hers {
		t.Errorf("%v, %v", m, err)
	}
	e, err := c.srv.WaitFor(patience(t), dhcptest.Nth(2, dhcptest.Received(dhcp4.Request)))
	if err != nil || e.Dst != us || e.Src != hers || e.Peer.String() != who.String() {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestTwoServersShareALink(t *testing.T) {
	n := nettest.New(t)
	sw, a, b, c := n.Host("switch"), n.Host("a"), n.Host("b"), n.Host("c")
	n.Bridge(sw, "br0", a, b, c)
	first := dhcptest.New(t, dhcptest.Config{})
	second := dhcptest.New(t, dhcptest.Config{ID: other, First: netip.MustParseAddr("192.0.2.200")})
	first.Always(dhcptest.Ignore)
	listen(t, a, first)
	listen(t, b, second)
	out, err := udhcpc(t, c)
	if err != nil || !strings.Contains(out, "lease of 192.0.2.200 obtained from 192.0.2.250") {
		t.Fatalf("%v: %s", err, out)
	}
	if len(first.Leases()) != 0 || len(first.Log()) == 0 {
		t.Errorf("the first server: %v", first.Log())
	}
}

func TestClosingAListenerStopsDelayedReplies(t *testing.T) {
	c := newCable(t, dhcptest.Config{})
	c.srv.Always(dhcptest.Delay(time.Hour))
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended }) // it is killed before that
	go func() {
		defer close(ended)
		_, _ = udhcpc(t, c.client, "-t", "1", "-T", "1") // gets none
	}()
	if _, err := c.srv.WaitFor(patience(t), dhcptest.Received(dhcp4.Discover)); err != nil {
		t.Fatal(err)
	}
	// Close runs as the test's cleanup; goleak and its errors are the test.
}

func TestLinkDownAndUpDoesNotEndAListener(t *testing.T) {
	c := newCable(t, dhcptest.Config{})
	for _, f := range []func(string) error{c.server.SetDown, c.server.SetUp} {
		if err := f("eth0"); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := udhcpc(t, c.client); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestALinkThatIsNotThereIsNamed(t *testing.T) {
	_, listen := dhcptest.New(t, dhcptest.Config{}).Listen("nosuch0")
	_, squat := dhcptest.Squat("nosuch0", dhcptest.SquatterConfig{})
	for _, err := range []error{listen, squat} {
		if err == nil || !strings.Contains(err.Error(), "nosuch0") || errors.Is(err, os.ErrPermission) {
			t.Errorf("%v", err)
		}
	}
}
