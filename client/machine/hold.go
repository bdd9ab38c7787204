package machine

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// hold enters BOUND with m.lease and sets when to extend it.
func (m *Machine) hold(r Report) {
	m.xid, m.try, m.demanded = 0, 0, false
	m.wake = time.Time{}
	m.setTimers()
	m.enter(Bound, r)
}

// setTimers moves T1 and T2 forward by up to a twentieth, so that hosts which
// booted together do not renew together (RFC 2131, section 4.4.5). A lease
// that no server confirmed is asked about again soon.
func (m *Machine) setTimers() {
	l := m.lease
	m.t1, m.t2 = l.T1, l.T2
	if l.Infinite() {
		m.unconfirmed = false
		return
	}
	m.t1 = l.T1.Add(-m.random(l.T1.Sub(l.Start) / 20))
	m.t2 = l.T2.Add(-m.random(l.T2.Sub(l.T1) / 20))
	if soon := m.now.Add(unconfirmedRenewal); m.unconfirmed && soon.Before(m.t1) {
		m.t1 = soon
	}
	m.unconfirmed = false
}

// adopt takes a lease that the host holds already.
func (m *Machine) adopt(l lease.Lease) {
	if m.state != Idle {
		m.note("already started")
		return
	}
	m.lease, m.held = l, true
	m.former = former{addr: l.Addr.Addr(), server: l.Server}
	if !l.Valid(m.now) {
		m.withdraw()
		m.say(Report{Cause: CauseExpired, Text: "the lease has expired", Lease: l})
		return
	}
	m.bound = m.now
	m.hold(Report{Cause: CauseBound, Lease: l})
}

// holdDeadline is when something is due while a lease is in use. Its expiry,
// which is always due, is not counted here.
func (m *Machine) holdDeadline() time.Time {
	d := m.reapply
	switch {
	case m.quiet():
	case m.state == Bound:
		d = earliest(d, m.t1)
	case m.state == Renewing:
		d = earliest(d, earliest(m.wake, m.t2))
	default:
		d = earliest(d, m.wake)
	}
	return d
}

// holdTimeout does what is due while a lease is in use.
func (m *Machine) holdTimeout() {
	if due(m.reapply, m.now) {
		m.reapply = time.Time{}
		m.emit(Apply{Lease: m.lease})
		return
	}
	switch {
	case m.quiet():
	case m.demanded && m.try < requestTries:
		m.ask()
	case m.demanded:
		m.resume()
	case m.state != Rebinding && due(m.t2, m.now):
		m.extend(Rebinding, CauseRebindingDue)
	case m.state == Bound:
		m.extend(Renewing, CauseRenewalDue)
	default:
		m.ask()
	}
}

// extend enters RENEWING or REBINDING and asks for more time.
func (m *Machine) extend(to State, cause Cause) {
	if !m.state.Holds() || m.state == Bound {
		m.began = m.now
	}
	m.try = 0
	m.wake = time.Time{}
	m.enter(to, Report{Cause: cause, Lease: m.lease})
	m.ask()
}

// ask sends one DHCPREQUEST that extends the lease. Each try has an xid of its
// own, so that an answer tells which try it answers, and the new times count
// from the right one.
func (m *Machine) ask() {
	try := m.try + 1
	m.newExchange()
	m.try = try
	to := netip.Addr{}
	left := m.lease.Expiry.Sub(m.now)
	if m.state == Renewing {
		to = m.lease.Server
		left = m.t2.Sub(m.now)
	}
	m.wake = m.now.Add(extendWait(left))
	if m.demanded {
		m.wake = m.now.Add(m.backoff(m.try))
	}
	m.send(m.composeExtend(), to)
	m.emit(Report{From: m.state, To: m.state, Cause: CauseSent, Text: "DHCPREQUEST", Lease: m.lease, Try: m.try, Next: m.Deadline()})
}

// demand starts RENEWING or REBINDING ahead of time (renew on demand touches
// nothing, and if nobody answers the old schedule goes on). A lease that is being
// verified is extended by that.
func (m *Machine) demand(to State) {
	switch {
	case !m.held:
		m.notPossible(fmt.Sprintf("no lease to extend in %v", m.state))
		return
	case m.quiet():
		m.notPossible(m.whyQuiet())
		return
	case !m.state.Holds():
		return
	}
	m.demanded = true
	m.extend(to, CauseStarted)
}

