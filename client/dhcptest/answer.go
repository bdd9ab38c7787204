package dhcptest

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// answer is the handler behind all rules: the protocol as RFC 2131, section
// 4.3 has it.
func (s *Server) answer(x *Exchange) []Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.config = s.config // a rule may have changed it
	if gi := x.Request.GIAddr; isSet(gi) && !s.config.Prefix.Contains(gi) {
		return nil // a relay on a network that is not ours
	}
	switch x.Request.Type() {
	case dhcp4.Discover:
		return s.discover(x)
	case dhcp4.Request:
		return s.request(x)
	case dhcp4.Decline:
		s.decline(x)
	case dhcp4.Release:
		s.release(x)
	case dhcp4.Inform:
		// The client has its address already: no yiaddr, no times (RFC
		// 2131, section 4.3.5).
		if isSet(x.Request.CIAddr) {
			return []Reply{x.Reply(dhcp4.ACK)}
		}
	}
	return nil
}

func isSet(a netip.Addr) bool { return a.IsValid() && !a.IsUnspecified() }

func (s *Server) discover(x *Exchange) []Reply {
	addr, ok := s.pool.choose(&s.config, x.Request, x.Now)
	if !ok {
		return nil
	}
	if _, err := dhcp4.RapidCommit.Get(x.Request.Options); err == nil && s.config.RapidCommit {
		r := s.grant(x, addr)
		r.Message.Options.Put(dhcp4.RapidCommit.Code, nil)
		return []Reply{r}
	}
	b := s.pool.byClient[clientKey(x.Request)]
	if b == nil || b.addr != addr || !b.granted || !b.active(x.Now) {
		// A lease that still runs is not cut down to an offer.
		s.pool.bind(x.Request, addr, false, x.Now.Add(s.config.OfferHold))
	}
	return []Reply{x.lease(dhcp4.Offer, addr)}
}

// request tells the states of a client apart by what it fills in (RFC 2131,
// section 4.3.2, table 4).
func (s *Server) request(x *Exchange) []Reply {
	asked, err := dhcp4.RequestedAddr.Get(x.Request.Options)
	server, selecting := x.serverAsked()
	switch {
	case selecting && server != s.config.ID:
		s.pool.withdrawOffer(x.Request)
		return nil
	case selecting && err == nil:
		return s.selected(x, asked)
	case selecting:
		return nil // no address asked for
	case isSet(x.Request.CIAddr): // RENEWING or REBINDING
		return s.verify(x, x.Request.CIAddr)
	case err == nil: // INIT-REBOOT
		return s.verify(x, asked)
	}
	return nil
}

// selected answers a client that has chosen our offer. An offer that has
// expired since is good as long as nobody else has the address.
func (s *Server) selected(x *Exchange, addr netip.Addr) []Reply {
	fixed := s.config.Fixed[x.Request.CHAddr.String()] == addr && !s.pool.bad[addr]
	if fixed || s.pool.available(&s.config, addr, clientKey(x.Request), x.Now) {
		return []Reply{s.grant(x, addr)}
	}
	return []Reply{x.NAK("address not available")}
}

// verify answers a client that believes it has an address.
func (s *Server) verify(x *Exchange, addr netip.Addr) []Reply {
	b := s.pool.record(x.Request)
	switch {
	case !s.config.Prefix.Contains(addr):
		return []Reply{x.NAK("wrong network")}
	case b == nil && s.config.Authoritative:
		return []Reply{x.NAK("unknown client")}
	case b == nil: // "it MUST remain silent": another server may know it
		return nil
	case b.addr != addr:
		return []Reply{x.NAK("wrong address")}
	}
	return []Reply{s.grant(x, addr)}
}

// grant commits a lease and returns the DHCPACK for it.
func (s *Server) grant(x *Exchange, addr netip.Addr) Reply {
	var until time.Time
	if d, finite := x.leaseTime().Duration(); finite {
		until = x.Now.Add(d)
	}
	s.pool.bind(x.Request, addr, true, until)
	return x.lease(dhcp4.ACK, addr)
}

// decline takes an address out of the pool because its client found it in use,
// unless it is another client's (RFC 2131, section 4.3.3).
func (s *Server) decline(x *Exchange) {
	addr, err := dhcp4.RequestedAddr.Get(x.Request.Options)
	b := s.pool.byAddr[addr]
	if err != nil || !x.namesUs() || !s.config.Prefix.Contains(addr) ||
		(b != nil && b.client != clientKey(x.Request) && b.active(x.Now)) {
		return
	}
	s.pool.drop(b)
	s.pool.bad[addr] = true
}

// release ends a lease; which address the client had is remembered (RFC 2131,
// section 4.3.4).
func (s *Server) release(x *Exchange) {
	if b := s.pool.record(x.Request); b != nil && x.namesUs() && b.addr == x.Request.CIAddr {
		b.granted, b.until = false, x.Now
	}
}
