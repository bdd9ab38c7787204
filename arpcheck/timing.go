package arpcheck

import (
	"fmt"
	"time"
)

// Timing holds the numbers of RFC 5227, section 1.1, each under the name it
// has there. The zero Timing is not usable; start from [Mode.Timing].
type Timing struct {
	// ProbeWait is PROBE_WAIT: the first probe goes out after a random
	// wait between zero and this, so that hosts switched on together do
	// not all speak at once.
	ProbeWait time.Duration
	// ProbeNum is PROBE_NUM, the number of probes. Zero means that
	// addresses are not probed.
	ProbeNum int
	// ProbeMin and ProbeMax are PROBE_MIN and PROBE_MAX: the time from one
	// probe to the next is random between them, both included.
	ProbeMin, ProbeMax time.Duration
	// AnnounceWait is ANNOUNCE_WAIT: an address is free if nothing
	// conflicting was heard until this long after the last probe.
	AnnounceWait time.Duration
	// Window, if not zero, takes the place of AnnounceWait: the address is
	// free if nothing was heard until this long after the first probe,
	// however the probes were spread. It is ours, not the RFC's: with it,
	// a check takes the same time each time.
	Window time.Duration
	// AnnounceNum is ANNOUNCE_NUM, the number of announcements, at least 1.
	AnnounceNum int
	// AnnounceInterval is ANNOUNCE_INTERVAL, from one announcement to the
	// next.
	AnnounceInterval time.Duration
	// DefendInterval is DEFEND_INTERVAL: an address is defended no more
	// than once in this time.
	DefendInterval time.Duration
}

// Timing returns the numbers of a mode. For a value that is none of the modes
// it returns those of Fast.
func (m Mode) Timing() Timing {
	if m == RFC5227 {
		return Timing{
			ProbeWait:        1 * time.Second,
			ProbeNum:         3,
			ProbeMin:         1 * time.Second,
			ProbeMax:         2 * time.Second,
			AnnounceWait:     2 * time.Second,
			AnnounceNum:      2,
			AnnounceInterval: 2 * time.Second,
			DefendInterval:   10 * time.Second,
		}
	}
	t := Timing{
		// No wait before the first probe: the exchange with the DHCP
		// server, whose start is spread out (RFC 2131, section 4.4.1),
		// has just done what PROBE_WAIT is for.
		ProbeNum: 3,
		// The last of 3 probes leaves at 120 ms at the latest, so even a
		// holder that hears only this one has 80 ms to answer.
		ProbeMin:         40 * time.Millisecond,
		ProbeMax:         60 * time.Millisecond,
		Window:           200 * time.Millisecond,
		AnnounceNum:      2,
		AnnounceInterval: 200 * time.Millisecond,
		DefendInterval:   10 * time.Second,
	}
	if m == Off {
		t.ProbeNum, t.ProbeMin, t.ProbeMax, t.Window = 0, 0, 0, 0
	}
	return t
}

// check returns what is wrong with t.
func (t Timing) check() error {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"ProbeWait", t.ProbeWait}, {"ProbeMin", t.ProbeMin}, {"AnnounceWait", t.AnnounceWait},
		{"Window", t.Window}, {"AnnounceInterval", t.AnnounceInterval}, {"DefendInterval", t.DefendInterval},
	} {
		if d.value < 0 {
			return fmt.Errorf("conflict check: %s is %v, want no less than 0", d.name, d.value)
		}
	}
	switch spread := time.Duration(t.ProbeNum-1) * t.ProbeMax; {
	case t.ProbeNum < 0:
		return fmt.Errorf("conflict check: ProbeNum is %d, want no less than 0", t.ProbeNum)
	case t.ProbeMax < t.ProbeMin:
		return fmt.Errorf("conflict check: ProbeMax is %v, want no less than ProbeMin, %v", t.ProbeMax, t.ProbeMin)
	case t.Window > 0 && t.Window <= spread:
		return fmt.Errorf("conflict check: Window is %v, want more than the %v that %d probes may take", t.Window, spread, t.ProbeNum)
	case t.AnnounceNum < 1:
		return fmt.Errorf("conflict check: AnnounceNum is %d, want at least 1", t.AnnounceNum)
	}
	return nil
}
