package view

import (
	"time"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// EventLine returns one event, in one line: when, on which link, what the state
// was before and after, what happened, and the lease that it is about. On a
// terminal it is cut at the width, and shows the date of another day only. Into
// a pipe the first four fields hold no blanks: time, link, state before, and
// after.
func EventLine(e agent.Event, o Options) string {
	p := penFor(o)
	if p.piped() {
		l := p.field(p.stamp(e.Time)).with(p.plain(" "), p.field(e.Link), p.plain(" "), p.field(e.From), p.plain(" "), p.field(e.State))
		return p.arrange([]line{l.with(p.plain(" "), p.happened(e))})
	}
	l := p.plain(p.clock(e.Time)+" "+e.Link+" ").with(p.change(e), p.plain(" "), p.happened(e))
	return p.arrange([]line{l})
}

// change is the state, and the one before if it is another.
func (p pen) change(e agent.Event) line {
	to := p.say(colourOf(e.State), e.State)
	if e.From == e.State || e.From == "" {
		return to
	}
	return p.plain(e.From + p.arrow()).with(to)
}

// happened is what happened.
func (p pen) happened(e agent.Event) line {
	l := p.say(kindColour(e.Kind), e.Kind).with(p.plain(withText("", e.Text)))
	if !e.Address.IsValid() {
		return l
	}
	about := e.Address.String()
	if e.Server.IsValid() {
		about += " from " + e.Server.String()
	}
	if !e.Expiry.IsZero() {
		about += " until " + p.until(e.Expiry)
	}
	return l.with(p.plain(" (" + about + ")"))
}

// until is when a lease ends.
func (p pen) until(t time.Time) string {
	if p.piped() {
		return p.stamp(t)
	}
	return p.clock(t)
}

// clock is the time of a day, with the date if that is not today.
func (p pen) clock(t time.Time) string {
	t = t.In(p.Now.Location())
	if t.Format(time.DateOnly) == p.Now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return p.at(t)
}
