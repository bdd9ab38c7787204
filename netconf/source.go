package netconf

import (
	"net/netip"
	"slices"
)

// SourceRouting says whether what a link's address sends leaves by that link.
type SourceRouting string

// The ways. Several links on one subnet have several routes to it, and the
// kernel uses one of them for all: answers leave by another link than questions
// came in by, and each link answers ARP for the addresses of all. With source
// routing the link's routes are in a table of their own as well, a rule sends
// packets from its address there, and its arp_filter is set, so that the link
// answers for what leaves by it. Of two links both must do so: SourceAuto is
// decided by each Apply, and [Link].Touched says when another address has come.
// A link that belongs to a VRF needs none of it.
const (
	SourceOff  SourceRouting = "off"  // also the zero SourceRouting
	SourceAuto SourceRouting = "auto" // where another link has an address of the same subnet
	SourceOn   SourceRouting = "on"
)

// Source is the table and the priority of a link's rule; the zero Source is
// none.
type Source struct{ Table, Priority int }

// The numbers of tables and priorities. A number that somebody else uses is
// passed over.
//
//	tables      6800000 + index of the link, then 1000000 more, …
//	priorities  20000 + index modulo 10000, then the next, …, to 29999
const (
	sourceTables     = 6800000
	sourceStride     = 1000000 // more than there are indexes
	sourceTries      = 16
	sourcePriorities = 20000
	sourceWidth      = 10000
)

// isOwnTable reports whether a table's number is one of those for this link.
func (h *Host) isOwnTable(table int) bool {
	n := table - sourceTables - h.record.Index
	return n >= 0 && n%sourceStride == 0 && n/sourceStride < sourceTries
}

// indexOfTable is the index of the link that a table is for; 0 for none.
func indexOfTable(table int) int {
	if n := table - sourceTables; n > 0 && n/sourceStride < sourceTries {
		return n % sourceStride
	}
	return 0
}

// chooseSource returns numbers that nobody else uses, or none.
func (h *Host) chooseSource(rules []kernelRule, routes []kernelRoute) Source {
	table, priority := 0, 0
	for i := range sourceTries {
		t := sourceTables + h.record.Index + i*sourceStride
		usedBy := func(r kernelRule) bool { return r.Table == t && !h.ownsRule(r) }
		holds := func(r kernelRoute) bool { return r.Table == t && !(r.here && r.plain && r.proto == protoDHCP) }
		if !slices.ContainsFunc(rules, usedBy) && !slices.ContainsFunc(routes, holds) {
			table = t
			break
		}
	}
	for i := range sourceWidth {
		p := sourcePriorities + (h.record.Index+i)%sourceWidth
		if !slices.ContainsFunc(rules, func(r kernelRule) bool { return r.Priority == p && !h.ownsRule(r) }) {
			priority = p
			break
		}
	}
	if table == 0 || priority == 0 {
		return Source{}
	}
	return Source{table, priority}
}

// sharesSubnet reports whether another link has an address in the subnet of
// own, and own is in its.
func (h *Host) sharesSubnet(own netip.Prefix) (bool, error) {
	others, err := h.kernel.elsewhere()
	return slices.ContainsFunc(others, func(o netip.Prefix) bool { return sameSubnet(own, o) }), err
}

// bySource plans a second set of the routes, in the link's own table, and the
// rule that leads there.
func (p *planner) bySource() {
	s := p.options.Source
	if s == (Source{}) {
		return
	}
	why := source{text: "the setting source-routing"}
	if s.Table != p.table {
		for _, r := range slices.Clone(p.Routes) {
			r.Table = s.Table
			p.Routes = append(p.Routes, r)
			p.because(KindRoute, r, why)
		}
	}
	rule := Rule{From: p.lease.Addr.Addr(), Table: s.Table, Priority: s.Priority}
	p.Rules = append(p.Rules, rule)
	p.because(KindRule, rule, why)
	p.ARPFilter = true
	p.because(KindSysctl, "arp_filter", why)
}
