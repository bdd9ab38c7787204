package machine

import (
	"bytes"
	"errors"
	"net/netip"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// refuse is the one place where a message from the link is checked against
// the exchange under way; past it a message is what the state waits for. An
// empty reason accepts.
func (m *Machine) refuse(msg *dhcp4.Message) Reason {
	switch {
	case msg.Op != dhcp4.OpReply:
		return NotReply
	case m.xid == 0:
		return NotExpected
	case msg.XID != m.xid:
		return WrongXID
	case len(m.cfg.Link.CHAddr) > 0 && !bytes.Equal(msg.CHAddr, m.cfg.Link.CHAddr):
		return WrongCHAddr
	case !m.echoes(msg):
		return WrongClientID
	case !m.expects(msg.Type()):
		return NotExpected
	case msg.Type() == dhcp4.Offer:
		return "" // offers are judged one against the other, not here
	}
	return m.refuseAnswer(msg)
}

// refuseAnswer checks who answers, and for which address.
func (m *Machine) refuseAnswer(msg *dhcp4.Message) Reason {
	server, err := lease.Server(msg)
	if err != nil {
		return NoServerID
	}
	if m.serverRefused(server) != "" {
		return ServerNotAllowed
	}
	asked, addr := m.asked()
	switch {
	case asked.IsValid() && server != asked:
		return WrongServer
	case msg.Type() == dhcp4.ACK && addr.IsValid() && msg.YIAddr != addr:
		return WrongYIAddr
	}
	return ""
}

// asked is the server that the message under way was meant for, and the
// address it was about; invalid means any.
func (m *Machine) asked() (server, addr netip.Addr) {
	switch m.state {
	case Requesting:
		return m.chosen.Server, m.chosen.Addr.Addr()
	case Rebooting:
		return netip.Addr{}, m.memory.Addr.Addr()
	case Renewing:
		return m.lease.Server, m.lease.Addr.Addr()
	case Rebinding:
		return netip.Addr{}, m.lease.Addr.Addr()
	}
	return netip.Addr{}, netip.Addr{} // Informing
}

// expects reports whether a message of type t has a meaning in this state.
func (m *Machine) expects(t dhcp4.MessageType) bool {
	switch m.state {
	case Selecting:
		return t == dhcp4.Offer
	case Requesting, Rebooting, Renewing, Rebinding:
		return t == dhcp4.ACK || t == dhcp4.NAK
	case Informing:
		return t == dhcp4.ACK
	}
	return false
}

// echoes reports whether the client identifier in msg, if there is one, is
// ours (RFC 6842, section 3).
func (m *Machine) echoes(msg *dhcp4.Message) bool {
	id, err := dhcp4.ClientIdentifier.Get(msg.Options)
	if errors.Is(err, dhcp4.ErrUnset) {
		return true
	}
	return err == nil && bytes.Equal(id, m.cfg.ClientID)
}
