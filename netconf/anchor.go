package netconf

import "net/netip"

// anchor marks the routes whose gateway is on the link without a route that
// says so: the kernel takes those with "onlink" only. A gateway gets no route
// of its own where the policy refuses one, because that would pull traffic to
// that address to the link, and a server chooses the address; nor where
// somebody else's stands in its place. Others are routes of the same table and
// link that are not ours.
func anchor(routes []Route, others ...Route) {
	all := append(routes[:len(routes):len(routes)], others...)
	for i, r := range routes {
		if r.Gateway.IsValid() {
			routes[i].OnLink = !reaches(all, r.Gateway)
		}
	}
}

// reaches reports whether the kernel finds gw on the link by these routes: the
// longest prefix decides.
func reaches(routes []Route, gw netip.Addr) (direct bool) {
	longest := -1
	for _, r := range routes {
		if r.Dest.Contains(gw) && r.Dest.Bits() > longest {
			longest, direct = r.Dest.Bits(), !r.Gateway.IsValid()
		}
	}
	return direct
}
