package netconf

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// A planner is a plan in the making.
type planner struct {
	Plan
	lease    lease.Lease
	options  Options
	metric   int
	table    int
	received int      // routes that the server sent and that are followed, the default route aside
	sources  []source // of the routes
}

// A source is a part of a lease.
type source struct {
	text  string
	codes []dhcp4.Code
}

// option is one option of the lease. It and the next ones are called a dozen
// times, and inlined they would be a tenth of this package's code.
//
//go:noinline
func option(c dhcp4.Code) source {
	return source{fmt.Sprintf("option %d (%v)", uint8(c), c), []dhcp4.Code{c}}
}

//go:noinline
func (p *planner) refuse(code dhcp4.Code, what, why string) {
	p.Refused = append(p.Refused, Refusal{What: what, Why: why, Option: code})
}

//go:noinline
func (p *planner) because(kind Kind, what any, from source) {
	p.Reasons = append(p.Reasons, Reason{Kind: kind, What: fmt.Sprint(what), From: from.text, Options: from.codes})
}

// subnet plans the route to the address's own subnet, which comes with the
// address rather than as a route. What a server may pull to the link by a short
// mask is bounded all the same.
func (p *planner) subnet() {
	own := p.lease.Addr
	if own.Bits() == 32 {
		return
	}
	from := option(dhcp4.SubnetMask.Code)
	if p.lease.MaskDerived {
		from = source{text: "the address's class"}
	}
	if why := p.options.Received.refusalOfSubnet(own.Masked()); why != "" {
		p.refuse(dhcp4.SubnetMask.Code, fmt.Sprintf("subnet %v", own.Masked()), why)
		return
	}
	p.add(Route{Dest: own.Masked(), Src: own.Addr()}, from)
}

// routes decides which of the lists counts (RFC 3442): with a valid option 121
// there is neither 33 nor 3.
func (p *planner) routes() {
	l := p.lease
	ms := dhcp4.MSRoutes.Code
	switch {
	case len(l.ClasslessRoutes) > 0:
		if len(l.MSRoutes) > 0 {
			p.refuse(ms, fmt.Sprintf("option %d", uint8(ms)), "option 121 says the same in the standard's words")
		}
		p.list(dhcp4.ClasslessRoutes.Code, l.ClasslessRoutes)
		if len(l.Routers) > 0 || len(l.StaticRoutes) > 0 {
			p.refuse(dhcp4.Routers.Code, "options 3 and 33", "option 121 replaces them (RFC 3442)")
		}
		return
	case len(l.MSRoutes) > 0 && p.options.MSRoutes:
		p.list(ms, l.MSRoutes)
		if len(l.Routers) > 0 || len(l.StaticRoutes) > 0 {
			p.refuse(dhcp4.Routers.Code, "options 3 and 33", "option 249 replaces them, as 121 would")
		}
		return
	case len(l.MSRoutes) > 0:
		p.refuse(ms, fmt.Sprintf("option %d", uint8(ms)), "it is no standard's (--ms-routes follows it)")
	}
	p.list(dhcp4.StaticRoutes.Code, l.StaticRoutes)
	p.routers()
}

// routers plans a default route by the first router that can be one.
func (p *planner) routers() {
	code := dhcp4.Routers.Code
	refuse := func(gw netip.Addr, why string) { p.refuse(code, fmt.Sprintf("router %v", gw), why) }
	everywhere := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	taken := false
	for _, gw := range p.lease.Routers {
		why := p.options.Received.refusal(everywhere)
		if why == "" {
			why = p.badGateway(gw)
		}
		if why == "" && taken {
			why = "there is one default route, by the first router"
		}
		if why != "" {
			refuse(gw, why)
			continue
		}
		p.via(everywhere, gw, option(code))
		taken = true
	}
}

// list adds routes that a server sent.
func (p *planner) list(code dhcp4.Code, routes []dhcp4.Route) {
	refuse := func(r dhcp4.Route, why string) {
		p.refuse(code, fmt.Sprintf("route %v of option %d", r, uint8(code)), why)
	}
	tooMany := 0
	for _, r := range routes {
		why := p.badRoute(r)
		switch {
		case why != "":
			refuse(r, why)
		case r.Dest.Bits() > 0 && p.received >= p.options.Received.limit():
			tooMany++
		case r.Gateway.IsUnspecified():
			p.count(p.add(Route{Dest: r.Dest, Src: p.lease.Addr.Addr()}, option(code)), r)
		default:
			p.count(p.via(r.Dest, r.Gateway, option(code)), r)
		}
	}
	if tooMany > 0 {
		p.refuse(code, fmt.Sprintf("%d routes of option %d", tooMany, uint8(code)), fmt.Sprintf("more than %d (--max-routes)", p.options.Received.limit()))
	}
}

