package netconf

import (
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/lease"
)

// A view is what the kernel has of a link's configuration, sorted by whose it
// is. The record alone does not say what is there: somebody may have taken it
// away, or a process may have died between the record and the kernel.
type view struct {
	addrs   []kernelAddr // IPv4, ours and others'
	ours    []Address    // those of them that are ours
	routes  []Route      // ours, those by a gateway last: they need the others
	foreign []kernelRoute

	rules    []Rule // ours
	allRules []kernelRule
}

// survey looks at the host, and plans for it as it is.
func (h *Host) survey(l lease.Lease) (p Plan, v view, err error) {
	o := h.Options()
	o.Source, o.found = Source{}, findings{} // what was refused is not asked for again, and what was set before stays
	if h.cfg.Table == AutoTable || h.cfg.SourceRouting == SourceAuto || h.cfg.SourceRouting == SourceOn {
		now, err := h.kernel.now()
		if err != nil {
			return p, v, fmt.Errorf("look at the link: %w", explain(err))
		}
		o.Table = h.cfg.tableOf(now)
		h.inVRF = now.vrf != 0
	}
	p = PlanFor(l, o)
	all, err := h.look(&v, p.Routes)
	if err != nil {
		return p, v, err
	}
	if o.Source, err = h.source(l.Addr, o.Table, v, all); err != nil {
		return p, v, err
	}
	if o.Source != (Source{}) {
		p = PlanFor(l, o)
	}
	h.decide(o)
	v.sort(h, all, p.Routes)
	return p, v, nil
}

// source decides whether there is source routing, and by what numbers. A VRF
// has rules of its own.
func (h *Host) source(own netip.Prefix, table int, v view, routes []kernelRoute) (s Source, err error) {
	on := h.cfg.SourceRouting == SourceOn
	if h.cfg.SourceRouting == SourceAuto && table == 0 {
		if on, err = h.sharesSubnet(own); err != nil {
			return s, fmt.Errorf("list the addresses of other links: %w", explain(err))
		}
	}
	if !on || h.inVRF {
		return s, nil
	}
	s = h.chooseSource(v.allRules, routes)
	if s == (Source{}) && h.news(toldSource, "none") {
		h.cfg.Log.Warn("no table and priority are free for source routing", "link", h.link)
	}
	if s != (Source{}) && table != 0 {
		s.Table = table
	}
	return s, nil
}

// look asks the kernel what it has. Of routes it returns those by the link, and
// others that may be in the way of want or of source routing; sort sorts them.
func (h *Host) look(v *view, want []Route) ([]kernelRoute, error) {
	all, err := h.kernel.addrs()
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", explain(err))
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
	if v.allRules, err = h.rules(); err != nil {
		return nil, err
	}
	for _, r := range v.allRules {
		if h.ownsRule(r) {
			v.rules = append(v.rules, r.Rule)
		}
	}
	routes, err := h.kernel.routes(func(r kernelRoute) bool {
		sameKey := func(w Route) bool { return w.Dest == r.Dest && w.Metric == r.Metric }
		return r.here || h.isOwnTable(r.Table) || slices.ContainsFunc(want, sameKey)
	})
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", explain(err))
	}
	return routes, nil
}

// sort sorts routes into ours and those that stand in the way of want.
func (v *view) sort(h *Host, routes []kernelRoute, want []Route) {
	for _, byGateway := range []bool{false, true} {
		for _, r := range routes {
			if h.ownsRoute(*v, r) && r.Gateway.IsValid() == byGateway {
				v.routes = append(v.routes, r.Route)
			}
		}
	}
	for _, r := range routes {
		if slices.ContainsFunc(want, func(w Route) bool { return w.key() == r.key() }) && !h.ownsRoute(*v, r) {
			v.foreign = append(v.foreign, r)
		}
	}
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
// record names it, or its source is an address of ours, or its table is one that
// only this link of ours uses. Other programs mark routes in the same way.
func (h *Host) ownsRoute(v view, r kernelRoute) bool {
	if r.proto != protoDHCP || !r.here || !r.plain {
		return false
	}
	source := func(a Address) bool { return a.Prefix.Addr() == r.Src }
	return slices.Contains(h.record.Routes, r.Route) || h.isOwnTable(r.Table) || slices.ContainsFunc(v.ours, source) || slices.ContainsFunc(h.record.Addresses, source)
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
