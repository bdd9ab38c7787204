package netconf

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// hostile is what servers send to pull a tunnel's traffic out, or a network's,
// and an honest default route at the end.
var hostile = []dhcp4.Route{
	route("0.0.0.0/1", "192.0.2.1"), route("128.0.0.0/1", "192.0.2.1"), // wins over any default route
	route("10.8.0.0/16", "192.0.2.1"), route("10.8.0.0/25", "192.0.2.1"), // as a tunnel has them, and narrower
	route("10.8.0.1/32", "0.0.0.0"), route("169.254.169.254/32", "192.0.2.1"),
	route("0.0.0.0/0", "192.0.2.1"),
}

func TestG11PoliciesFollowWhatTheySay(t *testing.T) {
	const all = "0.0.0.0/1 128.0.0.0/1 10.8.0.0/16 10.8.0.0/25 10.8.0.1/32 default"
	for _, tc := range []struct {
		name   string
		policy RoutePolicy
		dests  string // beside the subnet
	}{
		{"nothing is said", RoutePolicy{}, all},
		{"all", RoutePolicy{Follow: FollowAll}, all},
		{"default", RoutePolicy{Follow: FollowDefault}, "default"},
		{"none", RoutePolicy{Follow: FollowNone}, ""},
		{"default, and one network by name", RoutePolicy{Follow: FollowDefault, Allow: prefixes("10.8.0.0/16")}, "10.8.0.0/16 10.8.0.0/25 10.8.0.1/32 default"},
		{"none, and the default route by name", RoutePolicy{Follow: FollowNone, Allow: prefixes("0.0.0.0/0")}, "default"},
		{"none, and the metadata server by name", RoutePolicy{Follow: FollowNone, Allow: prefixes("169.254.169.254/32")}, "169.254.169.254/32"},
		{"link-local hosts are not allowed by what covers them by chance", RoutePolicy{Follow: FollowNone, Allow: prefixes("128.0.0.0/1")}, "128.0.0.0/1"},
		{"all but the default route", RoutePolicy{Deny: prefixes("0.0.0.0/0")}, strings.TrimSuffix(all, " default")},
		{"what overlaps the denied is denied too", RoutePolicy{Deny: prefixes("10.8.0.128/25")}, "128.0.0.0/1 10.8.0.0/25 10.8.0.1/32 default"},
		{"denied wins over allowed", RoutePolicy{Follow: FollowDefault, Allow: prefixes("10.0.0.0/8"), Deny: prefixes("10.8.0.0/24")}, "default"},
		{"a limit, which the default route does not count for", RoutePolicy{Max: 2}, "0.0.0.0/1 128.0.0.0/1 default"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := PlanFor(testLease(func(l *lease.Lease) { l.ClasslessRoutes, l.Routers = hostile, nil }), Options{Received: tc.policy})
			var got []string
			for _, r := range p.Routes[1:] {
				got = append(got, strings.Fields(r.String())[0])
			}
			if strings.Join(got, " ") != tc.dests {
				t.Errorf("routes %q, want %q", got, tc.dests)
			}
			if refused := len(hostile) - len(got); tc.policy.Max == 0 && len(p.Refused) != refused {
				t.Errorf("%d are missing, and refused are %+v", refused, p.Refused)
			}
			for _, r := range p.Refused {
				if r.Option != 121 || r.Why == "" {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// Whatever a server sends, with "default" there is nothing but the subnet and
// a default route, with "none" nothing but the subnet; and what is denied is
// not there under any policy.
func TestG11NoOptionGetsRoundAPolicy(t *testing.T) {
	tunnel := netip.MustParsePrefix("10.8.0.0/24")
	addr := rapid.Custom(func(t *rapid.T) netip.Addr {
		first := rapid.SampledFrom([]byte{0, 10, 127, 169, 192, 198, 224, 255}).Draw(t, "first")
		second := rapid.SampledFrom([]byte{0, 8, 254, 51}).Draw(t, "second")
		return netip.AddrFrom4([4]byte{first, second, rapid.Byte().Draw(t, "third"), rapid.Byte().Draw(t, "fourth")})
	})
	sent := rapid.Custom(func(t *rapid.T) dhcp4.Route {
		dest := netip.PrefixFrom(addr.Draw(t, "dest"), rapid.IntRange(0, 32).Draw(t, "bits")).Masked()
		return dhcp4.Route{Dest: dest, Gateway: addr.Draw(t, "gateway")}
	})
	rapid.Check(t, func(t *rapid.T) {
		policy := RoutePolicy{
			Follow: rapid.SampledFrom([]RouteSet{FollowAll, FollowDefault, FollowNone}).Draw(t, "follow"),
			Deny:   []netip.Prefix{tunnel},
		}
		l := testLease(func(l *lease.Lease) {
			l.Addr = netip.PrefixFrom(netip.MustParseAddr("10.9.3.7"), rapid.IntRange(1, 32).Draw(t, "mask"))
			l.ClasslessRoutes = rapid.SliceOfN(sent, 0, 8).Draw(t, "121")
			l.StaticRoutes = rapid.SliceOfN(sent, 0, 3).Draw(t, "33")
			l.Routers = rapid.SliceOfN(addr, 0, 3).Draw(t, "3")
		})
		for _, r := range PlanFor(l, Options{Received: policy}).Routes {
			own, everywhere := r.Dest == l.Addr.Masked(), r.Dest.Bits() == 0
			switch {
			case own && r.Gateway.IsValid(), own && r.Dest.Bits() < DefaultWidest:
				t.Errorf("%v", r)
			case own:
			case policy.Follow == FollowDefault && !everywhere, policy.Follow == FollowNone:
				t.Errorf("%s: %v", policy.Follow, r)
			}
			if !everywhere && tunnel.Overlaps(r.Dest) {
				t.Errorf("denied: %v", r)
			}
		}
	})
}

func TestTheSubnetOfTheAddressIsBounded(t *testing.T) {
	for _, tc := range []struct {
		prefix string
		policy RoutePolicy
		routes string
	}{
		{"10.9.3.7/8", RoutePolicy{}, "10.0.0.0/8 src 10.9.3.7, default via 10.0.0.1 src 10.9.3.7"},
		// What the gateway needs is a route to it alone, and where that is
		// too much, none.
		{"10.9.3.7/1", RoutePolicy{}, "10.0.0.1/32 src 10.9.3.7, default via 10.0.0.1 src 10.9.3.7"},
		{"10.9.3.7/1", RoutePolicy{Follow: FollowDefault}, "default via 10.0.0.1 onlink src 10.9.3.7"},
		{"10.9.3.7/1", RoutePolicy{Widest: 1}, "0.0.0.0/1 src 10.9.3.7, default via 10.0.0.1 src 10.9.3.7"},
		{"10.9.3.7/8", RoutePolicy{Widest: 16}, "10.0.0.1/32 src 10.9.3.7, default via 10.0.0.1 src 10.9.3.7"},
		{"10.9.3.7/8", RoutePolicy{Deny: prefixes("10.8.0.0/24")}, "10.0.0.1/32 src 10.9.3.7, default via 10.0.0.1 src 10.9.3.7"},
		{"10.9.3.7/8", RoutePolicy{Deny: prefixes("10.0.0.0/24")}, "default via 10.0.0.1 onlink src 10.9.3.7"},
	} {
		t.Run(fmt.Sprintf("%s %+v", tc.prefix, tc.policy), func(t *testing.T) {
			p := PlanFor(testLease(func(l *lease.Lease) {
				l.Addr, l.Routers = netip.MustParsePrefix(tc.prefix), []netip.Addr{netip.MustParseAddr("10.0.0.1")}
			}), Options{Received: tc.policy})
			if got := strings.Join(texts(p.Routes), ", "); got != tc.routes {
				t.Errorf("routes %q, want %q", got, tc.routes)
			}
			if refused := len(p.Routes) == 0 || p.Routes[0].Dest != p.Address.Prefix.Masked(); refused != (len(p.Refused) == 1) {
				t.Errorf("refused %+v", p.Refused)
			}
		})
	}
}

func texts(routes []Route) (out []string) {
	for _, r := range routes {
		out = append(out, r.String())
	}
	return out
}

func TestG11ThreeHundredRoutesAndTheDefaultRouteIsTheLast(t *testing.T) {
	p := PlanFor(testLease(func(l *lease.Lease) {
		l.Routers = nil
		for i := range 300 {
			l.ClasslessRoutes = append(l.ClasslessRoutes, route(fmt.Sprintf("10.%d.%d.0/24", i/256, i%256), "192.0.2.2"))
		}
		l.ClasslessRoutes = append(l.ClasslessRoutes, route("0.0.0.0/0", "192.0.2.1"))
	}), Options{})
	if n := len(p.Routes); n != 1+DefaultMaxRoutes+1 || p.Routes[n-1].Dest.Bits() != 0 {
		t.Errorf("%d routes, the last is %v", n, p.Routes[n-1])
	}
	if len(p.Refused) != 1 || p.Refused[0].What != "44 routes of option 121" || !strings.Contains(p.Refused[0].Why, "--max-routes") {
		t.Errorf("refused %+v", p.Refused)
	}
}

func TestEverythingInAPlanHasAReason(t *testing.T) {
	l := fullLease()
	l.Search, l.Broadcast = []string{"lab.example.com"}, netip.MustParseAddr("192.0.2.255")
	p := PlanFor(l, Options{MTU: true, Metric: 5})
	var got []string
	for _, r := range p.Reasons {
		got = append(got, fmt.Sprintf("%s %s: %s", r.Kind, r.What, r.From))
	}
	want := []string{
		"address 192.0.2.77/24: yiaddr and option 1 (subnet-mask)",
		"address brd 192.0.2.255: option 28 (broadcast-address)",
		"route 192.0.2.0/24 src 192.0.2.77 metric 5: option 1 (subnet-mask)",
		"route 10.0.0.0/8 via 192.0.2.2 src 192.0.2.77 metric 5: option 121 (classless-static-routes)",
		"route 198.51.100.1/32 src 192.0.2.77 metric 5: option 121 (classless-static-routes)",
		"route default via 198.51.100.1 src 192.0.2.77 metric 5: option 121 (classless-static-routes)",
		"route 10.9.0.0/16 src 192.0.2.77 metric 5: option 121 (classless-static-routes)",
		"mtu 1400: option 26 (interface-mtu)",
		"name server 192.0.2.53: option 6 (domain-name-servers)",
		"domain example.com: option 15 (domain-name)",
		"domain lab.example.com: option 119 (domain-search)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("reasons\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, r := range p.Routes {
		if !slices.ContainsFunc(p.Reasons, func(why Reason) bool { return why.Kind == KindRoute && why.What == r.String() }) {
			t.Errorf("nothing says why there is %v", r)
		}
	}
}

func TestWhatIsKnownAndNotFollowedIsTold(t *testing.T) {
	l := testLease(func(l *lease.Lease) {
		l.MaskDerived = true
		l.MSRoutes = []dhcp4.Route{route("10.0.0.0/8", "192.0.2.2")}
		l.Broadcast = netip.MustParseAddr("198.51.100.255")
		l.Options.Put(dhcp4.IPForwarding.Code, []byte{1})
		l.Options.Put(dhcp4.DefaultTTL.Code, []byte{2})
		l.Options.Put(dhcp4.InterfaceMTU.Code, []byte{0, 0})
	})
	var got []string
	p := PlanFor(l, Options{MTU: true})
	for _, r := range p.Refused {
		got = append(got, fmt.Sprintf("%d %s", r.Option, r.What))
	}
	want := []string{"28 broadcast address 198.51.100.255", "249 option 249", "26 MTU 0000", "19 option 19 (ip-forwarding)", "23 option 23 (default-ip-ttl)"}
	if !slices.Equal(got, want) {
		t.Errorf("refused %q, want %q", got, want)
	}
	if from := p.Reasons[0].From; from != "yiaddr, and its class" || p.Reasons[0].Options != nil {
		t.Errorf("the address is from %+v", p.Reasons[0])
	}
}
