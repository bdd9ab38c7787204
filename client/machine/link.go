package machine

import "time"

// Nothing is sent while the link has no carrier, or while the user wants it so.
// A lease in use stays on the host meanwhile, until it expires. When the
// machine may speak again, that lease is verified, because the other end of the
// cable may be another network (RFC 2131, section 3.7).

// quiet reports whether nothing may be sent.
func (m *Machine) quiet() bool { return m.down || m.paused }

// whyQuiet says why, for people.
func (m *Machine) whyQuiet() string {
	if m.down {
		return "the link has no carrier"
	}
	return "paused"
}

// linkChanged follows the carrier. A loss counts when it has lasted; what the
// carrier is like before anything was begun counts at once.
func (m *Machine) linkChanged(in LinkChanged) {
	switch {
	case in.Up && (m.down || in.Reset):
		m.linkUp()
	case in.Up:
		m.lost = time.Time{}
	case m.down || !m.lost.IsZero():
	case m.state == Idle || m.cfg.CarrierDelay <= 0:
		m.linkDown()
	default:
		m.lost = m.now
	}
}

// carrierMissed counts a loss of the carrier that has lasted long enough, and
// reports whether it did so just now.
func (m *Machine) carrierMissed() bool {
	if m.lost.IsZero() || m.now.Before(m.lost.Add(m.cfg.CarrierDelay)) {
		return false
	}
	m.linkDown()
	return true
}

func (m *Machine) linkDown() {
	if m.now.Sub(m.upAt) >= steady {
		m.ups = 0
	}
	was := m.quiet()
	m.down, m.lost = true, time.Time{}
	m.fallSilent(was, Report{Cause: CauseLinkDown})
}

func (m *Machine) linkUp() {
	m.down, m.lost = false, time.Time{}
	m.ups++
	m.upAt = m.now
	if t := m.now.Add(m.upPause()); t.After(m.notBefore) {
		m.notBefore = t
	}
	m.speakAgain(Report{Cause: CauseLinkUp})
}

func (m *Machine) pause() {
	switch {
	case m.paused:
		m.notPossible("paused already")
		return
	case m.state == Idle || m.state == Informing:
		m.notPossible("nothing is under way that could be paused")
		return
	}
	was := m.quiet()
	m.paused = true
	m.fallSilent(was, Report{Cause: CausePaused})
}

func (m *Machine) resumed() {
	if !m.paused {
		m.notPossible("not paused")
		return
	}
	m.paused = false
	m.speakAgain(Report{Cause: CauseResumed})
}

// fallSilent breaks off what needs an answer. What the host does by itself
// (checking, applying) goes on if the lease was in use before.
func (m *Machine) fallSilent(already bool, r Report) {
	m.demanded = false
	switch {
	case already:
		m.say(r)
	case m.state == Rebooting || m.state == Selecting && !m.memory.IsZero():
		m.enterInitReboot(r) // asked again from the start, maybe on another network
	case m.state == Selecting || m.state == Requesting || m.state == Checking && !m.held:
		if l := m.claim(); !l.IsZero() {
			m.former = former{addr: l.Addr.Addr(), server: l.Server}
		}
		m.enterInit(0, r)
	case m.state == Init || m.state == InitReboot:
		m.await()
		m.say(r)
	default:
		m.say(r)
	}
}

// speakAgain goes on, if nothing else keeps the machine quiet.
func (m *Machine) speakAgain(r Report) {
	switch {
	case m.quiet():
		m.say(r)
	case m.state == Init || m.state == InitReboot:
		m.await()
		m.say(r)
		m.goOn()
	case m.state.Holds():
		m.verify(r)
	default:
		m.say(r)
	}
}
