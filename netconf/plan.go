package netconf

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/netconf/resolv"
)

// Options are what the operator wants of a lease. The zero Options follow all
// but the MTU and option 249.
type Options struct {
	Metric   int  // of all routes; AutoMetric: by the link, see Config.OptionsOn
	MTU      bool // follow option 26
	MSRoutes bool // follow option 249 if option 121 is absent
}

// A Plan is what a host should hold for a lease.
type Plan struct {
	Address Address
	Routes  []Route // in the order in which they can be added
	MTU     int     // bytes; 0 leaves it alone
	Resolv  resolv.Config
	Refused []Refusal // what of the lease is not followed
}

// An Address is an address on the link.
type Address struct {
	Prefix    netip.Prefix `json:"prefix"`
	Broadcast netip.Addr   `json:"broadcast,omitzero"` // the zero Addr: none, or as the prefix says
	Until     time.Time    `json:"until,omitzero"`     // on the lease's clock; the zero Time: for ever
}

// A Route is one route by the link.
type Route struct {
	Dest    netip.Prefix `json:"destination"`
	Gateway netip.Addr   `json:"gateway,omitzero"` // the zero Addr: on the link
	Src     netip.Addr   `json:"source"`           // preferred source
	Metric  int          `json:"metric,omitempty"`
}

// String returns the route as ip-route(8) takes it, less the device.
func (r Route) String() string {
	text := r.Dest.String()
	if r.Dest.Bits() == 0 {
		text = "default"
	}
	if r.Gateway.IsValid() {
		text += " via " + r.Gateway.String()
	}
	text += " src " + r.Src.String()
	if r.Metric != 0 {
		text += fmt.Sprintf(" metric %d", r.Metric)
	}
	return text
}

// A Refusal is something in a lease that is not followed.
type Refusal struct{ What, Why string }

// Limits. A server has no good reason for more, and the kernel must not fill.
const (
	maxRoutes = 256
	minMTU    = 576 // RFC 791: what every host must take; less breaks hosts rather than helps them
)

// PlanFor returns what a host should hold for l. It knows no link, so an
// [AutoMetric] that nobody has resolved is 0.
func PlanFor(l lease.Lease, o Options) Plan {
	p := &planner{lease: l, options: o, metric: max(o.Metric, 0)}
	addr := l.Addr.Addr()
	p.Address = Address{Prefix: l.Addr, Until: l.Expiry}
	if l.Broadcast.IsValid() && l.Addr.Contains(l.Broadcast) && l.Addr.Bits() < 31 {
		p.Address.Broadcast = l.Broadcast
	}
	if l.Addr.Bits() < 32 {
		p.add(Route{Dest: l.Addr.Masked(), Src: addr})
	}
	p.routes()
	p.mtu()
	p.Resolv = p.names()
	return p.Plan
}

// A planner is a plan in the making.
type planner struct {
	Plan
	lease   lease.Lease
	options Options
	metric  int
}

func (p *planner) refuse(what any, why string) {
	p.Refused = append(p.Refused, Refusal{fmt.Sprint(what), why})
}

// routes decides which of the lists counts (RFC 3442): with a valid option 121
// there is neither 33 nor 3.
func (p *planner) routes() {
	l := p.lease
	switch {
	case len(l.ClasslessRoutes) > 0:
		p.list("option 121", l.ClasslessRoutes)
		if len(l.Routers) > 0 || len(l.StaticRoutes) > 0 {
			p.refuse("options 3 and 33", "option 121 replaces them (RFC 3442)")
		}
		return
	case len(l.MSRoutes) > 0 && p.options.MSRoutes:
		p.list("option 249", l.MSRoutes)
		return
	}
	p.list("option 33", l.StaticRoutes)
	for i, gw := range l.Routers {
		if why := p.badGateway(gw); why != "" {
			p.refuse(fmt.Sprintf("router %v", gw), why)
			continue
		}
		p.via(netip.PrefixFrom(netip.IPv4Unspecified(), 0), gw)
		for _, more := range l.Routers[i+1:] {
			p.refuse(fmt.Sprintf("router %v", more), "there is one default route, by the first router")
		}
		return
	}
}

// list adds routes that a server sent.
func (p *planner) list(option string, routes []dhcp4.Route) {
	for i, r := range routes {
		if len(p.Routes) >= maxRoutes {
			p.refuse(fmt.Sprintf("%d routes of %s", len(routes)-i, option), fmt.Sprintf("more than %d", maxRoutes))
			return
		}
		why := badDest(r.Dest)
		if why == "" && !r.Gateway.IsUnspecified() {
			why = p.badGateway(r.Gateway)
		}
		switch {
		case why != "":
			p.refuse(fmt.Sprintf("route %v of %s", r, option), why)
		case r.Gateway.IsUnspecified():
			p.add(Route{Dest: r.Dest, Src: p.lease.Addr.Addr()})
		default:
			p.via(r.Dest, r.Gateway)
		}
	}
}

// via adds a route by a gateway. A gateway beyond the lease's prefix, as
// clouds with /32 leases have it, gets a route of its own first.
func (p *planner) via(dest netip.Prefix, gw netip.Addr) {
	src := p.lease.Addr.Addr()
	if p.lease.Addr.Bits() == 32 || !p.lease.Addr.Contains(gw) {
		p.add(Route{Dest: netip.PrefixFrom(gw, 32), Src: src})
	}
	p.add(Route{Dest: dest, Gateway: gw, Src: src})
}

// add adds a route once.
func (p *planner) add(r Route) {
	r.Metric = p.metric
	for _, have := range p.Routes {
		if have.Dest == r.Dest {
			if have != r {
				p.refuse(fmt.Sprintf("route %v", r), fmt.Sprintf("%v comes first", have))
			}
			return
		}
	}
	p.Routes = append(p.Routes, r)
}

// The destinations that no server has a say in.
var forbidden = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
}

func badDest(d netip.Prefix) string {
	for _, f := range forbidden {
		// The metadata servers of clouds are link-local hosts.
		if d.Bits() >= f.prefix.Bits() && f.prefix.Contains(d.Addr()) && !(f.what == "link-local" && d.Bits() == 32) {
			return "within " + f.prefix.String() + " (" + f.what + ")"
		}
	}
	return ""
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

func (p *planner) mtu() {
	switch mtu := p.lease.MTU; {
	case mtu == 0:
	case !p.options.MTU:
		p.refuse(fmt.Sprintf("MTU %d", mtu), "the operator keeps the link's own")
	case mtu < minMTU:
		p.refuse(fmt.Sprintf("MTU %d", mtu), fmt.Sprintf("below %d it breaks more than it helps", minMTU))
	default:
		p.MTU = mtu
	}
}

// Steps returns the plan as commands that would have the same effect, for
// people to read.
func (p Plan) Steps(link string) (out []string) {
	life := ""
	if !p.Address.Until.IsZero() {
		life = " until " + p.Address.Until.Local().Format(time.DateTime)
	}
	out = append(out, fmt.Sprintf("ip address add %v dev %s noprefixroute%s", p.Address.Prefix, link, life))
	for _, r := range p.Routes {
		out = append(out, fmt.Sprintf("ip route add %v dev %s proto dhcp", r, link))
	}
	if p.MTU != 0 {
		out = append(out, fmt.Sprintf("ip link set %s mtu %d", link, p.MTU))
	}
	if !p.Resolv.IsZero() {
		for _, s := range p.Resolv.Servers {
			out = append(out, fmt.Sprintf("name server %v", s))
		}
	}
	return out
}
