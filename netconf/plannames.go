package netconf

import (
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/netconf/resolv"
)

// overTLS is DNS over TLS among the protocols of option 162: what local
// resolvers take.
const overTLS = "dot"

// names plans what the resolver is told of the lease. Encrypted resolvers that
// are known by name only are left out: looking them up would ask those in clear
// that they are to replace.
func (p *planner) names() {
	l := p.lease
	c := resolv.Config{Servers: l.DNS, Domain: l.Domain, Search: l.Search, Metric: p.metric}
	for _, s := range l.DNS {
		p.because(KindServer, s, option(dhcp4.DNS.Code))
	}
	if l.Domain != "" {
		p.because(KindDomain, l.Domain, option(dhcp4.DomainName.Code))
	}
	for _, s := range l.Search {
		p.because(KindDomain, s, option(dhcp4.DomainSearch.Code))
	}
	for _, r := range l.Encrypted {
		if r.Speaks(overTLS) && len(r.Addrs) > 0 {
			c.Encrypted = append(c.Encrypted, resolv.Encrypted{Name: r.Name, Addrs: r.Addrs, Port: r.Port})
			continue
		}
		p.refuse(dhcp4.EncryptedDNS.Code, "encrypted resolver "+r.Name, "it has no address, or no DNS over TLS")
	}
	p.Resolv = c
}