// count counts a route that was added. The default route is not one of many,
// and has its place wherever it stands in the list.
func (p *planner) count(added bool, r dhcp4.Route) {
	if added && r.Dest.Bits() > 0 {
		p.received++
	}
}

// badRoute says why a route is not followed; "" if it is.
func (p *planner) badRoute(r dhcp4.Route) string {
	own := p.lease.Addr
	why := p.options.Received.refusal(r.Dest)
	switch {
	case p.hasSubnet() && r.Dest == own.Masked() && r.Gateway.IsUnspecified():
		return "" // the very route that is there anyway
	case why != "":
		return why
	case r.Dest == netip.PrefixFrom(own.Addr(), 32):
		return "it is this host's own address"
	case p.hasSubnet() && covers(own.Masked(), r.Dest) && !p.options.Received.allows(r.Dest):
		return fmt.Sprintf("within the link's own subnet %v (--allow-route %v lets it in)", own.Masked(), r.Dest)
	case !r.Gateway.IsUnspecified():
		return p.badGateway(r.Gateway)
	}
	return ""
}

// hasSubnet reports whether there is a route to the address's own subnet.
func (p *planner) hasSubnet() bool {
	return len(p.Routes) > 0 && p.Routes[0].Dest == p.lease.Addr.Masked() && !p.Routes[0].Gateway.IsValid()
}

// via adds a route by a gateway. A gateway beyond the lease's prefix, as
// clouds with /32 leases have it, gets a route of its own first, unless nobody
// may have one there: anchor has another way for those.
func (p *planner) via(dest netip.Prefix, gw netip.Addr, from source) bool {
	src := p.lease.Addr.Addr()
	host := netip.PrefixFrom(gw, 32)
	if !(p.hasSubnet() && p.lease.Addr.Contains(gw)) && p.options.Received.refusal(host) == "" {
		p.add(Route{Dest: host, Src: src}, from)
	}
	return p.add(Route{Dest: dest, Gateway: gw, Src: src}, from)
}

// add adds a route once, and reports whether it is new.
func (p *planner) add(r Route, from source) bool {
	r.Metric, r.Table = p.metric, p.table
	for _, have := range p.Routes {
		if have.Dest == r.Dest {
			if have != r {
				p.refuse(first(from.codes), fmt.Sprintf("route %v", r), fmt.Sprintf("%v comes first", have))
			}
			return false
		}
	}
	p.Routes, p.sources = append(p.Routes, r), append(p.sources, from)
	return true
}

// settle gives the routes the form that the kernel takes, and tells where they
// are from.
func (p *planner) settle() {
	anchor(p.Routes)
	for i, r := range p.Routes {
		if slices.Contains(p.options.found.blocked, r) { // the plan is to have it, once there is room
			p.refuse(first(p.sources[i].codes), fmt.Sprintf("route %v", r), "another route to the same place is there already, and is left alone (--metric makes room for both)")
			continue
		}
		p.because(KindRoute, r, p.sources[i])
	}
}

func first(codes []dhcp4.Code) dhcp4.Code {
	if len(codes) == 0 {
		return 0
	}
	return codes[0]
}

func (p *planner) badGateway(gw netip.Addr) string {
	own := p.lease.Addr
	switch {
	case !gw.Is4() || gw.IsUnspecified():
		return "no address of a router"
	case gw == own.Addr():
		return "the router is this host's own address"
	case gw.IsMulticast() || gw.IsLoopback() || gw.As4()[0] == 0 || gw.As4()[0] >= 240:
		return "no address of a router"
	case own.Bits() < 31 && (gw == own.Masked().Addr() || gw == lastOf(own) || gw == p.Address.Broadcast):
		return "the router's address is the subnet's or its broadcast address"
	}
	return ""
}

// lastOf is the address of p with all host bits set.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}
