package machine

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// check begins CHECKING: l is granted, and nothing of it is used before the
// address is known to be free (RFC 2131, sections 2.2 and 4.4.1).
func (m *Machine) check(l lease.Lease, r Report) {
	m.next = l
	m.xid = 0
	m.enter(Checking, r)
	m.emit(Probe{Addr: l.Addr.Addr()})
}

// probed takes the verdict of the conflict check.
func (m *Machine) probed(in Probed) {
	switch {
	case m.state != Checking || in.Addr != m.next.Addr.Addr():
		return // of an exchange that is over
	case !m.next.Valid(m.now):
		m.tooLate()
		return
	case len(in.Holder) > 0:
		m.decline(m.next, in.Holder)
		return
	case in.Err != nil:
		m.say(Report{Cause: CauseUnchecked, Text: fmt.Sprintf("%v was not checked for a conflict: %v", in.Addr, in.Err), Lease: m.next})
	}
	m.kept = m.held
	m.lease, m.held = m.next, true
	m.enter(Applying, Report{Cause: CauseFree, Lease: m.next})
	m.emit(Apply{Lease: m.next})
}

// applied takes the host's answer. An answer for a lease that is no longer
// the one in hand is of the past.
func (m *Machine) applied(in Applied) {
	if !m.held || in.Lease.Addr != m.lease.Addr || !in.Lease.Start.Equal(m.lease.Start) {
		return
	}
	switch {
	case m.state == Applying && in.Err == nil:
		m.useNext()
	case m.state == Applying:
		m.applyFailed(in.Err)
	case m.state.Holds() && in.Err != nil:
		m.reapply = m.now.Add(reapplyWait)
		m.say(Report{Cause: CauseApplyFailed, Text: fmt.Sprintf("%v; next try in %v", in.Err, reapplyWait), Lease: m.lease})
	case m.state.Holds():
		m.failures = 0
		m.say(Report{Cause: CauseConfigured, Lease: m.lease})
	}
}

// applyAgain has the host configured by the lease that it holds, though nothing
// of that has changed. Whatever is sent or waited for goes on.
func (m *Machine) applyAgain() {
	if !m.held {
		m.notPossible("no lease to configure the host by")
		return
	}
	m.reapply = time.Time{}
	m.emit(Apply{Lease: m.lease})
}

// useNext enters BOUND with the lease that was applied.
func (m *Machine) useNext() {
	l := m.lease
	m.bound = m.now
	m.failures = 0
	m.former = former{addr: l.Addr.Addr(), server: l.Server}
	m.next, m.fresh = lease.Lease{}, false
	cause := CauseBound
	if m.unconfirmed {
		cause = CauseUnconfirmed
	} else {
		m.emit(Save{Lease: l})
	}
	m.hold(Report{Cause: cause, Lease: l})
	m.emit(Announce{Addr: l.Addr.Addr()})
}

// applyFailed gives back a good lease that this host cannot use.
func (m *Machine) applyFailed(err error) {
	l := m.next
	if m.unconfirmed {
		m.forget()
	} else {
		m.giveUp(m.composeRelease(l, "the host could not be configured"), l.Server)
	}
	m.withdraw()
	m.failures++
	m.enterInit(min(declineWait<<min(m.failures-1, 3), maxDeclineWait), Report{Cause: CauseApplyFailed, Text: err.Error(), Lease: l})
}

// decline tells the server that l's address is in use by holder, and rests
// (RFC 2131, sections 3.1.5 and 4.4.4).
func (m *Machine) decline(l lease.Lease, holder dhcp4.HardwareAddr) {
	addr := l.Addr.Addr()
	m.giveUp(m.composeDecline(l, fmt.Sprintf("in use by %v", holder)), netip.Addr{})
	m.withdraw()
	m.declines++
	if m.blame == nil {
		m.blame, m.avoid = map[netip.Addr]int{}, map[netip.Addr]bool{}
	}
	if len(m.avoid) < maxOffers && len(m.blame) < maxOffers {
		m.blame[l.Server]++
		m.avoid[addr] = true
	}
	m.enterInit(m.declinePause(), Report{
		Cause: CauseConflict, Lease: l, Holder: holder,
		Text: fmt.Sprintf("%v is in use by %v; DHCPDECLINE sent to %v", addr, holder, l.Server),
	})
}

// tooLate ends a check or a configuration that took longer than the lease.
func (m *Machine) tooLate() {
	m.enterInit(declineWait, Report{Cause: CauseExpired, Text: "expired before it could be used", Lease: m.next})
}
