package machine

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// start begins an acquisition from Idle (RFC 2131, figure 5: INIT or
// INIT-REBOOT).
func (m *Machine) start(in Start) {
	if m.state != Idle {
		m.note("already started")
		return
	}
	l := in.Remembered
	if !l.IsZero() {
		m.former = former{addr: l.Addr.Addr(), server: l.Server}
	}
	m.began = m.now
	if in.Held {
		m.lease, m.held = l, true
	}
	why := m.unwanted(l)
	if why != "" {
		m.note(fmt.Sprintf("the remembered %v is not asked for: %s", l.Addr.Addr(), why))
	}
	if why != "" || !l.Valid(m.now) || m.cfg.Survey {
		m.enterInit(m.initialDelay(), Report{Cause: CauseStarted})
		return
	}
	m.memory = l
	m.notBefore = m.now.Add(m.initialDelay())
	m.enterInitReboot(Report{Cause: CauseStarted, Lease: l})
	m.goOn()
}

// unwanted tells why the user would not have a remembered lease, though it is
// valid.
func (m *Machine) unwanted(l lease.Lease) string {
	if !l.Valid(m.now) {
		return ""
	}
	// For a wish nobody gives up an address that works.
	if m.cfg.RequestAddr.IsValid() && m.cfg.RequestAddr != l.Addr.Addr() && !m.held {
		return fmt.Sprintf("%v is wished for", m.cfg.RequestAddr)
	}
	if why := m.serverRefused(l.Server); why != "" {
		return why
	}
	return m.lacks(l.Options)
}

// enterInit goes to INIT, from where a DHCPDISCOVER goes out after pause. No
// lease is in use there.
func (m *Machine) enterInit(pause time.Duration, r Report) {
	m.withdraw()
	m.next, m.fresh, m.unconfirmed = lease.Lease{}, false, false
	m.xid, m.try = 0, 0
	m.offers, m.window = nil, time.Time{}
	m.notBefore = m.now.Add(pause)
	m.await()
	m.enter(Init, r)
	m.goOn()
}

// await sets the end of the wait in INIT and INIT-REBOOT: none while nothing may
// be sent, and a pause that was imposed outlives a link that comes and goes.
func (m *Machine) await() {
	m.wake = time.Time{}
	if !m.quiet() {
		m.wake = m.notBefore
		if m.wake.Before(m.now) {
			m.wake = m.now
		}
	}
}

// goOn leaves a waiting state at once if there is nothing to wait for.
func (m *Machine) goOn() {
	if !m.wake.IsZero() && !m.now.Before(m.wake) {
		m.timeout()
	}
}

// discover begins SELECTING with a first DHCPDISCOVER.
func (m *Machine) discover() {
	m.began = m.now
	m.newExchange()
	m.offers, m.window = nil, time.Time{}
	if m.cfg.Survey {
		m.window = m.now.Add(m.surveyWait())
	}
	m.state = Selecting // the report of the first message tells of the change
	m.sendDiscover(Init)
}

// sendDiscover sends one more copy, with the same xid, so that an offer to an
// earlier copy counts too.
func (m *Machine) sendDiscover(from State) {
	m.try++
	m.secs = m.elapsed()
	m.wake = m.now.Add(m.backoff(m.try))
	m.send(m.compose(dhcp4.Discover), netip.Addr{})
	m.emit(Report{From: from, To: Selecting, Cause: CauseSent, Text: "DHCPDISCOVER", Try: m.try, Next: m.Deadline()})
}

// selectingDeadline is the window's end once an acceptable offer is in: with
// one in hand there is no need to ask again.
func (m *Machine) selectingDeadline() time.Time {
	if !m.window.IsZero() && !m.cfg.Survey {
		return m.window
	}
	return earliest(earliest(m.wake, m.window), m.fallback)
}

