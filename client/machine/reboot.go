package machine

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/lease"
)

// verify asks any server whether the lease in use is still good where the link
// is now. It stays in use meanwhile.
func (m *Machine) verify(r Report) {
	m.memory = m.lease
	m.demanded = false
	m.enterInitReboot(r)
	m.goOn()
}

// enterInitReboot waits until a remembered lease may be asked about.
func (m *Machine) enterInitReboot(r Report) {
	m.xid, m.try = 0, 0
	m.offers, m.window = nil, time.Time{}
	m.await()
	m.enter(InitReboot, r)
}

// reacquire verifies a lease in use, or begins to get one. What is under way
// already goes on.
func (m *Machine) reacquire() {
	r := Report{Cause: CauseStarted, Lease: m.lease}
	switch {
	case m.state == Idle:
		m.start(Start{})
	case m.state == Informing:
		m.notPossible("a DHCPINFORM is under way")
	case m.quiet():
		m.notPossible(m.whyQuiet())
	case m.state.Holds():
		m.verify(r)
	default:
		m.say(r)
	}
}

// reboot leaves INIT-REBOOT: the remembered lease is asked to be confirmed
// (RFC 2131, section 3.2).
func (m *Machine) reboot() {
	if !m.memory.Valid(m.now) {
		m.memory = lease.Lease{}
		m.enterInit(0, Report{Cause: CauseExpired, Text: "the remembered lease expired before it could be confirmed"})
		return
	}
	m.began = m.now
	m.fallback = time.Time{}
	if !m.cfg.NoServerFail {
		m.fallback = m.now.Add(m.cfg.NoServerAfter)
	}
	m.newExchange()
	m.state = Rebooting
	m.sendReboot()
}

// sendReboot sends one more DHCPREQUEST of the INIT-REBOOT kind, or stops
// waiting: a network that changed may have no server that says no.
func (m *Machine) sendReboot() {
	if m.try == rebootTries || due(m.fallback, m.now) {
		m.rebootUnanswered()
		return
	}
	from := Rebooting
	if m.try == 0 {
		from = InitReboot
	}
	m.try++
	m.wake = m.now.Add(rebootWait)
	m.send(m.composeReboot(), netip.Addr{})
	m.emit(Report{From: from, To: Rebooting, Cause: CauseSent, Text: "DHCPREQUEST", Try: m.try, Next: m.Deadline()})
}

// rebootUnanswered decides what a confirmation is worth that nobody answered.
// A lease that is still configured goes on if policy allows, but its address is
// probed again: the link may be another one (RFC 5227, section 2.1). Otherwise
// any server may now offer something, and memory waits for its fallback.
func (m *Machine) rebootUnanswered() {
	r := Report{Cause: CauseNoServer, Text: fmt.Sprintf("no answer to %d DHCPREQUEST for the remembered %v", m.try, m.memory.Addr.Addr())}
	if m.held && !m.cfg.NoServerFail {
		m.useMemory()
		return
	}
	if due(m.fallback, m.now) && m.memory.Valid(m.now) {
		m.say(r)
		m.useMemory()
		return
	}
	m.enterInit(0, r)
}

// useMemory takes the remembered lease for the time that is left of it,
// though no server confirmed it (RFC 2131, section 3.2, item 5). It is checked
// for a conflict like any other.
func (m *Machine) useMemory() {
	l := m.memory
	m.memory, m.fallback = lease.Lease{}, time.Time{}
	if !l.Valid(m.now) {
		return // expired while we asked; the DHCPDISCOVER goes on
	}
	m.unconfirmed = true
	m.check(l, Report{Cause: CauseUnconfirmed, Text: "no server answered: the remembered lease is used for its remaining time", Lease: l})
}

// forget drops all that is known of a lease that was refused or is in use
// elsewhere, here and on disk.
func (m *Machine) forget() {
	m.memory, m.fallback, m.former = lease.Lease{}, time.Time{}, former{}
	m.emit(Forget{})
}
