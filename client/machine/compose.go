package machine

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// send puts a message on its way.
func (m *Machine) send(msg *dhcp4.Message, to netip.Addr) {
	m.emit(Send{Message: msg, To: to})
}

// giveUp forgets a lease and tells its server by msg that it is ours no more.
// In this order, because we may be killed in between: a next start that knows
// of no lease asks for one, but one that remembers what was given up would use
// it, and the server be silent.
func (m *Machine) giveUp(msg *dhcp4.Message, to netip.Addr) {
	m.forget()
	m.emit(Send{Message: msg, To: to, Last: true})
}

// The messages of RFC 2131, table 5: which field and option goes into which.

// compose builds a DHCPDISCOVER, or the DHCPREQUEST that answers an offer.
func (m *Machine) compose(t dhcp4.MessageType) *dhcp4.Message {
	msg := m.message(t)
	msg.Secs = m.secs
	addr := m.wanted()
	if t == dhcp4.Request {
		addr = m.chosen.Addr.Addr()
		put(dhcp4.ServerID, msg, m.chosen.Server)
	}
	if addr.IsValid() {
		put(dhcp4.RequestedAddr, msg, addr)
	}
	m.wish(msg, true)
	return msg
}

// composeReboot builds the DHCPREQUEST of INIT-REBOOT: no server identifier.
func (m *Machine) composeReboot() *dhcp4.Message {
	msg := m.message(dhcp4.Request)
	msg.Secs = m.elapsed()
	put(dhcp4.RequestedAddr, msg, m.memory.Addr.Addr())
	m.wish(msg, true)
	return msg
}

// composeExtend builds the DHCPREQUEST of RENEWING and REBINDING: the address
// is in ciaddr, and neither option 50 nor 54 is there.
func (m *Machine) composeExtend() *dhcp4.Message {
	msg := m.message(dhcp4.Request)
	msg.Secs = m.elapsed()
	msg.CIAddr = m.lease.Addr.Addr()
	m.wish(msg, true)
	return msg
}

// composeInform builds a DHCPINFORM: no lease is wished for.
func (m *Machine) composeInform() *dhcp4.Message {
	msg := m.message(dhcp4.Inform)
	msg.Secs = m.elapsed()
	msg.CIAddr = m.inform.Addr.Addr()
	m.wish(msg, false)
	return msg
}

// composeDecline builds a DHCPDECLINE for l's address.
func (m *Machine) composeDecline(l lease.Lease, why string) *dhcp4.Message {
	msg := m.message(dhcp4.Decline)
	msg.Flags = 0
	put(dhcp4.ServerID, msg, l.Server)
	put(dhcp4.RequestedAddr, msg, l.Addr.Addr())
	put(dhcp4.MessageText, msg, why)
	return m.final(msg)
}

// composeRelease builds a DHCPRELEASE for l.
func (m *Machine) composeRelease(l lease.Lease, why string) *dhcp4.Message {
	msg := m.message(dhcp4.Release)
	msg.Flags = 0
	msg.CIAddr = l.Addr.Addr()
	put(dhcp4.ServerID, msg, l.Server)
	if why != "" {
		put(dhcp4.MessageText, msg, why)
	}
	return m.final(msg)
}

// final gives a message that nobody answers an xid of its own.
func (m *Machine) final(msg *dhcp4.Message) *dhcp4.Message {
	msg.XID = m.cfg.Rand.Uint32()
	return msg
}

// message begins every message: who we are, the same in all of them (RFC
// 2131, section 4.2).
func (m *Machine) message(t dhcp4.MessageType) *dhcp4.Message {
	msg := &dhcp4.Message{
		Op:     dhcp4.OpRequest,
		HType:  m.cfg.Link.HType,
		XID:    m.xid,
		CHAddr: m.cfg.Link.CHAddr,
	}
	if m.cfg.Link.Broadcast {
		msg.Flags = dhcp4.FlagBroadcast
	}
	put(dhcp4.MsgType, msg, t)
	if len(m.cfg.ClientID) > 0 {
		put(dhcp4.ClientIdentifier, msg, m.cfg.ClientID)
	}
	return msg
}

// wish adds what the client would like, the same in every message that may
// carry it (RFC 2131, sections 3.5 and 4.3.1).
func (m *Machine) wish(msg *dhcp4.Message, forLease bool) {
	for _, o := range m.wishes {
		if forLease || o.Code != dhcp4.LeaseTime.Code {
			msg.Options.Put(o.Code, o.Value)
		}
	}
}

// wishes writes what the configuration wishes for; the error says what of it
// cannot be written.
func (c *Config) wishes() (o dhcp4.Options, err error) {
	var errs []error
	if c.LeaseTime > 0 {
		errs = append(errs, dhcp4.LeaseTime.Put(&o, c.LeaseTime))
	}
	errs = append(errs, dhcp4.MaxMessageSize.Put(&o, c.MaxMessageSize), dhcp4.ParameterList.Put(&o, inOrder(c.Parameters)))
	if _, named := c.Options.Lookup(dhcp4.FQDN.Code); c.HostName != "" && !named {
		errs = append(errs, dhcp4.HostName.Put(&o, c.HostName))
	}
	if c.VendorClass != "" {
		errs = append(errs, dhcp4.VendorClass.Put(&o, c.VendorClass))
	}
	if len(c.UserClass) > 0 {
		errs = append(errs, dhcp4.UserClass.Put(&o, c.UserClass))
	}
	for _, own := range c.Options {
		o.Put(own.Code, own.Value)
	}
	return o, errors.Join(errs...)
}

// inOrder is a list with each code where it stands first, but for the two whose
// place is not free: the mask before routers (RFC 2132, section 3.3), classless
// routes before routers and static routes (RFC 3442).
func inOrder(list []dhcp4.Code) []dhcp4.Code {
	out := []dhcp4.Code{} // nil is another question
	for _, c := range [...]dhcp4.Code{dhcp4.SubnetMask.Code, dhcp4.ClasslessRoutes.Code} {
		if slices.Contains(list, c) {
			out = append(out, c)
		}
	}
	for _, c := range list {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// put sets an option whose value is known to be good: an IPv4 address, because
// the codec and New let no other in, or a text of our own.
func put[T any](opt dhcp4.Option[T], msg *dhcp4.Message, v T) {
	if err := opt.Put(&msg.Options, v); err != nil {
		panic("machine: " + err.Error())
	}
}
