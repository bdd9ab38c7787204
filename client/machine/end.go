package machine

import (
	"time"

	"github.com/lessee/lessee/client/lease"
)

// claim is the lease that a server counts as ours at this moment: in use,
// granted, asked for, or remembered. It is zero if there is none.
func (m *Machine) claim() lease.Lease {
	switch {
	case m.state == Checking || m.state == Applying:
		return m.next
	case m.held:
		return m.lease
	case m.state == Requesting:
		return m.chosen.Lease
	}
	return m.memory
}

// release gives back whatever a server counts as ours and ends (RFC 2131,
// section 4.4.6). The message leaves before the address does.
func (m *Machine) release() {
	l := m.claim()
	if !l.IsZero() {
		m.giveUp(m.composeRelease(l, ""), l.Server)
	}
	m.withdraw()
	m.idle(Report{Cause: CauseReleased, Lease: l})
}

// StaysInUse is the text of a report with CauseStopped whose lease is left on
// the host.
const StaysInUse = "the lease stays in use"

// end ends. A lease in use stays in use, unless it is to leave the host; one
// that was on its way there is undone, and given back if nobody will use it.
func (m *Machine) end(leave bool) {
	if m.cfg.Survey && m.state == Selecting {
		m.survey() // what came so far is worth telling
		return
	}
	l := m.claim()
	unused := m.state == Requesting || m.fresh && (m.state == Checking || m.state == Applying)
	if unused {
		m.emit(Send{Message: m.composeRelease(l, "not used"), To: l.Server, Last: true})
	}
	if leave || m.state == Applying && !m.kept {
		m.withdraw()
	}
	r := Report{Cause: CauseStopped, Lease: l}
	if m.held {
		r.Text = StaysInUse
	}
	m.idle(r)
}

// idle ends what was under way.
func (m *Machine) idle(r Report) {
	m.xid, m.try, m.wake = 0, 0, time.Time{}
	m.offers, m.window = nil, time.Time{}
	m.next, m.fresh, m.unconfirmed = lease.Lease{}, false, false
	m.memory, m.fallback = lease.Lease{}, time.Time{}
	m.lease, m.held = lease.Lease{}, false
	m.demanded, m.reapply = false, time.Time{}
	m.paused = false
	m.enter(Idle, r)
}
