package view

import (
	"strings"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// A pen writes for one kind of reader.
type pen struct{ Options }

// penFor is the pen for o. There are no colours in a pipe.
func penFor(o Options) pen {
	o.Color = o.Color && !o.piped()
	return pen{o}
}

// say is the only way of a text into a line.
func (p pen) say(c colour, text string) line {
	if text == "" {
		return nil
	}
	return line{{clean(text, p.ASCII), c}}
}

func (p pen) plain(text string) line { return p.say(none, text) }

// field is a text that awk finds: it holds no blanks and is never empty.
func (p pen) field(text string) line {
	if text == "" {
		text = "-"
	}
	return p.plain(strings.ReplaceAll(clean(text, p.ASCII), " ", `\x20`))
}

// choose is what a reader understands of two.
func (p pen) choose(utf8, ascii string) string {
	if p.ASCII {
		return ascii
	}
	return utf8
}

func (p pen) dots() string { return p.choose("…", "...") }

func (p pen) arrow() string { return p.choose(" → ", " -> ") }

// arrange makes text of lines, as wide as the terminal is.
func (p pen) arrange(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		l = l.trim()
		if !p.piped() {
			l = l.cut(p.Width, p.dots())
		}
		l.appendTo(&b, p.Color)
	}
	return b.String()
}

// colourOf is the meaning of a state.
func colourOf(state string) colour {
	switch state {
	case machine.Bound.String():
		return green
	case agent.Absent, agent.Locked, agent.Failed:
		return red
	case machine.Idle.String(), "":
		return none
	}
	for s := machine.Init; s.String() != "INVALID"; s++ {
		if s.String() == state {
			return yellow
		}
	}
	return none
}

// stateColour is that of a link's state. A lease in use on a link that is cut off
// is no reason to be at ease.
func stateColour(s agent.Status) colour {
	c := colourOf(s.State)
	if c == green && len(remarks(s)) > 0 {
		return yellow
	}
	return c
}

// remarks are what should be known of a link beside its state.
func remarks(s agent.Status) (words []string) {
	if s.Paused {
		words = append(words, "paused")
	}
	if !s.Carrier && s.State != agent.Absent {
		words = append(words, "no carrier")
	}
	return words
}

// kindColour is red for an event that stands in the way of a lease.
func kindColour(kind string) colour {
	switch kind {
	case agent.KindFailed, agent.KindPanicked, agent.KindLocked, agent.KindRefused:
		return red
	}
	if client.IsObstacle(machine.Cause(kind)) {
		return red
	}
	return none
}

// at is an instant in the reader's time zone.
func (p pen) at(t time.Time) string { return t.In(p.Now.Location()).Format(time.DateTime) }

// stamp is an instant for programs, without blanks.
func (p pen) stamp(t time.Time) string { return t.In(p.Now.Location()).Format(time.RFC3339) }

// withText is a text with more after a colon, if there is more.
func withText(text, more string) string {
	if more == "" {
		return text
	}
	return text + ": " + more
}

// atAndFrom is an instant with its distance from now.
func (p pen) atAndFrom(t time.Time) string {
	return p.at(t) + " (" + distance(t.Sub(p.Now)) + ")"
}
