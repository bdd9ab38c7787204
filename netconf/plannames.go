package netconf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/netconf/resolv"
)

// overTLS is DNS over TLS among the protocols of option 162: what local
// resolvers take.
const overTLS = "dot"

// names plans what the resolver is told of the lease. Encrypted resolvers that
// are known by name only are left out: looking them up would ask those in clear
// that they are to replace. What the resolver makes of it is known once it was
// told, and told again with each renewal.
func (p *planner) names() {
	l := p.lease
	c := resolv.Config{Servers: l.DNS, Domain: l.Domain, Search: l.Search, Metric: p.metric}
	for _, r := range l.Encrypted {
		if r.Speaks(overTLS) && len(r.Addrs) > 0 {
			c.Encrypted = append(c.Encrypted, resolv.Encrypted{Name: r.Name, Addrs: r.Addrs, Port: r.Port})
			continue
		}
		p.refuse(dhcp4.EncryptedDNS.Code, "encrypted resolver "+r.Name, "it has no address, or no DNS over TLS")
	}
	p.Resolv = c
	spared := p.options.found.names.spared(c)
	p.Refused = append(p.Refused, spared...)
	because := func(kind Kind, what any, code dhcp4.Code) {
		if !slices.ContainsFunc(spared, func(r Refusal) bool { return r.Option == code }) {
			p.because(kind, what, option(code))
		}
	}
	for _, s := range l.DNS {
		because(KindServer, s, dhcp4.DNS.Code)
	}
	if l.Domain != "" {
		because(KindDomain, l.Domain, dhcp4.DomainName.Code)
	}
	for _, s := range l.Search {
		because(KindDomain, s, dhcp4.DomainSearch.Code)
	}
	if r := p.options.found.names; r != nil {
		for _, e := range c.Encrypted {
			because(KindServer, e.Name, dhcp4.EncryptedDNS.Code)
		}
		p.because(KindResolver, r.name, source{text: r.why})
	}
}

// spared tells what of c the resolver does not do, and why.
func (r *resolver) spared(c resolv.Config) (out []Refusal) {
	if r == nil {
		return nil
	}
	why := func(code dhcp4.Code, what, why string) {
		if r.left != "" {
			why = r.left
		}
		if why != "" {
			out = append(out, Refusal{What: what, Why: why, Option: code})
		}
	}
	if len(c.Servers) > 0 {
		why(dhcp4.DNS.Code, "name servers "+listed(c.Servers), r.plain)
	}
	if c.Domain != "" {
		why(dhcp4.DomainName.Code, "domain "+c.Domain, "")
	}
	if len(c.Search) > 0 {
		why(dhcp4.DomainSearch.Code, "domains "+listed(c.Search), "")
	}
	for _, e := range c.Encrypted {
		why(dhcp4.EncryptedDNS.Code, "encrypted resolver "+e.Name, r.encrypted)
	}
	return out
}

// listed are values in one text.
func listed[T any](values []T) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ", "), "[]")
}
