package metrics

import (
	"sync"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
)

// A Link counts what happens to one link. Its methods are safe for concurrent
// use and never wait, so that they may be called from a client's own goroutine.
type Link struct {
	mu     sync.Mutex
	counts counts

	// The acquisition under way, for the time to a lease.
	began   time.Time // its first message; zero: none is under way
	holding bool      // a lease is in use, so that what is sent extends or verifies it
}

func newLink(name string) *Link { return &Link{counts: newCounts(name)} }

func (l *Link) snapshot() counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts.clone()
}

// Observe counts an event of the link's client; it fits client.Config.Notify.
func (l *Link) Observe(e client.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Kind {
	case client.Sent:
		l.sent(e)
	case client.Received:
		l.counts.messages[received][typeIndex(e.Message.Type())]++
	case client.Dropped:
		l.counts.dropped[dropReasons.index(string(e.Reason))]++
	case client.Reported:
		l.reported(e.Time, e.Report)
	case client.Trouble:
		l.trouble(e.Err)
	}
}

// sent counts a message. The first one without a lease begins an acquisition,
// also if it was lost on this host already: somebody waits from then on.
func (l *Link) sent(e client.Event) {
	t := e.Message.Type()
	if e.Err != nil {
		l.counts.plain[sendErrors]++
	} else {
		l.counts.messages[sent][typeIndex(t)]++
	}
	asks := t == dhcp4.Discover || t == dhcp4.Request
	if asks && !l.holding && l.began.IsZero() {
		l.began = e.Time
	}
}

// reported counts what the machine says, and follows whether it has a lease.
func (l *Link) reported(at time.Time, r machine.Report) {
	if c, ok := counterOf(r); ok {
		l.counts.plain[c]++
	}
	switch r.To {
	case machine.Bound, machine.Renewing, machine.Rebinding:
		if !l.began.IsZero() {
			l.counts.lease.observe(at.Sub(l.began))
		}
		l.began, l.holding = time.Time{}, true
	case machine.InitReboot, machine.Rebooting, machine.Checking, machine.Applying:
		// A lease may be verified that stays in use meanwhile.
	default:
		l.holding = false
	}
	switch r.Cause {
	case machine.CauseLinkDown, machine.CausePaused, machine.CauseReleased, machine.CauseStopped:
		// Nobody can answer any more: how long that lasts says nothing
		// of servers.
		l.began = time.Time{}
	}
}

// counterOf is the counter that a report counts for.
func counterOf(r machine.Report) (counter, bool) {
	switch r.Cause {
	case machine.CauseBound:
		return leasesBound, r.From != machine.Idle // else it was adopted
	case machine.CauseUnconfirmed:
		return leasesUnconfirmed, r.To == machine.Bound // it is told of twice if the address is checked
	case machine.CauseExtended:
		if r.From == machine.Rebinding {
			return rebindings, true
		}
		return renewals, true
	case machine.CauseExpired:
		return expiries, true
	case machine.CauseNAK:
		return naks, true
	case machine.CauseConflict:
		return conflicts, true
	case machine.CauseNoServer:
		return unanswered, true
	case machine.CauseRefused:
		return offersRefused, true
	case machine.CauseApplyFailed:
		return applyFailures, true
	case machine.CauseLinkDown:
		return flaps, r.From != machine.Idle // else it was down from the start
	}
	return 0, false
}

// DroppedFrame counts a frame that was dropped before it was a message, by one
// of the words of [FrameReason].
func (l *Link) DroppedFrame(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.frames[frameReasons.index(reason)]++
}

// Changed counts n changes that were made to the host: addresses, routes, the
// MTU, the resolver.
func (l *Link) Changed(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.plain[changes] += uint64(max(n, 0))
}

// HookFailed counts a hook that was not run to a good end.
func (l *Link) HookFailed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.plain[hookFailures]++
}

// Trouble counts a failure beside the exchange that no event tells of.
func (l *Link) Trouble(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trouble(err)
}

func (l *Link) trouble(err error) {
	l.counts.troubles[troubleKinds.index(TroubleKind(err))]++
}

// restarted counts that the link's client is begun anew.
func (l *Link) restarted(panicked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.plain[restarts]++
	if panicked {
		l.counts.plain[panics]++
	}
	l.began, l.holding = time.Time{}, false
}
