package netconf

import (
	"fmt"
	"net/netip"
)

// A RoutePolicy says which of the routes that a server sends are followed. The
// zero RoutePolicy follows all but those that make no sense.
//
// A server on a hostile network, or another host that answers first, can send
// routes that are narrower than those of a tunnel, and so pull its traffic out
// (CVE-2024-3661, "TunnelVision"). With FollowDefault nothing that a server
// sends is narrower than a default route, but for the link's own subnet, whose
// width is bounded by Widest, and which Deny can refuse. routes.md beside this
// file tells what each policy protects from.
//
// 0.0.0.0/0 in Allow or Deny is the default route, and nothing else.
type RoutePolicy struct {
	Follow RouteSet

	// Allow are prefixes; destinations within one are followed whatever
	// Follow says, also link-local ones if the prefix is link-local itself.
	Allow []netip.Prefix
	// Deny are prefixes; a destination that overlaps one is not followed,
	// whatever else says so. That goes for the link's own subnet too.
	Deny []netip.Prefix

	Max    int // so many routes, a default route not counted; 0: DefaultMaxRoutes
	Widest int // the shortest length of prefix at which the own subnet gets a route; 0: DefaultWidest
}

// RouteSet names routes that a server may send.
type RouteSet string

// The sets.
const (
	FollowAll     RouteSet = "all" // also the zero RouteSet
	FollowDefault RouteSet = "default"
	FollowNone    RouteSet = "none"
)

// What holds where a [RoutePolicy] says nothing. No network that is in use has
// a subnet wider than the widest that there are for one organization.
const (
	DefaultMaxRoutes = 256
	DefaultWidest    = 8
)

func (r RoutePolicy) limit() int {
	if r.Max == 0 {
		return DefaultMaxRoutes
	}
	return r.Max
}

// refusal says why no route to d is followed; "" if it is.
func (r RoutePolicy) refusal(d netip.Prefix) string {
	if d.Bits() == 0 {
		return r.refusalOfDefault()
	}
	if why := r.denied(d); why != "" {
		return why
	}
	within, what := special(d)
	switch {
	case what != "" && within != linkLocal:
		return fmt.Sprintf("within %v (%s)", within, what)
	case r.allows(d):
		return ""
	case r.Follow == FollowNone:
		return "no routes are followed (--routes none)"
	case r.Follow == FollowDefault:
		return "only a default route is followed (--routes default)"
	case what != "":
		return fmt.Sprintf("within %v (%s; --allow-route %v lets it in)", within, what, d)
	}
	return ""
}

func (r RoutePolicy) refusalOfDefault() string {
	for _, p := range r.Deny {
		if p.Bits() == 0 {
			return "the default route is denied (--deny-route)"
		}
	}
	if r.Follow == FollowNone && !r.allows(netip.PrefixFrom(netip.IPv4Unspecified(), 0)) {
		return "no routes are followed (--routes none)"
	}
	return ""
}

// refusalOfSubnet says why there is no route to the address's own subnet; ""
// if there is.
func (r RoutePolicy) refusalOfSubnet(d netip.Prefix) string {
	widest := r.Widest
	if widest == 0 {
		widest = DefaultWidest
	}
	if d.Bits() < widest {
		return fmt.Sprintf("wider than /%d: it would pull much of the Internet to this link (--widest-subnet)", widest)
	}
	return r.denied(d)
}

// denied says which denied prefix d overlaps.
func (r RoutePolicy) denied(d netip.Prefix) string {
	for _, p := range r.Deny {
		if p.Bits() > 0 && p.Overlaps(d) {
			return fmt.Sprintf("%v is denied (--deny-route)", p)
		}
	}
	return ""
}

// allows reports whether d is allowed by name.
func (r RoutePolicy) allows(d netip.Prefix) bool {
	_, what := special(d)
	for _, p := range r.Allow {
		if (p.Bits() > 0 || d.Bits() == 0) && covers(p, d) && (what == "" || covers(linkLocal, p)) {
			return true
		}
	}
	return false
}

// covers reports whether all of d is within p.
func covers(p, d netip.Prefix) bool { return p.Bits() <= d.Bits() && p.Contains(d.Addr()) }

var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

// The destinations that no server has a say in.
var forbidden = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{linkLocal, "link-local"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
	{netip.MustParsePrefix("224.0.0.0/3"), "multicast and reserved"},
}

// special says which of them d is within.
func special(d netip.Prefix) (within netip.Prefix, what string) {
	for _, f := range forbidden {
		if covers(f.prefix, d) {
			return f.prefix, f.what
		}
	}
	return netip.Prefix{}, ""
}
