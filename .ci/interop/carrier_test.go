package interop

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

// cable sets the switch's end of the client's cable up or down.
func (w *world) cable(up bool) {
	w.t.Helper()
	set := w.sw.SetDown
	if up {
		set = w.sw.SetUp
	}
	if err := set("client"); err != nil {
		w.t.Fatal(err)
	}
}

// plugInto moves the client's cable to another bridge of the switch.
func (w *world) plugInto(bridge string) {
	w.t.Helper()
	w.sw.Must(func() error {
		b, err := netlink.LinkByName(bridge)
		if err != nil {
			return err
		}
		port, err := netlink.LinkByName("client")
		if err != nil {
			return err
		}
		return netlink.LinkSetMaster(port, b)
	})
}

// patient is how long an agent waits for a carrier: so long that no flap of
// these tests comes to it, though their machine may stand still in the middle.
const patient = 10 * time.Second

func TestL7FlapsOf50msChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	srv := w.answer(w.server, scripted())
	w.keep("eth0", "--carrier-delay", patient.String())
	w.address(10 * time.Second)
	w.reaches("eth0", "BOUND", time.Second)
	routes := w.client.RoutesOf()
	v, since, heard := w.watch(), time.Now(), len(srv.Log())
	for end := since.Add(5 * time.Second); time.Now().Before(end); {
		w.cable(false)
		time.Sleep(50 * time.Millisecond)
		w.cable(true)
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(patient + time.Second) // longer than a carrier is waited for
	if sent := w.asks(since); len(sent) != 0 || len(srv.Log()) != heard {
		t.Errorf("sent: %q; the server: %v", sent, srv.Log()[heard:])
	}
	if c := v.changes(); len(c) != 0 {
		t.Errorf("addresses: %v", c)
	}
	if now := w.client.RoutesOf(); !slices.Equal(now, routes) {
		t.Errorf("routes: %q, before %q", now, routes)
	}
	w.reaches("eth0", "BOUND", time.Second)
}

func TestL1LeaseIsVerifiedAfterALongerLossWithTheAddressKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer(w.server, scripted())
	w.keep("eth0", "--carrier-delay", "1s")
	a := w.address(10 * time.Second)
	w.reaches("eth0", "BOUND", time.Second)
	v, since := w.watch(), time.Now()
	w.cable(false)
	time.Sleep(2500 * time.Millisecond)
	if sent := w.asks(since); len(sent) != 0 {
		t.Errorf("sent without a carrier: %q", sent)
	}
	w.cable(true)
	_, m := w.awaits(since, dhcp4.Request, 5*time.Second)
	if asked, err := dhcp4.RequestedAddr.Get(m.Options); err != nil || asked != a || extendsMessage(m) {
		t.Errorf("D1: asked for %v, %v, ciaddr %v", asked, err, m.CIAddr)
	}
	w.reaches("eth0", "BOUND", 5*time.Second)
	if r := v.removed(); len(r) != 0 {
		t.Errorf("the address was taken off: %v", r)
	}
	for _, f := range w.heard.Frames() { // but for copies, if the answer was late
		if other, _, _, ok := f.DHCP(); ok && f.At.After(since) && other.XID != m.XID {
			t.Errorf("sent: %q, one DHCPREQUEST was enough", w.asks(since))
			break
		}
	}
}

func extendsMessage(m *dhcp4.Message) bool { return m.CIAddr.IsValid() && !m.CIAddr.IsUnspecified() }

func TestCableMovedToAnotherNetworkThatRefuses(t *testing.T) {
	t.Parallel()
	w, v, old, since := moved(t, true)
	f, _ := w.awaits(since, dhcp4.NAK, 10*time.Second)
	if late := v.gone(t, old, 15*time.Second).after.Sub(f.At); late > promptly {
		t.Errorf("D3: the address was in use for %v after the DHCPNAK", late)
	}
	arrived(t, w, old)
}

func TestCableMovedToAnotherNetworkThatIsSilent(t *testing.T) {
	t.Parallel()
	w, v, old, since := moved(t, false)
	f, _ := w.awaits(since, dhcp4.ACK, 30*time.Second)
	if late := v.gone(t, old, 15*time.Second).after.Sub(f.At); late > promptly {
		t.Errorf("D6: the address was in use for %v after the new lease", late)
	}
	arrived(t, w, old)
}