// resume returns from a demand that nobody answered to where the clock says.
func (m *Machine) resume() {
	r := Report{Cause: CauseNoServer, Text: fmt.Sprintf("no answer to %d DHCPREQUEST; the lease goes on %s", m.try, until(m.lease)), Lease: m.lease}
	m.demanded = false
	switch {
	case !due(m.t1, m.now):
		m.xid, m.try, m.wake = 0, 0, time.Time{}
		m.enter(Bound, r)
	case !due(m.t2, m.now):
		m.say(r)
		m.extend(Renewing, CauseRenewalDue)
	default:
		m.say(r)
		m.extend(Rebinding, CauseRebindingDue)
	}
}

// extended takes the DHCPACK that extends the lease; the address stays, what
// came with it may change.
func (m *Machine) extended(l lease.Lease) {
	m.lease = l
	m.reapply = time.Time{}
	m.former = former{addr: l.Addr.Addr(), server: l.Server}
	m.emit(Apply{Lease: l})
	m.emit(Save{Lease: l})
	m.hold(Report{Cause: CauseExtended, Lease: l})
}

// expire ends all use of the lease, with no packet needed (RFC 2131, section
// 4.4.5). Its address is still worth wishing for.
func (m *Machine) expire() {
	l := m.lease
	m.steadied()
	m.withdraw()
	m.memory, m.fallback = lease.Lease{}, time.Time{}
	if m.state == Checking {
		return // a newer lease is on its way
	}
	m.enterInit(0, Report{Cause: CauseExpired, Text: "the lease has expired", Lease: l})
}

// conflicted gives in to another holder of the address (RFC 5227, section
// 2.4).
func (m *Machine) conflicted(in Conflicted) {
	if m.state.Holds() && in.Addr == m.lease.Addr.Addr() {
		m.steadied()
		m.decline(m.lease, in.Holder)
	}
}

// withdraw takes the lease off the host, if it is on it.
func (m *Machine) withdraw() {
	if m.held {
		m.emit(Withdraw{Lease: m.lease})
	}
	m.lease, m.held, m.kept = lease.Lease{}, false, false
	m.t1, m.t2, m.reapply = time.Time{}, time.Time{}, time.Time{}
	m.demanded = false
}

// steadied clears the growing pauses if the lease held for a while.
func (m *Machine) steadied() {
	if m.state.Holds() && m.now.Sub(m.bound) >= steady {
		m.naks, m.declines, m.failures = 0, 0, 0
		m.blame, m.avoid = map[netip.Addr]int{}, map[netip.Addr]bool{}
	}
}

// until is the end of a lease for people.
func until(l lease.Lease) string {
	if l.Infinite() {
		return "for ever"
	}
	return "until " + l.Expiry.Format(time.RFC3339)
}

// acked takes a DHCPACK in the states that wait for one.
func (m *Machine) acked(msg *dhcp4.Message) {
	if m.state == Informing {
		m.informed(msg)
		return
	}
	l, notes, err := lease.FromACK(msg, m.sent)
	if err != nil {
		m.drop(msg, BadLease)
		m.complain(err.Error())
		return
	}
	if !l.Valid(m.now) {
		m.drop(msg, BadLease)
		m.complain(fmt.Sprintf("the lease from %v was over before its DHCPACK came", l.Server))
		return
	}
	switch why := m.lacks(msg.Options); {
	case why == "":
	case m.state == Rebooting: // there may be a better offer
		m.drop(msg, LacksOption)
		return
	default: // what was asked of the offer is no reason to have no address
		m.note(why + "; the lease is used all the same")
	}
	for _, n := range notes {
		m.note(n.Error())
	}
	switch m.state {
	case Renewing, Rebinding:
		m.extended(l)
	default: // Requesting, Rebooting
		m.fresh = m.state == Requesting
		m.chosen, m.memory, m.fallback = nil, lease.Lease{}, time.Time{}
		m.check(l, Report{Cause: CauseGranted, Lease: l})
	}
}

// naked takes a DHCPNAK: all use of the address stops at once.
func (m *Machine) naked(msg *dhcp4.Message) {
	m.steadied()
	server, _ := dhcp4.ServerID.Get(msg.Options)
	r := Report{Cause: CauseNAK, Text: fmt.Sprintf("DHCPNAK from %v", server), Lease: m.lease}
	if text, err := dhcp4.MessageText.Get(msg.Options); err == nil {
		r.Text += fmt.Sprintf(": %q", text)
	}
	m.naks++
	m.withdraw()
	m.forget()
	m.enterInit(m.nakPause(), r)
}