// selectingTimeout does the first thing that is due: weigh the offers, fall
// back to the remembered lease, or send again.
func (m *Machine) selectingTimeout() {
	switch {
	case due(m.window, m.now) && m.cfg.Survey:
		m.survey()
	case due(m.window, m.now):
		m.choose()
	case due(m.fallback, m.now):
		m.useMemory()
	default:
		if !m.cfg.Survey || len(m.offers) == 0 {
			m.say(Report{Cause: CauseNoServer, Text: fmt.Sprintf("no acceptable offer to %d DHCPDISCOVER", m.try)})
			m.offers = nil // all refused; room for others
		}
		m.sendDiscover(Selecting)
	}
}

// offered takes one DHCPOFFER in SELECTING (RFC 2131, section 4.4.1).
func (m *Machine) offered(msg *dhcp4.Message) {
	if m.state != Selecting {
		m.drop(msg, NotExpected)
		return
	}
	o, reason := m.judge(msg)
	switch again := slices.ContainsFunc(m.offers, o.is); {
	case again && reason != "":
		m.drop(msg, reason)
		return
	case again: // it answers another copy
		return
	}
	if !m.keep(o) {
		m.drop(msg, TooMany)
		return
	}
	if reason != "" {
		m.drop(msg, reason)
		if !m.cfg.Survey {
			m.say(Report{Cause: CauseRefused, Text: o.String(), Offers: []Offer{o}})
		}
		return
	}
	m.fallback = time.Time{} // a server answers
	if m.cfg.Survey {
		return
	}
	if m.window.IsZero() {
		m.window = m.now.Add(m.offerWait())
	}
	if !m.now.Before(m.window) || m.unbeatable(o) {
		m.choose()
	}
}

// keep adds an offer to those that are weighed, or told of. If there are too
// many, one that is no candidate makes room for one that is: nonsense, however
// much of it, must not keep a server out.
func (m *Machine) keep(o Offer) bool {
	if len(m.offers) >= maxOffers {
		i := slices.IndexFunc(m.offers, func(old Offer) bool { return old.Why != "" })
		if i < 0 || o.Why != "" {
			return false
		}
		m.offers = slices.Delete(m.offers, i, i+1)
	}
	m.offers = append(m.offers, o)
	return true
}

// choose weighs the offers and asks for the best one.
func (m *Machine) choose() {
	best := m.weigh()
	m.chosen = &m.offers[best]
	offers := m.offers
	m.offers, m.window = nil, time.Time{}
	m.say(Report{Cause: CauseChosen, Text: fmt.Sprintf("%v from %v", m.chosen.Addr.Addr(), m.chosen.Server), Offers: offers})
	m.state = Requesting
	m.sent, m.try = m.now, 0
	m.sendRequest()
}

// survey ends a survey with all offers weighed.
func (m *Machine) survey() {
	m.weigh()
	offers := m.offers
	m.idle(Report{Cause: CauseSurveyed, Offers: offers})
}

// sendRequest sends one more DHCPREQUEST for the chosen offer, with the
// offer's xid (RFC 2131, section 4.4.1), or gives up.
func (m *Machine) sendRequest() {
	if m.try == requestTries {
		m.enterInit(0, Report{
			Cause: CauseNoServer,
			Text:  fmt.Sprintf("%v offered %v but answered none of %d DHCPREQUEST", m.chosen.Server, m.chosen.Addr.Addr(), m.try),
		})
		return
	}
	from := m.state
	if m.try == 0 {
		from = Selecting
	}
	m.try++
	m.wake = m.now.Add(m.backoff(m.try))
	m.send(m.compose(dhcp4.Request), netip.Addr{})
	m.emit(Report{From: from, To: Requesting, Cause: CauseSent, Text: "DHCPREQUEST", Try: m.try, Next: m.Deadline()})
}

// newExchange begins an exchange with an xid of its own.
func (m *Machine) newExchange() {
	for m.xid = 0; m.xid == 0; { // 0 stands for "none outstanding"
		m.xid = m.cfg.Rand.Uint32()
	}
	m.sent, m.try = m.now, 0
}

// elapsed is secs: since the start of the acquisition or renewal, stuck at
// its highest value rather than wrapping.
func (m *Machine) elapsed() uint16 {
	return uint16(min(m.now.Sub(m.began)/time.Second, 65535))
}

// due reports whether t is an instant that has come.
func due(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }
