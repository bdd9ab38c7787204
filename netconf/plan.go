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
// but the MTU, option 249, time servers and time zone, and the host name on a
// host without a name only.
type Options struct {
	Metric   int         // of all routes; AutoMetric: by the link, see Config.OptionsOn
	Table    int         // of all routes; 0: main; AutoTable: by the link
	Received RoutePolicy // which of the routes that a server sends are followed
	MTU      bool        // follow option 26
	MSRoutes bool        // follow option 249 if option 121 is absent

	SourceRouting SourceRouting

	HostName    Accept // options 12 and 81
	TimeServers Accept // option 42; AcceptAuto is AcceptNever
	TimeZone    Accept // option 101; AcceptAuto is AcceptNever

	Source Source // what SourceRouting comes to, as [Host.Apply] finds out

	found findings
	whole *whole // the host beside the link; nil: nothing is known of it
}

// findings are what configuring a link has shown, for the next plan and for
// people.
type findings struct {
	badMTU    int       // that the link does not take
	othersMTU int       // that somebody else has set after us; 0: nobody has
	blocked   []Route   // in whose place somebody else's stand
	contested string    // what is missing, and is not put back; "": nothing
	networkd  string    // the file by which systemd-networkd configures the link too; "": it does not
	names     *resolver // nil: nobody was told of names
}

// A Plan is what a host should hold for a lease.
type Plan struct {
	Address Address
	Routes  []Route // in the order in which they can be added
	Rules   []Rule
	MTU     int // bytes; 0 leaves it alone
	Resolv  resolv.Config
	Whole   Whole

	// ARPFilter: the link answers ARP for its own address only, by the
	// sysctl net.ipv4.conf.LINK.arp_filter.
	ARPFilter bool

	Reasons []Reason  // which option put each of these there
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
	OnLink  bool         `json:"onlink,omitempty"` // the gateway is on the link, though no route says so
	Src     netip.Addr   `json:"source"`           // preferred source
	Metric  int          `json:"metric,omitempty"`
	Table   int          `json:"table,omitempty"` // 0: main
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
	if r.OnLink {
		text += " onlink"
	}
	text += " src " + r.Src.String()
	if r.Metric != 0 {
		text += fmt.Sprintf(" metric %d", r.Metric)
	}
	if r.Table != 0 {
		text += fmt.Sprintf(" table %d", r.Table)
	}
	return text
}

// A Reason says which part of a lease put something into a [Plan].
type Reason struct {
	Kind Kind
	What string // "192.0.2.7/24", "default via 192.0.2.1 src 192.0.2.7", "1400", "192.0.2.53"
	From string // "option 3 (routers)", "yiaddr and option 1 (subnet-mask)"

	// Options are the codes of the options that From names, the one that
	// decided first; none for the header of the message.
	Options []dhcp4.Code
}

// Kind is what sort of thing a [Reason] is about.
type Kind string

// The kinds.
const (
	KindLink    Kind = "link"
	KindAddress Kind = "address"
	KindRoute   Kind = "route"
	KindRule    Kind = "rule"
	KindSysctl  Kind = "sysctl"
	KindMTU     Kind = "mtu"
	KindServer  Kind = "name server"
	KindDomain  Kind = "domain" // one that names are searched in

	KindResolver Kind = "resolver" // who is told of both, and in From why he

	KindHost       Kind = "host" // one of the following, of a [Step]
	KindHostName   Kind = "host name"
	KindTimeServer Kind = "time server"
	KindTimeZone   Kind = "time zone"
)

// A Refusal is something in a lease that is not followed.
type Refusal struct {
	What, Why string
	Option    dhcp4.Code // where it stood
}

// minMTU is what every host must take (RFC 791). Less breaks hosts rather than
// helps them.
const minMTU = 576

// PlanFor returns what a host should hold for l. It knows no link, so an
// [AutoMetric] that nobody has resolved is 0, an [AutoTable] the main table, and
// there is source routing only if Source says where.
func PlanFor(l lease.Lease, o Options) Plan {
	p := &planner{lease: l, options: o, metric: max(o.Metric, 0), table: max(o.Table, 0)}
	p.address()
	p.subnet()
	p.routes()
	p.settle()
	p.bySource()
	p.mtu()
	p.whole()
	p.names()
	p.ignored()
	if o.found.contested != "" {
		p.refuse(0, o.found.contested, errContested.Error()+", and it stays so until the lease is renewed")
	}
	if o.found.networkd != "" {
		p.refuse(0, "the link for lessee alone", withNetworkd(o.found.networkd))
	}
	return p.Plan
}

// address plans the address.
func (p *planner) address() {
	l := p.lease
	p.Address = Address{Prefix: l.Addr, Until: l.Expiry}
	from := source{text: "yiaddr, and its class", codes: nil}
	if !l.MaskDerived {
		from = option(dhcp4.SubnetMask.Code)
		from.text = "yiaddr and " + from.text
	}
	p.because(KindAddress, l.Addr, from)
	switch b := l.Broadcast; {
	case !b.IsValid():
	case l.Addr.Contains(b) && l.Addr.Bits() < 31 && b != l.Addr.Addr():
		p.Address.Broadcast = b
		p.because(KindAddress, fmt.Sprintf("brd %v", b), option(dhcp4.Broadcast.Code))
	default:
		p.refuse(dhcp4.Broadcast.Code, fmt.Sprintf("broadcast address %v", b), fmt.Sprintf("it is none of %v", l.Addr))
	}
}

// mtu plans the MTU.
func (p *planner) mtu() {
	code := dhcp4.InterfaceMTU.Code
	bytes, sent := p.lease.Options.Lookup(code)
	switch mtu := p.lease.MTU; {
	case mtu == 0 && sent:
		p.refuse(code, fmt.Sprintf("MTU %x", bytes), "no link has such an MTU (RFC 2132, section 5.1)")
	case mtu == 0:
	case !p.options.MTU:
		p.refuse(code, fmt.Sprintf("MTU %d", mtu), "the operator keeps the link's own")
	case mtu < minMTU:
		p.refuse(code, fmt.Sprintf("MTU %d", mtu), fmt.Sprintf("below %d it breaks more than it helps", minMTU))
	case mtu == p.options.found.badMTU:
		p.refuse(code, fmt.Sprintf("MTU %d", mtu), "the link does not take it")
	case p.options.found.othersMTU != 0 && p.options.found.othersMTU != mtu:
		p.refuse(code, fmt.Sprintf("MTU %d", mtu), fmt.Sprintf("somebody else has set it to %d since", p.options.found.othersMTU))
	default:
		p.MTU = mtu
		p.because(KindMTU, mtu, option(code))
	}
}

// Steps returns the plan as commands that would have the same effect on a host
// that has nothing of it yet, for people to read. [Host.Difference] tells what
// is to be done on this one.
func (p Plan) Steps(link string) (out []string) {
	life := ""
	if !p.Address.Until.IsZero() {
		life = " until " + p.Address.Until.Local().Format(time.DateTime)
	}
	out = append(out, fmt.Sprintf("ip address add %v dev %s noprefixroute%s", p.Address.Prefix, link, life))
	for _, r := range p.Routes {
		out = append(out, fmt.Sprintf("ip route add %v dev %s proto dhcp", r, link))
	}
	for _, r := range p.Rules {
		out = append(out, fmt.Sprintf("ip rule add %v protocol dhcp", r))
	}
	if p.ARPFilter {
		out = append(out, "sysctl "+sysctlText(link, arpFilter))
	}
	if p.MTU != 0 {
		out = append(out, fmt.Sprintf("ip link set %s mtu %d", link, p.MTU))
	}
	if !p.Resolv.IsZero() {
		for _, s := range p.Resolv.Servers {
			out = append(out, fmt.Sprintf("name server %v", s))
		}
	}
	return append(out, p.Whole.steps()...)
}
