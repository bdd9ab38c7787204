package netconf

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

func testLease(change func(*lease.Lease)) lease.Lease {
	now := time.Now()
	l := lease.Lease{
		Addr: netip.MustParsePrefix("192.0.2.77/24"), Server: netip.MustParseAddr("192.0.2.1"),
		Start: now, T1: now.Add(30 * time.Minute), T2: now.Add(50 * time.Minute), Expiry: now.Add(time.Hour),
		Routers: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
	}
	if change != nil {
		change(&l)
	}
	return l
}

func prefixes(words ...string) (out []netip.Prefix) {
	for _, w := range words {
		out = append(out, netip.MustParsePrefix(w))
	}
	return out
}

func route(dest, gw string) dhcp4.Route {
	return dhcp4.Route{Dest: netip.MustParsePrefix(dest), Gateway: netip.MustParseAddr(gw)}
}

func TestPlans(t *testing.T) {
	for _, tc := range []struct {
		name    string
		lease   func(*lease.Lease)
		options Options
		routes  []string
		refused []string // a word of each
	}{
		{name: "a router", routes: []string{"192.0.2.0/24 src 192.0.2.77", "default via 192.0.2.1 src 192.0.2.77"}},
		{
			name: "G2: option 121 replaces 3 and 33",
			lease: func(l *lease.Lease) {
				l.ClasslessRoutes = []dhcp4.Route{route("10.0.0.0/8", "192.0.2.2")}
				l.StaticRoutes = []dhcp4.Route{route("172.16.0.0/16", "192.0.2.3")}
			},
			routes:  []string{"192.0.2.0/24 src 192.0.2.77", "10.0.0.0/8 via 192.0.2.2 src 192.0.2.77"},
			refused: []string{"replaces"},
		},
		{
			name:   "G6: on-link",
			lease:  func(l *lease.Lease) { l.ClasslessRoutes = []dhcp4.Route{route("10.1.0.0/16", "0.0.0.0")} },
			routes: []string{"192.0.2.0/24 src 192.0.2.77", "10.1.0.0/16 src 192.0.2.77"}, refused: []string{"replaces"},
		},
		{
			name: "G7: a lease of /32 and a router beyond",
			lease: func(l *lease.Lease) {
				l.Addr = netip.MustParsePrefix("192.0.2.77/32")
			},
			routes: []string{"192.0.2.1/32 src 192.0.2.77", "default via 192.0.2.1 src 192.0.2.77"},
		},
		{
			name:   "G10: option 249 is not followed unasked",
			lease:  func(l *lease.Lease) { l.MSRoutes = []dhcp4.Route{route("10.0.0.0/8", "192.0.2.2")} },
			routes: []string{"192.0.2.0/24 src 192.0.2.77", "default via 192.0.2.1 src 192.0.2.77"}, refused: []string{"--ms-routes"},
		},
		{
			name:    "G10: option 249 where it is asked for",
			lease:   func(l *lease.Lease) { l.MSRoutes = []dhcp4.Route{route("10.0.0.0/8", "192.0.2.2")} },
			options: Options{MSRoutes: true},
			routes:  []string{"192.0.2.0/24 src 192.0.2.77", "10.0.0.0/8 via 192.0.2.2 src 192.0.2.77"},
			refused: []string{"replaces"},
		},
		{
			name:    "metric",
			options: Options{Metric: 50},
			routes:  []string{"192.0.2.0/24 src 192.0.2.77 metric 50", "default via 192.0.2.1 src 192.0.2.77 metric 50"},
		},
		{
			name: "G11: what no server has a say in",
			lease: func(l *lease.Lease) {
				l.ClasslessRoutes = []dhcp4.Route{
					route("127.0.0.0/8", "192.0.2.2"), route("224.0.0.0/4", "192.0.2.2"), route("240.0.0.0/5", "192.0.2.2"),
					route("169.254.0.0/16", "192.0.2.2"), route("10.0.0.0/8", "224.0.0.1"), route("10.0.0.0/8", "192.0.2.77"),
					route("10.0.0.0/8", "192.0.2.255"), route("10.0.0.0/8", "127.0.0.1"),
				}
			},
			routes:  []string{"192.0.2.0/24 src 192.0.2.77"},
			refused: []string{"loopback", "multicast", "reserved", "link-local", "router", "own address", "broadcast", "router", "replaces"},
		},
		{
			name:    "G11: clouds' metadata servers are link-local hosts, and refused",
			lease:   func(l *lease.Lease) { l.ClasslessRoutes = []dhcp4.Route{route("169.254.169.254/32", "192.0.2.1")} },
			routes:  []string{"192.0.2.0/24 src 192.0.2.77"},
			refused: []string{"--allow-route 169.254.169.254/32", "replaces"},
		},
		{
			name:    "G11: unless they are allowed by name",
			lease:   func(l *lease.Lease) { l.ClasslessRoutes = []dhcp4.Route{route("169.254.169.254/32", "192.0.2.1")} },
			options: Options{Received: RoutePolicy{Allow: prefixes("169.254.169.254/32")}},
			routes:  []string{"192.0.2.0/24 src 192.0.2.77", "169.254.169.254/32 via 192.0.2.1 src 192.0.2.77"},
			refused: []string{"replaces"},
		},
		{
			name:    "the router is this host",
			lease:   func(l *lease.Lease) { l.Routers = []netip.Addr{l.Addr.Addr(), netip.MustParseAddr("192.0.2.1")} },
			routes:  []string{"192.0.2.0/24 src 192.0.2.77", "default via 192.0.2.1 src 192.0.2.77"},
			refused: []string{"own address"},
		},
		{
			name:    "bad MTU",
			lease:   func(l *lease.Lease) { l.MTU = 68 },
			options: Options{MTU: true},
			routes:  []string{"192.0.2.0/24 src 192.0.2.77", "default via 192.0.2.1 src 192.0.2.77"},
			refused: []string{"breaks"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := PlanFor(testLease(tc.lease), tc.options)
			var got []string
			for _, r := range p.Routes {
				got = append(got, r.String())
			}
			if !slices.Equal(got, tc.routes) {
				t.Errorf("routes\n%q, want\n%q", got, tc.routes)
			}
			if len(p.Refused) != len(tc.refused) {
				t.Fatalf("refused %+v, want %q", p.Refused, tc.refused)
			}
			for i, r := range p.Refused {
				if !strings.Contains(r.Why, tc.refused[i]) {
					t.Errorf("refused %+v, want %q", r, tc.refused[i])
				}
			}
		})
	}
}