// moved has a lease of one network when the cable goes to another one.
func moved(t *testing.T, authoritative bool) (w *world, v *vigil, old netip.Addr, since time.Time) {
	w = newWorld(t)
	w.answer(w.server, scripted())
	far := w.net.Host("far")
	w.net.Bridge(w.sw, "br1", far)
	far.Addr("eth0", "198.51.100.1/24")
	w.answer(far, dhcptest.Config{
		Prefix: netip.MustParsePrefix("198.51.100.0/24"), Authoritative: authoritative,
		Options: dhcptest.MustOptions("routers=198.51.100.1", "domain-name-servers=198.51.100.53"),
	})
	v = w.watch()
	w.keep("eth0", "--carrier-delay", "1s")
	old = w.address(10 * time.Second)
	w.reaches("eth0", "BOUND", time.Second)
	since = time.Now()
	w.cable(false)
	w.plugInto("br1")
	time.Sleep(2 * time.Second)
	w.cable(true)
	return w, v, old, since
}

func arrived(t *testing.T, w *world, old netip.Addr) {
	t.Helper()
	if a := w.address(15*time.Second, old); !netip.MustParsePrefix("198.51.100.0/24").Contains(a) {
		t.Errorf("the new address is %v", a)
	}
	w.reaches("eth0", "BOUND", 2*time.Second)
	defaults := 0
	for _, r := range w.client.RoutesOf() {
		if len(r) > 7 && r[:7] == "default" {
			defaults++
		}
	}
	if defaults != 1 {
		t.Errorf("routes: %q", w.client.RoutesOf())
	}
}

func TestL8LinkIsDeletedAndMadeAnewInEveryState(t *testing.T) {
	renewing := func(c *dhcptest.Config) { c.LeaseTime, c.T1, c.T2 = 60, 1, 50 }
	rebinding := func(c *dhcptest.Config) { c.LeaseTime, c.T1, c.T2 = 60, 1, 2 }
	for _, c := range []struct {
		state string
		cfg   func(*dhcptest.Config)
		deaf  func(*dhcptest.Server)
		flags []string
	}{
		{state: "SELECTING", deaf: func(s *dhcptest.Server) { s.On(dhcp4.Discover, dhcptest.Ignore) }},
		{state: "REQUESTING", deaf: func(s *dhcptest.Server) { s.On(dhcp4.Request, dhcptest.Ignore) }},
		{state: "CHECKING", flags: []string{"--probe", "rfc5227"}},
		{state: "BOUND"},
		{state: "RENEWING", cfg: renewing, deaf: func(s *dhcptest.Server) { s.On(dhcp4.Request, dhcptest.When(extends, dhcptest.Ignore)) }},
		{state: "REBINDING", cfg: rebinding, deaf: func(s *dhcptest.Server) { s.On(dhcp4.Request, dhcptest.When(extends, dhcptest.Ignore)) }},
	} {
		t.Run(c.state, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			cfg := scripted()
			if c.cfg != nil {
				c.cfg(&cfg)
			}
			srv := w.answer(w.server, cfg)
			if c.deaf != nil {
				c.deaf(srv)
			}
			p := w.keep(append([]string{"eth0"}, c.flags...)...)
			w.reaches("eth0", c.state, 10*time.Second)
			if err := w.sw.Remove("client"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			for _, e := range srv.Log() {
				if !e.Sent && e.Message != nil && e.Message.Type() == dhcp4.Release {
					t.Error("a release was sent")
				}
			}
			srv.Reset()
			w.again()
			w.address(12 * time.Second)
			w.reaches("eth0", "BOUND", 2*time.Second)
			if n := lines(p.Log(), "level=ERROR"); n != 0 {
				t.Errorf("%d errors in the log", n)
			}
		})
	}
}

// again makes the client's link anew and hears it.
func (w *world) again() {
	w.t.Helper()
	w.net.Plug(w.sw, "br0", w.client)
	w.heard = w.client.Hear("eth0")
}
