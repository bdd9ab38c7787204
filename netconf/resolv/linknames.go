package resolv

import (
	"net/netip"
	"slices"
	"strings"
)

// linkNames is what systemd-resolved has of names for a link.
type linkNames struct {
	Servers []linkServer `json:"servers,omitempty"`
	Domains []linkDomain `json:"domains,omitempty"`

	// Default is whether the link answers for all names, as it stands, and
	// Set what somebody has said of that: "yes", "no", or "" for nobody.
	Default bool   `json:"-"`
	Set     string `json:"default,omitempty"`
}

// A linkServer is a name server. Port and Name may be 0 and "".
type linkServer struct {
	Addr netip.Addr `json:"address"`
	Port uint16     `json:"port,omitempty"`
	Name string     `json:"name,omitempty"` // that its certificate must be for
}

// A linkDomain is a domain to search, or only one whose names the link answers
// for.
type linkDomain struct {
	Name  string `json:"name"`
	Route bool   `json:"route_only,omitempty"`
}

// linkModes are the other settings that a link has there, by the names of the
// properties, and that a revert takes along.
type linkModes map[string]string

// The properties; the methods that set them are called SetLink….
const (
	modeOverTLS  = "DNSOverTLS"
	modeNegative = "DNSSECNegativeTrustAnchors" // a list; here with spaces
)

func modeNames() []string {
	return []string{"LLMNR", "MulticastDNS", modeOverTLS, "DNSSEC", modeNegative}
}

// isZero reports whether there are neither servers nor domains.
func (n linkNames) isZero() bool { return len(n.Servers) == 0 && len(n.Domains) == 0 }

// equal compares servers and domains. Whether the link answers for all names
// follows from other links too.
func (n linkNames) equal(o linkNames) bool {
	return slices.Equal(n.Servers, o.Servers) && sameDomains(n.Domains, o.Domains)
}

func sameDomains(a, b []linkDomain) bool {
	return slices.EqualFunc(a, b, func(a, b linkDomain) bool { return strings.EqualFold(a.Name, b.Name) && a.Route == b.Route })
}

// isOurs reports whether now is what we have set, last or before that, or what
// a process that died left on its way there: it sets servers, then domains.
func (e *entry) isOurs(now linkNames) bool {
	if now.equal(e.Before) || now.isZero() {
		return false
	}
	ways := []linkNames{e.Ours, e.Former, e.Before, {}}
	servers := func(n linkNames) bool { return slices.Equal(now.Servers, n.Servers) }
	domains := func(n linkNames) bool { return sameDomains(now.Domains, n.Domains) }
	return slices.ContainsFunc(ways, servers) && slices.ContainsFunc(ways, domains)
}

// leave notes what somebody has set in the place of ours. Whether the link
// answers for all names may still be our word.
func (e *entry) leave(now linkNames) {
	if e.Routed {
		now.Set = e.Before.Set
	}
	e.Before = now
}

// want notes what we are about to set.
func (e *entry) want(n linkNames) {
	if !n.equal(e.Ours) {
		e.Former, e.Ours = e.Ours, n
	}
}

// namesOf is what systemd-resolved is to have for c. Whether names are asked by
// TLS is the operator's to say, never the network's: only where he did are the
// resolvers of option 162 used, and where he allows nothing else no others are
// used beside them (RFC 9463, section 7.3).
func namesOf(c Config, overTLS string) (n linkNames) {
	add := func(s linkServer) {
		if !slices.ContainsFunc(n.Servers, func(have linkServer) bool { return have.Addr == s.Addr }) {
			n.Servers = append(n.Servers, s)
		}
	}
	if overTLS == "yes" || overTLS == "opportunistic" {
		for _, e := range c.Encrypted {
			for _, a := range e.Addrs {
				add(linkServer{a, e.Port, strings.TrimSuffix(e.Name, ".")})
			}
		}
	}
	if overTLS != "yes" || len(n.Servers) == 0 {
		for _, a := range c.Servers {
			add(linkServer{Addr: a})
		}
	}
	for _, d := range c.search() {
		n.Domains = append(n.Domains, linkDomain{Name: d})
	}
	return n
}