// genRoutes draws sets of routes with different keys.
func genRoutes() *rapid.Generator[[]Route] {
	one := rapid.Custom(func(t *rapid.T) Route {
		r := Route{
			Dest:   netip.PrefixFrom(netip.AddrFrom4([4]byte{10, rapid.ByteRange(0, 3).Draw(t, "net"), 0, 0}), 16),
			Metric: rapid.IntRange(0, 1).Draw(t, "metric"), Src: netip.MustParseAddr("192.0.2.77"),
		}
		if rapid.Bool().Draw(t, "via") {
			r.Gateway = netip.AddrFrom4([4]byte{192, 0, 2, rapid.ByteRange(1, 3).Draw(t, "gw")})
		}
		return r
	})
	return rapid.SliceOfNDistinct(one, 0, 6, Route.key)
}

func TestG12DiffMakesWhatIsWantedAndTouchesNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		have, want := genRoutes().Draw(t, "have"), genRoutes().Draw(t, "want")
		kernel := map[key]Route{{netip.MustParsePrefix("203.0.113.0/24"), 0, 0}: {}}
		for _, r := range have {
			kernel[r.key()] = r
		}
		for _, c := range diff(have, want) {
			if slices.Contains(have, c.route) && slices.Contains(want, c.route) {
				t.Fatalf("%v stays and is touched", c.route)
			}
			switch c.op {
			case opAdd:
				if _, there := kernel[c.route.key()]; there {
					t.Fatalf("%v is added where one is", c.route)
				}
				kernel[c.route.key()] = c.route
			case opReplace:
				if kernel[c.route.key()] != c.old {
					t.Fatalf("%v does not replace %v", c.route, c.old)
				}
				kernel[c.route.key()] = c.route
			case opDelete:
				delete(kernel, c.route.key())
			}
		}
		for _, r := range want {
			if kernel[r.key()] != r {
				t.Fatalf("%v is missing", r)
			}
		}
		if len(kernel) != len(want)+1 {
			t.Fatalf("%v left over", kernel)
		}
	})
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte{24, 10, 0, 0, 192, 0, 2, 1}, []byte{192, 0, 2, 1}, byte(24), uint16(1400))
	f.Fuzz(func(t *testing.T, routes, routers []byte, bits byte, mtu uint16) {
		var o dhcp4.Options
		o.Put(dhcp4.ClasslessRoutes.Code, routes)
		o.Put(dhcp4.Routers.Code, routers)
		l := testLease(func(l *lease.Lease) {
			l.Addr = netip.PrefixFrom(l.Addr.Addr(), int(bits%32)+1)
			l.ClasslessRoutes, _ = dhcp4.ClasslessRoutes.Get(o)
			l.Routers, _ = dhcp4.Routers.Get(o)
			l.MTU = int(mtu)
		})
		p := PlanFor(l, Options{MTU: true})
		seen := map[key]bool{}
		for i, r := range p.Routes {
			if seen[r.key()] {
				t.Fatalf("%v twice", r)
			}
			seen[r.key()] = true
			if _, what := special(r.Dest); i > 0 && what != "" {
				t.Fatalf("route %v: %s", r, what)
			}
			if r.Gateway.IsValid() && (r.Gateway.IsMulticast() || r.Gateway == l.Addr.Addr() || r.Gateway.IsUnspecified()) {
				t.Fatalf("gateway of %v", r)
			}
		}
		if len(p.Routes) > 2*DefaultMaxRoutes+2 || p.MTU != 0 && p.MTU < minMTU {
			t.Fatalf("%d routes, MTU %d", len(p.Routes), p.MTU)
		}
	})
}
