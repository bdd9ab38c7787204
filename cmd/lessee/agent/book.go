package agent

import (
	"errors"
	"sync"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/machine"
)

// keptOffers is how many offers a book keeps.
const keptOffers = 8

// A book keeps what is to be told of one link.
type book struct {
	agent *Agent
	name  string

	mu     sync.Mutex
	status Status  // but for Events, Lease and Next
	events []entry // the last ones, the oldest first
	next   time.Time
}

func newBook(a *Agent, l Link) *book {
	return &book{agent: a, name: l.FullName(), status: Status{
		Link: l.FullName(), State: machine.Idle.String(), Hardware: l.Hardware, Carrier: l.Carrier,
		Since: a.cfg.Wall(), Counts: map[string]int{},
	}}
}

// carrier notes the carrier, short losses too.
func (b *book) carrier(up bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status.Carrier = up
}

// report notes what a client reports.
func (b *book) report(r machine.Report) {
	e := b.event(string(r.Cause), r.From.String(), r.To.String(), r.Text)
	if l := r.Lease; !l.IsZero() {
		e.Address, e.Server = l.Addr, l.Server
		e.Expiry = b.wall(l.Expiry)
	}
	b.mu.Lock()
	b.note(e)
	s := &b.status
	s.Try, b.next = r.Try, r.Next
	switch r.Cause {
	case machine.CausePaused:
		s.Paused = true
	case machine.CauseResumed:
		s.Paused = false
	}
	if r.To == machine.Idle {
		s.Paused = false
	}
	if len(r.Offers) > 0 {
		s.Offers = OffersOf(r.Offers[:min(len(r.Offers), keptOffers)])
	}
	if client.IsObstacle(r.Cause) && r.Cause != machine.CauseNotPossible && r.From != machine.Idle {
		s.Problem = &Problem{Time: e.Time, Kind: e.Kind, Text: e.Text}
	}
	b.mu.Unlock()
	b.tell(e, r)
}

// tell shows an event to the world. A message sent once more is no news.
func (b *book) tell(e Event, r machine.Report) {
	if r.Cause == machine.CauseSent && r.From == r.To {
		return
	}
	b.agent.hub.tell(e)
	if b.agent.cfg.Told != nil {
		b.agent.cfg.Told(e)
	}
}

// event is an event of this link, now.
func (b *book) event(kind, from, to, text string) Event {
	return Event{Time: b.agent.cfg.Wall(), Link: b.name, Kind: kind, From: from, State: to, Text: text}
}

// note puts an event into the book. The caller holds mu.
func (b *book) note(e Event) {
	s := &b.status
	if e.State != s.State {
		s.State, s.Since = e.State, e.Time
	}
	s.Counts[e.Kind]++
	if e.Kind == string(machine.CauseSent) && e.From == e.State {
		return // one more copy: the count says enough
	}
	b.keep(e)
}

// Kinds of events that no machine reports.
const (
	KindLocked   = "locked"                // another process has the link in hand
	KindFailed   = "failed"                // the client could not begin, or ended; it is begun anew
	KindPanicked = "panicked"              // the same, because of a mistake in lessee
	KindRefused  = "configuration refused" // a new one; the old one stays in force
)

// problem notes what stood in the way of something, but not of the link.
func (b *book) problem(kind, text string) {
	b.mu.Lock()
	e := b.event(kind, b.status.State, b.status.State, text)
	b.note(e)
	b.status.Problem = &Problem{Time: e.Time, Kind: kind, Text: text}
	b.mu.Unlock()
	b.tell(e, machine.Report{})
}

// failed notes that there is no client for the time being, and why.
func (b *book) failed(err error, wait time.Duration) {
	kind, state := KindFailed, Failed
	var p *client.PanicError
	switch {
	case errors.Is(err, ErrLocked):
		kind, state = KindLocked, Locked
	case errors.As(err, &p):
		kind = KindPanicked
		b.agent.cfg.Log.Error("a mistake in lessee; the link is begun anew", "link", b.name, "error", err, "stack", string(p.Stack))
	}
	b.mu.Lock()
	e := b.event(kind, b.status.State, state, err.Error())
	b.note(e)
	b.status.Problem = &Problem{Time: e.Time, Kind: kind, Text: e.Text}
	b.next = b.agent.cfg.Now().Add(wait)
	b.mu.Unlock()
	if p == nil {
		b.agent.cfg.Log.Warn(kind, "link", b.name, "error", err, "again_in", wait)
	}
	b.tell(e, machine.Report{})
}

// wall is an instant of the clients' clock as the host's clock will show it.
func (b *book) wall(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return b.agent.cfg.Wall().Add(t.Sub(b.agent.cfg.Now())).Round(0)
}

// read returns the status as it is now. The lease is asked of the client,
// because it changes without a report, too, and is told as it is used.
func (b *book) read(c *client.Client, parts *Parts) Status {
	b.mu.Lock()
	s := b.status
	s.Next = b.wall(b.next)
	s.Events = b.told()
	s.Counts = make(map[string]int, len(b.status.Counts))
	for k, n := range b.status.Counts {
		s.Counts[k] = n
	}
	b.mu.Unlock()
	if c == nil {
		return s
	}
	if parts != nil {
		s.Probe = parts.Probe
	}
	l := c.Status().Lease
	if l.IsZero() {
		return s
	}
	if !l.Infinite() {
		left := int64(max(0, l.Expiry.Sub(b.agent.cfg.Now())) / time.Second)
		s.SecondsLeft = &left
	}
	if parts != nil && parts.Notes != nil {
		s.Refused = parts.Notes(l)
	}
	if parts != nil && parts.Used != nil {
		l, s.Overrides = parts.Used(l)
	}
	l = l.On(b.wall)
	s.Lease = &l
	return s
}
