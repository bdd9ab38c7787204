package dhcptest

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// A binding is what the server remembers of one client.
type binding struct {
	client   string // see clientKey
	hardware dhcp4.HardwareAddr
	addr     netip.Addr
	granted  bool      // a lease, not only an offer
	until    time.Time // zero: for ever
}

func (b *binding) active(now time.Time) bool { return b.until.IsZero() || now.Before(b.until) }

// A pool is the server's book: who has which address, one for each client.
type pool struct {
	byAddr   map[netip.Addr]*binding
	byClient map[string]*binding
	bad      map[netip.Addr]bool // declined
}

func newPool() pool {
	return pool{map[netip.Addr]*binding{}, map[string]*binding{}, map[netip.Addr]bool{}}
}

// clientKey is how a server tells clients apart: by the client identifier, or
// the hardware address of those that send none (RFC 2131, section 4.2).
func clientKey(req *dhcp4.Message) string {
	if id, err := dhcp4.ClientIdentifier.Get(req.Options); err == nil {
		return "id " + id.String()
	}
	return "hw " + dhcp4.HardwareClientID(req.HType, req.CHAddr).String()
}

// choose returns the address to offer, by the order of preference of RFC 2131,
// section 4.3.1: what the client has or had, what it asks for, a new one; or
// no address.
func (p *pool) choose(c *Config, req *dhcp4.Message, now time.Time) (netip.Addr, bool) {
	if a, ok := c.Fixed[req.CHAddr.String()]; ok {
		return a, !p.bad[a]
	}
	key := clientKey(req)
	if b := p.byClient[key]; b != nil && p.available(c, b.addr, key, now) {
		return b.addr, true
	}
	if a, err := dhcp4.RequestedAddr.Get(req.Options); err == nil && p.available(c, a, key, now) {
		return a, true
	}
	var reused netip.Addr
	for a := c.First; !c.Last.Less(a); a = a.Next() {
		switch {
		case !p.available(c, a, key, now):
		case p.byAddr[a] == nil:
			return a, true
		case !reused.IsValid():
			reused = a // somebody had it: only if there is no other
		}
	}
	return reused, reused.IsValid()
}

// available says whether a client may have an address of the pool.
func (p *pool) available(c *Config, a netip.Addr, key string, now time.Time) bool {
	if a.Less(c.First) || c.Last.Less(a) || a == c.ID || p.bad[a] {
		return false
	}
	for _, fixed := range c.Fixed {
		if a == fixed {
			return false
		}
	}
	b := p.byAddr[a]
	return b == nil || b.client == key || !b.active(now)
}

// bind writes into the book that the client of req has a until then.
func (p *pool) bind(req *dhcp4.Message, a netip.Addr, granted bool, until time.Time) {
	key := clientKey(req)
	p.drop(p.byAddr[a])
	p.drop(p.byClient[key])
	b := &binding{key, req.CHAddr, a, granted, until}
	p.byAddr[a], p.byClient[key] = b, b
}

func (p *pool) drop(b *binding) {
	if b != nil {
		delete(p.byAddr, b.addr)
		delete(p.byClient, b.client)
	}
}

// record returns what is known of a client that once had a lease, or nil.
func (p *pool) record(req *dhcp4.Message) *binding {
	if b := p.byClient[clientKey(req)]; b != nil && b.granted {
		return b
	}
	return nil
}

// withdrawOffer takes back what was offered to a client that chose another
// server.
func (p *pool) withdrawOffer(req *dhcp4.Message) {
	if b := p.byClient[clientKey(req)]; b != nil && !b.granted {
		p.drop(b)
	}
}
