package machine

import (
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// startInform asks for configuration alone.
func (m *Machine) startInform(in Inform) {
	if m.state != Idle {
		m.note("already started")
		return
	}
	m.inform = in
	m.began = m.now
	m.newExchange()
	m.enter(Informing, Report{Cause: CauseStarted})
	m.sendInform()
}

// sendInform sends one more DHCPINFORM, or reports failure.
func (m *Machine) sendInform() {
	if m.try == informTries {
		m.idle(Report{Cause: CauseNoServer, Text: "no answer to DHCPINFORM"})
		return
	}
	m.try++
	m.wake = m.now.Add(m.backoff(m.try))
	m.send(m.composeInform(), m.inform.Server)
	m.emit(Report{From: Informing, To: Informing, Cause: CauseSent, Text: "DHCPINFORM", Try: m.try, Next: m.Deadline()})
}

// informed takes the answer. What it says of times and of an address is not
// for us (RFC 2131, section 4.3.5).
func (m *Machine) informed(msg *dhcp4.Message) {
	l, notes := lease.FromInform(msg, m.inform.Addr, m.sent)
	for _, n := range notes {
		m.note(n.Error())
	}
	m.idle(Report{Cause: CauseInformed, Lease: l})
}
