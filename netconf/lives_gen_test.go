package netconf

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

func pick1[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// some are a few of several.
func some[T any](r *rand.Rand, of ...T) (out []T) {
	for _, v := range of {
		if r.IntN(2) == 0 {
			out = append(out, v)
		}
	}
	return out
}

func (l *life) newLease() lease.Lease {
	r := l.rand
	out := lease.Lease{
		Addr: netip.MustParsePrefix(pick1(r, "192.0.2.77/24", "192.0.2.78/24", "192.0.2.77/25", "192.0.2.77/32", "198.51.100.7/24", "10.0.0.5/8", "10.0.0.5/3", "203.0.113.9/31")),
		MTU:  pick1(r, 0, 68, 575, 576, 1300, 1400, 65535),
	}
	if r.IntN(4) > 0 {
		out.Expiry = time.Now().Add(time.Duration(1+r.IntN(100)) * time.Hour)
	}
	for _, a := range some(r, "192.0.2.1", "10.0.0.1", "198.51.100.1", "224.0.0.1", out.Addr.Addr().String()) {
		out.Routers = append(out.Routers, netip.MustParseAddr(a))
	}
	routes := some(r,
		route("10.0.0.0/8", "192.0.2.2"), route("10.9.0.0/16", "0.0.0.0"), route("172.16.0.0/12", "198.51.100.1"), route("0.0.0.0/1", "192.0.2.1"),
		route("198.51.100.1/32", "192.0.2.9"), route("0.0.0.0/0", "192.0.2.1"), route("127.0.0.0/8", "192.0.2.1"), route("169.254.169.254/32", "192.0.2.1"),
		route("192.0.2.128/25", "192.0.2.1"), route("203.0.113.0/24", "203.0.113.8"))
	switch r.IntN(3) {
	case 0:
		out.ClasslessRoutes = routes
	case 1:
		out.StaticRoutes = slices.DeleteFunc(routes, func(r dhcp4.Route) bool { return r.Dest.Bits() == 0 || r.Gateway.IsUnspecified() })
	}
	if r.IntN(2) == 0 {
		out.DNS = []netip.Addr{netip.MustParseAddr(pick1(r, "192.0.2.53", "10.0.0.53"))}
	}
	return out
}

func (l *life) newOptions() Options {
	r := l.rand
	return Options{
		Metric: pick1(r, 0, 50, AutoMetric), Table: pick1(r, 0, AutoTable, 100), MTU: r.IntN(2) == 0,
		SourceRouting: pick1(r, SourceOff, SourceAuto, SourceOn),
		Received:      RoutePolicy{Follow: pick1(r, FollowAll, FollowDefault, FollowNone), Deny: some(r, netip.MustParsePrefix("10.9.3.0/24"))},
	}
}
