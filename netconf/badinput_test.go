package netconf

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// What a server should not say is refused with a reason, and the rest of the
// lease is followed by a real kernel, and undone.
func TestWhatMakesNoSenseIsRefusedAndLeavesTheHostWhole(t *testing.T) {
	by := func(gateway string) func(*lease.Lease) {
		return func(l *lease.Lease) {
			l.Routers = append([]netip.Addr{netip.MustParseAddr(gateway)}, l.Routers...)
			l.StaticRoutes = []dhcp4.Route{route("172.16.0.0/16", gateway)}
		}
	}
	to := func(dest string) func(*lease.Lease) {
		return func(l *lease.Lease) { l.StaticRoutes = []dhcp4.Route{route(dest, "192.0.2.2"), route(dest, "0.0.0.0")} }
	}
	mtu := func(n int) func(*lease.Lease) {
		return func(l *lease.Lease) {
			l.Options.Put(dhcp4.InterfaceMTU.Code, []byte{byte(n >> 8), byte(n)})
			v, err := dhcp4.InterfaceMTU.Get(l.Options)
			if err == nil {
				l.MTU = int(v)
			}
		}
	}
	for _, tc := range []struct {
		name    string
		lease   func(*lease.Lease)
		refused int
		why     string // in each refusal
		routes  int    // beside the subnet and the default route
		mtu     int
	}{
		{name: "nothing", lease: func(*lease.Lease) {}},
		{name: "a multicast router", lease: by("224.0.0.5"), refused: 2, why: "no address of a router"},
		{name: "the broadcast address as router", lease: by("192.0.2.255"), refused: 2, why: "broadcast address"},
		{name: "everybody's broadcast address as router", lease: by("255.255.255.255"), refused: 2, why: "no address of a router"},
		{name: "the subnet's address as router", lease: by("192.0.2.0"), refused: 2, why: "the subnet's"},
		{name: "our own address as router", lease: by("192.0.2.77"), refused: 2, why: "own address"},
		{name: "0.0.0.0 as router", lease: func(l *lease.Lease) { l.Routers = append([]netip.Addr{netip.IPv4Unspecified()}, l.Routers...) },
			refused: 1, why: "no address of a router"},
		{name: "a loopback router", lease: by("127.0.0.1"), refused: 2, why: "no address of a router"},
		// Off-link is no reason: it is reached on the link. The second router
		// is one too many then.
		{name: "an off-link router", lease: by("203.0.113.1"), refused: 1, why: "one default route", routes: 2},
		{name: "loopback", lease: to("127.0.0.0/8"), refused: 2, why: "loopback"},
		{name: "a loopback host", lease: to("127.0.0.53/32"), refused: 2, why: "loopback"},
		{name: "multicast", lease: to("224.0.0.0/4"), refused: 2, why: "multicast"},
		{name: "one multicast group", lease: to("239.1.2.3/32"), refused: 2, why: "multicast"},
		{name: "reserved", lease: to("240.0.0.0/4"), refused: 2, why: "reserved"},
		{name: "both", lease: to("224.0.0.0/3"), refused: 2, why: "multicast and reserved"},
		{name: "everybody's broadcast address", lease: to("255.255.255.255/32"), refused: 2, why: "reserved"},
		{name: "this network", lease: to("0.0.0.0/8"), refused: 2, why: "this network"},
		{name: "link-local", lease: to("169.254.0.0/16"), refused: 2, why: "--allow-route"},
		{name: "a link-local host", lease: to("169.254.169.254/32"), refused: 2, why: "--allow-route 169.254.169.254/32"},
		{name: "the own prefix, by a router", lease: func(l *lease.Lease) { l.StaticRoutes = []dhcp4.Route{route("192.0.2.0/24", "192.0.2.2")} },
			refused: 1, why: "own subnet"},
		{name: "within the own prefix", lease: to("192.0.2.128/25"), refused: 2, why: "own subnet"},
		{name: "this host", lease: to("192.0.2.77/32"), refused: 2, why: "own address"},
		{name: "one destination twice", lease: to("172.16.0.0/16"), refused: 1, why: "comes first", routes: 1},
		{name: "300 routes", lease: func(l *lease.Lease) {
			for i := range 300 {
				l.StaticRoutes = append(l.StaticRoutes, route(fmt.Sprintf("10.%d.%d.0/24", i/256, i%256), "192.0.2.2"))
			}
		}, refused: 1, why: "more than 256", routes: 256},
		{name: "MTU 0", lease: mtu(0), refused: 1, why: "no link has such an MTU"},
		{name: "MTU 67", lease: mtu(67), refused: 1, why: "no link has such an MTU"},
		{name: "MTU 68", lease: mtu(68), refused: 1, why: "below 576"},
		{name: "MTU 575", lease: mtu(575), refused: 1, why: "below 576"},
		{name: "MTU 576", lease: mtu(576), mtu: 576},
		{name: "MTU 65535", lease: mtu(65535), mtu: 65535}, // which veth takes
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t)
			before := r.full()
			l := testLease(tc.lease)
			h := r.open(Options{MTU: true})
			r.must(r.apply(h, l))
			refused := PlanFor(l, h.Options()).Refused
			for _, ref := range refused {
				if !strings.Contains(ref.Why, tc.why) || ref.Option == 0 {
					t.Errorf("%+v, want %q", ref, tc.why)
				}
			}
			if len(refused) != tc.refused {
				t.Errorf("refused %+v, want %d", refused, tc.refused)
			}
			routes := r.m.RoutesOf()
			if len(routes) != 2+tc.routes || !strings.Contains(strings.Join(routes, "\n"), "default via ") {
				t.Errorf("%d routes, want %d: %q", len(routes), 2+tc.routes, routes[:min(5, len(routes))])
			}
			want := tc.mtu
			if want == 0 {
				want = 1500
			}
			if got, err := r.m.MTU("eth0"); got != want || err != nil {
				t.Errorf("MTU %d, %v", got, err)
			}
			r.withdraw(h, l)
			r.isFull("withdrawn", before)
			r.tidy("in the end")
		})
	}
}
