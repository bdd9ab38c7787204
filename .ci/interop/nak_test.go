package interop

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

// promptly is how soon after a server's word an old address must be gone.
const promptly = 2 * time.Second

func TestE12BroadcastNAKWhileRenewingEndsTheLeaseAtOnce(t *testing.T) {
	t.Parallel()
	refused(t, 2, 50, dhcptest.When(extends, dhcptest.NAK("renumbered")))
}

func TestE12BroadcastNAKWhileRebindingEndsTheLeaseAtOnce(t *testing.T) {
	t.Parallel()
	refused(t, 1, 4,
		dhcptest.When(extends, dhcptest.NAK("renumbered")),
		dhcptest.When(func(x *dhcptest.Exchange) bool { return extends(x) && x.Dst == x.Server() }, dhcptest.Ignore))
}

// refused keeps a link whose server renumbers and refuses to extend the lease.
func refused(t *testing.T, t1, t2 dhcp4.Lifetime, rules ...dhcptest.Rule) {
	w := newWorld(t)
	cfg := scripted()
	cfg.LeaseTime, cfg.T1, cfg.T2 = 60, t1, t2
	srv := w.answer(w.server, cfg)
	v := w.watch()
	w.keep("eth0")
	old := w.address(10 * time.Second)
	w.reaches("eth0", "BOUND", time.Second)
	srv.On(dhcp4.Request, rules...)
	if err := srv.Change(func(c *dhcptest.Config) {
		c.First, c.Last = netip.MustParseAddr("192.0.2.200"), netip.MustParseAddr("192.0.2.210")
	}); err != nil {
		t.Fatal(err)
	}
	srv.Forget()

	f, _ := w.awaits(time.Time{}, dhcp4.NAK, 10*time.Second)
	if _, _, dst, _ := f.DHCP(); dst != netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		t.Fatalf("the DHCPNAK went to %v, this test wants a broadcast", dst)
	}
	if late := v.gone(t, old, promptly+time.Second).after.Sub(f.At); late > promptly {
		t.Errorf("E12: the address was in use for %v after the DHCPNAK", late)
	}
	if a := w.address(20*time.Second, old); a.Less(netip.MustParseAddr("192.0.2.200")) {
		t.Errorf("the new address is %v", a)
	}
	w.reaches("eth0", "BOUND", time.Second)
}

func TestE13StrangersNAKWhileRenewingChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg := scripted()
	cfg.LeaseTime, cfg.T1, cfg.T2 = 60, 2, 50
	srv := w.answer(w.server, cfg)
	v := w.watch()
	w.keep("eth0")
	w.address(10 * time.Second)
	srv.On(dhcp4.Request, dhcptest.When(extends, dhcptest.NAK("go away"), dhcptest.From(netip.MustParseAddr("192.0.2.7"))))
	w.awaits(time.Time{}, dhcp4.NAK, 10*time.Second)
	time.Sleep(promptly + time.Second)
	if r := v.removed(); len(r) != 0 {
		t.Errorf("the address was taken off: %v", r)
	}
	w.reaches("eth0", "RENEWING", time.Second)
	srv.Reset()
	w.asked("renew", "eth0")
	w.reaches("eth0", "BOUND", time.Second)
}

// A whole server that renumbers its network. (The others say nothing of a
// network that they were not told of.)
func TestE12RenumberedServerRefusesToRenew(t *testing.T) {
	t.Parallel()
	s := Servers[0]
	w := newWorld(t)
	n := network
	server := w.serve(w.server, s, n)
	v := w.watch()
	w.keep("eth0")
	old := w.address(10 * time.Second)
	server.Stop()
	moved := n
	moved.Prefix = netip.MustParsePrefix("198.51.100.1/24")
	moved.First, moved.Last = netip.MustParseAddr("198.51.100.100"), netip.MustParseAddr("198.51.100.120")
	moved.Router, moved.Routes = netip.MustParseAddr("198.51.100.1"), nil
	w.server.Addr("eth0", moved.Prefix.String())
	w.serve(w.server, s, moved)
	w.ask("renew", "eth0") // it is refused
	f, _ := w.awaits(time.Time{}, dhcp4.NAK, hearing)
	if late := v.gone(t, old, promptly+time.Second).after.Sub(f.At); late > promptly {
		t.Errorf("E12: the address was in use for %v after the DHCPNAK", late)
	}
	if a := w.address(20*time.Second, old); !moved.Prefix.Contains(a) {
		t.Errorf("the new address is %v", a)
	}
}
