package view

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

const day = 24 * time.Hour

// span is a duration in at most six columns: "59s", "9m5s", "41m", "23h",
// "3d4h", "49710d". The second unit is there as long as it may matter.
func span(d time.Duration) string {
	units := []struct {
		d    time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	d = max(d, 0)
	for i, u := range units[:3] {
		n := d / u.d
		if n == 0 {
			continue
		}
		text := strconv.Itoa(int(n)) + u.name
		if rest := d % u.d / units[i+1].d; n < 10 && rest > 0 {
			text += strconv.Itoa(int(rest)) + units[i+1].name
		}
		return text
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}

// distance is "in 5m" or "3d4h ago".
func distance(d time.Duration) string {
	switch {
	case d <= -time.Second:
		return span(-d) + " ago"
	case d < time.Second:
		return "now"
	}
	return "in " + span(d)
}

// A term is how long a lease lasts.
type term struct {
	held     bool          // there is a lease
	infinite bool          // it never ends
	left     time.Duration // of it
	whole    time.Duration
}

// termOf is what is left of a lease. What the agent says counts: it knows a
// clock that nobody sets.
func termOf(s agent.Status, now time.Time) term {
	t := term{held: s.Lease != nil && !s.Lease.IsZero()}
	if !t.held {
		return t
	}
	if s.Lease.Infinite() {
		t.infinite = true
		return t
	}
	t.left, t.whole = s.Lease.Expiry.Sub(now), s.Lease.Expiry.Sub(s.Lease.Start)
	if s.SecondsLeft != nil {
		const most = math.MaxInt64 / int64(time.Second)
		t.left = time.Duration(min(max(*s.SecondsLeft, 0), most)) * time.Second
	}
	t.left = max(t.left, 0)
	return t
}

// words is what is left, for people.
func (t term) words() string {
	switch {
	case !t.held:
		return "-"
	case t.infinite:
		return "for ever"
	}
	return span(t.left)
}

// seconds is what is left, for awk.
func (t term) seconds() string {
	switch {
	case !t.held:
		return "-"
	case t.infinite:
		return "infinite"
	}
	return fmt.Sprint(int64(t.left / time.Second))
}
