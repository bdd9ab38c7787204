package netconf

import "github.com/lessee/lessee/netconf/resolv"

// overTLS is DNS over TLS among the protocols of option 162: what local
// resolvers take.
const overTLS = "dot"

// names is what the resolver is told of the lease. Encrypted resolvers that are
// known by name only are left out: looking them up would ask those in clear
// that they are to replace.
func (p *planner) names() resolv.Config {
	l := p.lease
	c := resolv.Config{Servers: l.DNS, Domain: l.Domain, Search: l.Search, Metric: p.metric}
	for _, r := range l.Encrypted {
		if r.Speaks(overTLS) && len(r.Addrs) > 0 {
			c.Encrypted = append(c.Encrypted, resolv.Encrypted{Name: r.Name, Addrs: r.Addrs, Port: r.Port})
		}
	}
	return c
}
