package dhcptest

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// Config says what a server knows of its network. The zero Config serves
// 192.0.2.0/24 (RFC 5737) as 192.0.2.1, with leases of an hour.
type Config struct {
	// ID is the server identifier and the address that replies come from.
	// Default: the first host address of Prefix.
	ID netip.Addr

	// Prefix is the network: addresses outside of it are refused, and its
	// length is the subnet mask. Default: 192.0.2.0/24.
	Prefix netip.Prefix

	// First and Last are the ends of the pool. Default: all host
	// addresses of Prefix; ID is never given away.
	First, Last netip.Addr

	// Fixed are the addresses that belong to one client each, by its
	// hardware address as [dhcp4.HardwareAddr.String] writes it. They
	// may lie outside of the pool.
	Fixed map[string]netip.Addr

	// Options are what clients get if they ask for it in their parameter
	// request list; a client that sends no list gets all. The subnet mask
	// comes from Prefix unless it is here too.
	Options dhcp4.Options

	// ForceOptions sends all Options to everybody, asked for or not.
	ForceOptions bool

	// LeaseTime is the longest lease that is granted; a client that asks
	// for less gets less. Default: 3600 seconds.
	LeaseTime dhcp4.Lifetime

	// T1 and T2 are sent if they are not 0, whatever their values are.
	T1, T2 dhcp4.Lifetime

	// Authoritative servers refuse (NAK) clients they have never heard of.
	// Others say nothing to them, as RFC 2131, section 4.3.2 demands.
	Authoritative bool

	// RapidCommit answers a DHCPDISCOVER that has option 80 with a DHCPACK
	// (RFC 4039).
	RapidCommit bool

	// OmitClientID leaves the client identifier out of replies, as was
	// the rule before RFC 6842.
	OmitClientID bool

	// OfferHold is how long an offered address waits for its
	// DHCPREQUEST. Default: a minute.
	OfferHold time.Duration
}

// withDefaults returns the configuration with nothing left open.
func (c Config) withDefaults() (Config, error) {
	if !c.Prefix.IsValid() {
		c.Prefix = netip.MustParsePrefix("192.0.2.0/24")
	}
	c.Prefix = c.Prefix.Masked()
	if !c.Prefix.Addr().Is4() || c.Prefix.Bits() > 30 {
		return c, fmt.Errorf("dhcptest: prefix %v: want an IPv4 network of /30 or larger", c.Prefix)
	}
	first, last := hosts(c.Prefix)
	setDefault(&c.ID, first)
	setDefault(&c.First, first)
	setDefault(&c.Last, last)
	switch {
	case !c.ID.Is4():
		return c, fmt.Errorf("dhcptest: server identifier %v is not IPv4", c.ID)
	case !c.Prefix.Contains(c.First), !c.Prefix.Contains(c.Last), c.Last.Less(c.First):
		return c, fmt.Errorf("dhcptest: pool %v to %v does not lie in %v", c.First, c.Last, c.Prefix)
	}
	if c.LeaseTime == 0 {
		c.LeaseTime = 3600
	}
	if c.OfferHold == 0 {
		c.OfferHold = time.Minute
	}
	return c, nil
}

func setDefault(a *netip.Addr, def netip.Addr) {
	if !a.IsValid() {
		*a = def
	}
}

// hosts returns the first and the last address of p that a host may have.
func hosts(p netip.Prefix) (first, last netip.Addr) {
	return p.Addr().Next(), directedBroadcast(p).Prev()
}

// directedBroadcast returns the last address of p.
func directedBroadcast(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// MustOptions returns options written as on lessee's command line, such as
// "routers=192.0.2.1" and "domain-name-servers=192.0.2.53,192.0.2.54". It is
// for tests, and panics if a name or a value makes no sense.
func MustOptions(settings ...string) dhcp4.Options {
	var out dhcp4.Options
	for _, s := range settings {
		name, text, _ := strings.Cut(s, "=")
		spec, ok := dhcp4.ByName(name)
		if !ok {
			panic(fmt.Sprintf("dhcptest: no option is named %q", name))
		}
		v, err := spec.Parse(text)
		if err != nil {
			panic("dhcptest: " + err.Error())
		}
		out.Put(spec.OptionCode(), v)
	}
	return out
}
