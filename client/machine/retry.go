package machine

import "time"

// Waits and limits, each with its source.
const (
	// RFC 2131, section 4.1: 4 s before the second try, doubled up to
	// 64 s, each moved by up to a second either way.
	firstWait = 4 * time.Second
	maxWait   = 64 * time.Second
	jitter    = time.Second

	// RFC 2131, section 3.1.5: a DHCPREQUEST "should" be sent often
	// enough to find the server within a minute: 4 + 8 + 16 + 32 s.
	// DHCPINFORM the same (section 4.4.3).
	requestTries = 4
	informTries  = 4

	// On a network that changed, the server which could confirm our lease
	// is not there, and not every server sends a DHCPNAK. Two tries, 2 s
	// apart, are worth waiting for at boot; more are not.
	rebootTries = 2
	rebootWait  = 2 * time.Second

	// How long a remembered lease waits for any server: INIT-REBOOT's 4 s
	// and one DHCPDISCOVER.
	noServerAfter = 8 * time.Second

	// A remembered lease that no server confirmed is asked about again
	// this soon, by unicast, though its T1 may be far.
	unconfirmedRenewal = time.Minute

	// RFC 2131, section 3.1.5: at least 10 s between DHCPDECLINE and
	// starting again; RFC 5227, section 2.1.1 wants 60 s after ten
	// conflicts. The wait grows by 10 s each time and stays at 60 s.
	declineWait    = 10 * time.Second
	maxDeclineWait = 60 * time.Second

	// A server whose offers were declined this often in a row is only
	// chosen if no other offers anything.
	declineLimit = 3

	// The first DHCPNAK sends us straight to INIT: it is what a changed
	// network looks like. Each further one doubles the pause.
	nakWait    = time.Second
	maxNAKWait = 64 * time.Second

	// The first two times that a carrier comes back, the exchange goes on
	// at once. Each further one doubles a pause, so that a link which
	// flaps for hours costs a server a packet a minute.
	freeUps   = 2
	upWait    = time.Second
	maxUpWait = 64 * time.Second

	// A lease, or a carrier, that held this long clears the growing pauses.
	steady = time.Minute

	// RFC 2131, section 4.4.5: half of what is left, but no less than 60 s.
	minExtendWait = time.Minute

	// A host that could not be configured at a renewal is tried again
	// this soon.
	reapplyWait = 10 * time.Second

	// Bounds against a link full of servers.
	maxOffers = 64

	// AutoOfferWait's bound where there is something to weigh by.
	autoOfferWait = 500 * time.Millisecond
)

// initialDelay is the wait before the first message (RFC 2131, section 4.4.1).
func (m *Machine) initialDelay() time.Duration {
	least := m.cfg.InitialDelay / 10
	return least + m.random(m.cfg.InitialDelay-least)
}

// backoff is the wait after the given try (from 1), by RFC 2131, section 4.1.
func (m *Machine) backoff(try int) time.Duration {
	d := maxWait
	if try <= 4 {
		d = firstWait << (try - 1)
	}
	return d - jitter + m.random(2*jitter)
}

// nakPause is the pause before INIT after so many DHCPNAKs in a row.
func (m *Machine) nakPause() time.Duration {
	if m.naks <= 1 {
		return 0
	}
	d := maxNAKWait
	if m.naks <= 7 {
		d = nakWait << (m.naks - 2)
	}
	return d + m.random(d/4)
}

// upPause is the pause after the carrier came back so many times of late.
func (m *Machine) upPause() time.Duration {
	n := m.ups - freeUps
	switch {
	case n <= 0:
		return 0
	case n > 6:
		return maxUpWait
	}
	return upWait << (n - 1)
}

// declinePause is the rest after so many DHCPDECLINEs in a row.
func (m *Machine) declinePause() time.Duration {
	return min(time.Duration(m.declines)*declineWait, maxDeclineWait) + m.random(jitter)
}

// extendWait is the wait between tries to extend a lease while left remains
// until the next state (RFC 2131, section 4.4.5).
func extendWait(left time.Duration) time.Duration { return max(left/2, minExtendWait) }

// random is uniform in [0, d).
func (m *Machine) random(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(m.cfg.Rand.Int64N(int64(d)))
}

// earliest is the earlier of two instants, where zero means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
