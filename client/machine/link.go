package machine

// linkChanged follows the carrier. Without one nothing is sent that is not
// about a lease in use; with it back, a lease in use is verified, because the
// other end of the cable may be another network (RFC 2131, section 3.7).
func (m *Machine) linkChanged(up bool) {
	if up == !m.down {
		return
	}
	m.down = !up
	if up {
		m.linkUp()
	} else {
		m.linkDown()
	}
}

func (m *Machine) linkDown() {
	r := Report{Cause: CauseLinkDown}
	switch {
	case m.state == Selecting || m.state == Requesting || (m.state == Rebooting || m.state == Checking) && !m.held:
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

func (m *Machine) linkUp() {
	r := Report{Cause: CauseLinkUp}
	switch {
	case m.state == Init || m.state == InitReboot:
		m.await()
		m.say(r)
		m.goOn()
	case m.state.Holds():
		m.memory = m.lease
		m.demanded = false
		m.enter(InitReboot, r)
		m.reboot()
	default:
		m.say(r)
	}
}
