package machine

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// An Offer is one DHCPOFFER and what became of it.
type Offer struct {
	Message *dhcp4.Message
	Server  netip.Addr   // server identifier; the zero Addr if it was missing
	Addr    netip.Prefix // yiaddr with the length of its mask; /32 if the offer is no use
	Lease   lease.Lease  // what a DHCPACK like this offer would grant; zero if it would not
	At      time.Time    // when it came
	Chosen  bool
	Why     string // why it lost; empty if it was chosen
}

// String is the offer in a line: "192.0.2.77/24 from 192.0.2.1", and why it
// lost.
func (o Offer) String() string {
	server := "an unnamed server"
	if o.Server.IsValid() {
		server = o.Server.String()
	}
	text := fmt.Sprintf("%v from %s", o.Addr, server)
	if o.Why != "" {
		text += ": " + o.Why
	}
	return text
}

// is reports whether two offers say the same.
func (o Offer) is(other Offer) bool {
	same := func(a, b dhcp4.RawOption) bool { return a.Code == b.Code && string(a.Value) == string(b.Value) }
	return o.Server == other.Server && o.Addr == other.Addr && slices.EqualFunc(o.Message.Options, other.Message.Options, same)
}

// offerWait is how long offers are collected from the first acceptable one.
func (m *Machine) offerWait() time.Duration {
	if m.cfg.OfferWait != AutoOfferWait {
		return m.cfg.OfferWait
	}
	if m.former.addr.IsValid() || m.cfg.RequestAddr.IsValid() {
		return autoOfferWait
	}
	return 0
}

// surveyWait is how long a survey lasts. The slow servers are those that ping
// an address before they offer it: ISC dhcpd takes 1 s, dnsmasq up to 3 s.
func (m *Machine) surveyWait() time.Duration {
	if m.cfg.OfferWait > 0 {
		return m.cfg.OfferWait
	}
	return 4 * time.Second
}

// wanted is the address to wish for: what the user asked for, else the former
// one. It is invalid if there is none, or if another host was seen using it.
func (m *Machine) wanted() netip.Addr {
	a := m.former.addr
	if m.cfg.RequestAddr.IsValid() {
		a = m.cfg.RequestAddr
	}
	if m.avoid[a] {
		return netip.Addr{}
	}
	return a
}

// unbeatable reports whether no other offer can win against o, so that
// waiting for more is in vain.
func (m *Machine) unbeatable(o Offer) bool {
	if o.Addr.Addr() != m.wanted() || m.blame[o.Server] >= declineLimit {
		return false
	}
	if o.Server == m.former.server {
		return true
	}
	return !m.former.server.IsValid() && m.cfg.OfferWait == AutoOfferWait
}

// judge reads an offer; a reason says that it is no candidate, and Why says
// so to people.
func (m *Machine) judge(msg *dhcp4.Message) (Offer, Reason) {
	o := Offer{Message: msg, At: m.now, Addr: netip.PrefixFrom(msg.YIAddr, 32)}
	var err error
	if o.Server, err = lease.Server(msg); err != nil {
		o.Why = err.Error()
		return o, NoServerID
	}
	if o.Lease, _, err = lease.FromACK(msg, m.now); err == nil {
		o.Addr = o.Lease.Addr
	}
	if o.Why = m.serverRefused(o.Server); o.Why != "" {
		return o, ServerNotAllowed
	}
	if err != nil {
		o.Why = err.Error()
		return o, BadLease
	}
	if o.Why = m.lacks(msg.Options); o.Why != "" {
		return o, LacksOption
	}
	return o, ""
}

// lacks tells which option that the user requires is not there, if so.
func (m *Machine) lacks(o dhcp4.Options) string {
	for _, c := range m.cfg.Require {
		if err := required(o, c); err != nil {
			return fmt.Sprintf("required option %d (%v): %v", c, c, err)
		}
	}
	return ""
}

// required tells why option c is not there, or not to be read.
func required(o dhcp4.Options, c dhcp4.Code) error {
	v, ok := o.Lookup(c)
	if !ok {
		return errors.New("absent")
	}
	if spec, known := dhcp4.ByCode(c); known {
		_, err := spec.Value(v)
		return err
	}
	return nil
}

// serverRefused tells why the user does not want this server, if so.
func (m *Machine) serverRefused(server netip.Addr) string {
	within := func(p netip.Prefix) bool { return p.Contains(server) }
	switch {
	case slices.ContainsFunc(m.cfg.Deny, within):
		return "server refused by the user"
	case len(m.cfg.Allow) > 0 && !slices.ContainsFunc(m.cfg.Allow, within):
		return "server not among those allowed"
	}
	return ""
}

// criteria compare two acceptable offers, the weightiest first. The last ones
// make the order total, so that the result does not depend on the order of
// arrival.
var criteria = []struct {
	rank func(*Machine, Offer) int64 // higher wins
	lost string                      // what is said of the loser
}{
	{func(m *Machine, o Offer) int64 { return -truth(m.blame[o.Server] >= declineLimit) },
		"its server keeps offering addresses that are in use"},
	{func(m *Machine, o Offer) int64 { return -truth(m.avoid[o.Addr.Addr()]) },
		"its address was in use by another host a while ago"},
	{func(m *Machine, o Offer) int64 { return truth(o.Addr.Addr() == m.wanted()) },
		"another offer has the wished address"},
	{func(m *Machine, o Offer) int64 { return truth(o.Server == m.former.server) },
		"another offer comes from the former server"},
	{func(_ *Machine, o Offer) int64 { return -ordinal(o.Server) },
		"equal otherwise: the lowest server identifier wins"},
	{func(_ *Machine, o Offer) int64 { return -ordinal(o.Addr.Addr()) },
		"its server made another offer, of a lower address"},
}

// weigh marks the best acceptable offer, gives every other a reason for its
// loss, and returns the best one's index, or -1.
func (m *Machine) weigh() int {
	best := -1
	for i, o := range m.offers {
		if o.Why == "" && (best < 0 || m.compare(o, m.offers[best]) > 0) {
			best = i
		}
	}
	for i := range m.offers {
		o := &m.offers[i]
		switch {
		case i == best:
			o.Chosen = true
		case o.Why == "":
			o.Why = m.whyLost(*o, m.offers[best])
		}
	}
	return best
}

// compare is positive if a is better than b.
func (m *Machine) compare(a, b Offer) int {
	for _, c := range criteria {
		if d := cmp.Compare(c.rank(m, a), c.rank(m, b)); d != 0 {
			return d
		}
	}
	return 0
}

// whyLost is the first criterion by which o loses to best.
func (m *Machine) whyLost(o, best Offer) string {
	for _, c := range criteria {
		if c.rank(m, o) < c.rank(m, best) {
			return c.lost
		}
	}
	return "its server offers that address with other options, too"
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// ordinal is an IPv4 address as a number.
func ordinal(a netip.Addr) int64 {
	b := a.As4()
	return int64(b[0])<<24 | int64(b[1])<<16 | int64(b[2])<<8 | int64(b[3])
}
