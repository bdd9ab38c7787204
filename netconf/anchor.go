package netconf

// anchor marks the routes whose gateway is on the link without a route that
// says so: the kernel takes those with "onlink" only. A gateway gets no route
// of its own where the policy refuses one, because that would pull traffic to
// that address to the link, and a server chooses the address; nor where
// somebody else's stands in its place. Others are routes by the same link that
// are not ours.
func anchor(routes []Route, others ...Route) {
	all := append(routes[:len(routes):len(routes)], others...)
	for i, r := range routes {
		if r.Gateway.IsValid() {
			routes[i].OnLink = !reaches(all, r)
		}
	}
}

// reaches reports whether the kernel finds the gateway of one route on the link
// by all of them: the longest prefix decides.
func reaches(routes []Route, one Route) (direct bool) {
	longest := -1
	for _, r := range routes {
		if r.Table == one.Table && r.Dest.Contains(one.Gateway) && r.Dest.Bits() > longest {
			longest, direct = r.Dest.Bits(), !r.Gateway.IsValid()
		}
	}
	return direct
}
