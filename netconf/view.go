package netconf

import (
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// A view is what the kernel has of a link's configuration, sorted by whose it
// is. The record alone does not say what is there: somebody may have taken it
// away, or a process may have died between the record and the kernel.
type view struct {
	addrs   []kernelAddr // IPv4, ours and others'
	ours    []Address    // those of them that are ours
	routes  []Route      // ours, those by a gateway last: they need the others
	foreign []kernelRoute
}

// look asks the kernel what it has. Of routes that are not ours only those
// that stand in the way of want are told.
func (h *Host) look(want []Route) (v view, err error) {
	all, err := h.kernel.addrs()
	if err != nil {
		return v, fmt.Errorf("list addresses: %w", explain(err))
	}
	for _, a := range all {
		if !a.Prefix.Addr().Is4() {
			continue
		}
		v.addrs = append(v.addrs, a)
		if h.owns(a) {
			v.ours = append(v.ours, h.address(a))
		}
	}
	others := func(k key) bool { return slices.ContainsFunc(want, func(r Route) bool { return r.key() == k }) }
	routes, err := h.kernel.routes(others)
	if err != nil {
		return v, fmt.Errorf("list routes: %w", explain(err))
	}
	var byGateway []Route
	for _, r := range routes {
		switch {
		case h.ownsRoute(v, r) && r.Gateway.IsValid():
			byGateway = append(byGateway, r.Route)
		case h.ownsRoute(v, r):
			v.routes = append(v.routes, r.Route)
		case others(r.key()):
			v.foreign = append(v.foreign, r)
		}
	}
	v.routes = append(v.routes, byGateway...)
	return v, nil
}

// owns reports whether an address is ours. One that carries our marks is, also
// without a record: that may have been lost. Kernels before 5.18 keep only half
// of the marks, and the record must say the rest.
func (h *Host) owns(a kernelAddr) bool {
	if a.Flags&unix.IFA_F_NOPREFIXROUTE == 0 {
		return false
	}
	named := func(r Address) bool { return r.Prefix == a.Prefix && r.Until.IsZero() == (a.Valid == 0) }
	return a.Proto == protoDHCP || a.Proto == 0 && slices.ContainsFunc(h.record.Addresses, named)
}

// ownsRoute reports whether a route is ours: it carries our mark, and the
// record names it, or its source is an address of ours. Other programs mark
// routes in the same way.
func (h *Host) ownsRoute(v view, r kernelRoute) bool {
	if r.proto != protoDHCP || !r.here || !r.plain {
		return false
	}
	source := func(a Address) bool { return a.Prefix.Addr() == r.Src }
	return slices.Contains(h.record.Routes, r.Route) || slices.ContainsFunc(v.ours, source) || slices.ContainsFunc(h.record.Addresses, source)
}

// address is a in the words of a plan, so that it can be put back as it was.
func (h *Host) address(a kernelAddr) Address {
	out := Address{Prefix: a.Prefix, Broadcast: a.Broadcast}
	if a.Valid > 0 {
		out.Until = h.cfg.Now().Add(a.Valid)
	}
	return out
}

// has returns the address p, whoever's it is.
func (v view) has(p netip.Prefix) (kernelAddr, bool) {
	i := slices.IndexFunc(v.addrs, func(a kernelAddr) bool { return a.Prefix == p })
	if i < 0 {
		return kernelAddr{}, false
	}
	return v.addrs[i], true
}

// blocked returns the route of somebody else that stands where r should.
func (v view) blocked(r Route) (kernelRoute, bool) {
	i := slices.IndexFunc(v.foreign, func(f kernelRoute) bool { return f.key() == r.key() })
	if i < 0 {
		return kernelRoute{}, false
	}
	return v.foreign[i], true
}

// displaced are the addresses that go with p: where it is the first of its
// subnet, the kernel takes all later ones of that subnet away as well, unless
// promote_secondaries is set.
func (v view) displaced(p netip.Prefix) (out []kernelAddr) {
	first, ok := v.has(p)
	if !ok || first.Flags&unix.IFA_F_SECONDARY != 0 {
		return nil
	}
	for _, a := range v.addrs {
		if a.Flags&unix.IFA_F_SECONDARY != 0 && a.Prefix.Masked() == p.Masked() && !slices.ContainsFunc(v.ours, func(o Address) bool { return o.Prefix == a.Prefix }) {
			out = append(out, a)
		}
	}
	return out
}
