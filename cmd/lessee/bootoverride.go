package main

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/cmd/lessee/kernelargs"
)

// A bootPolicy is what the kernel's command line makes of options, in the making.
// Of one option it wins over the file, and a flag over both; what they say of
// others stays.
type bootPolicy struct {
	policy lease.Policy // of file and flags, to begin with
	flags  lease.Policy // of flags alone
	words  map[overriding]string
}

// An overriding is one way to override one option.
type overriding struct {
	how  lease.How
	code dhcp4.Code
}

// override has the settings of a link do what the kernel's command line says of
// the options that a server sends.
func (b *boot) override(s *settings, asked kernelargs.Link) {
	flags, err := (&config.File{}).Link(s.link, b.flags)
	if err != nil {
		return // they were told of with the file
	}
	p := bootPolicy{s.conf.Policy, flags.Policy, map[overriding]string{}}
	if b.args.NoPeerDNS {
		for _, c := range [...]dhcp4.Code{dhcp4.DNS.Code, dhcp4.DomainName.Code, dhcp4.DomainSearch.Code} {
			p.without(c, "rd.peerdns=0")
		}
	}
	word := "ip="
	if len(asked.NameServers) == 0 {
		word = "nameserver="
	} else if len(b.args.NameServers) > 0 {
		word += " and nameserver="
	}
	p.prepend(dhcp4.DNS, slices.Concat(asked.NameServers, b.args.NameServers), word)
	p.prepend(dhcp4.NTPServers, asked.TimeServers, "ip=")
	if asked.MTU != 0 {
		p.mtu(asked.MTU, "ip=")
	}
	s.conf.Policy, s.atBoot = p.policy, p.words
}

// without uses nothing of what a server says in an option.
func (p *bootPolicy) without(c dhcp4.Code, word string) {
	if _, there := p.policy.Supersede.Lookup(c); !there { // else nothing of it is used in any case
		p.policy.Supersede.Put(c, nil)
		p.said(lease.Supersede, c, word)
	}
}

// prepend puts servers before what a server says.
func (p *bootPolicy) prepend(o dhcp4.Option[[]netip.Addr], servers []netip.Addr, word string) {
	_, byFlag := p.flags.Prepend.Lookup(o.Code)
	_, instead := p.flags.Supersede.Lookup(o.Code)
	if !byFlag && !instead && len(servers) > 0 && o.Put(&p.policy.Prepend, servers) == nil {
		p.said(lease.Prepend, o.Code, word)
	}
}

// mtu sets the link's MTU, whatever a server says.
func (p *bootPolicy) mtu(bytes int, word string) {
	o := dhcp4.InterfaceMTU
	if _, byFlag := p.flags.Supersede.Lookup(o.Code); !byFlag && o.Put(&p.policy.Supersede, uint16(bytes)) == nil {
		p.said(lease.Supersede, o.Code, word)
	}
}

func (p *bootPolicy) said(how lease.How, c dhcp4.Code, word string) {
	p.words[overriding{how, c}] = word + " on the kernel's command line"
}
