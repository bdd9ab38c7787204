package netconf

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lessee/lessee/client/lease"
)

// How often what somebody took away is put back between two renewals: so many
// times in so long. Another program that wants the link otherwise would go on
// for ever, and so would we.
const (
	repairs      = 5
	repairPeriod = 10 * time.Minute
)

// How long to wait before the resolver is told once more, if it could not be
// told: twice as long each time, until an operator has a reason to look.
const (
	firstRetry = time.Second
	lastRetry  = 10 * time.Minute
)

// errContested says that two want the link otherwise.
var errContested = errors.New("somebody takes it away again and again")

// Repair puts back what somebody took away of what was applied for l, and
// reports whether there was anything. Callers do so when [Link].Touched has
// grown. It finds the same as [Host.Apply], and more cheaply that there is
// nothing to do; it is bounded, so that two managers of one link do not fight
// for ever: then the rest waits for the next Apply, and Trouble is told. Callers
// also do so when Unfinished says, and names are tried again.
func (h *Host) Repair(ctx context.Context, l lease.Lease) (repaired bool, err error) {
	h.unfinished = min(2*h.unfinished, lastRetry)
	if _, err := h.leftOf(l.Expiry); err != nil {
		return false, nil // whoever keeps the lease will see to it
	}
	d := &dry{link: h.link, kernelOnly: true}
	steps, err := h.difference(ctx, l, d)
	if errors.Is(err, ErrNoLink) {
		return false, nil // nor is there a link to put anything on
	}
	if err != nil {
		return false, err
	}
	if o := h.Options(); o.Source != d.decided.Source || o.Table != d.decided.Table { // nobody's doing: the links are others
		h.cfg.Log.Info("routes are decided anew, because links have come or gone", "link", h.link, "table", d.decided.Table, "source_table", d.decided.Source.Table)
		return true, h.Apply(ctx, l)
	}
	lost := slices.DeleteFunc(steps, func(s Step) bool { return s.Renewal })
	if len(lost) == 0 {
		h.contest("")
		h.trouble(toldContested, "", nil)
		if h.unfinished > 0 {
			return true, h.Apply(ctx, l)
		}
		return false, nil
	}
	now := h.cfg.Now()
	h.repaired = slices.DeleteFunc(h.repaired, func(t time.Time) bool { return now.Sub(t) > repairPeriod })
	if len(h.repaired) >= repairs {
		h.contest(lost[0].Do)
		h.trouble(toldContested, "what was configured is gone, and stays so until the lease is renewed (lessee renew "+h.key()+"): "+lost[0].Do, errContested)
		return false, nil
	}
	h.repaired = append(h.repaired, now)
	h.cfg.Log.Warn("what was configured is not there, and is put back", "link", h.link, "what", lost[0].Do, "changes", len(lost))
	return true, h.Apply(ctx, l)
}

// Unfinished returns how long to wait before the next Repair, although nothing
// was taken away: the resolver could not be told. It may not be there yet when a
// system boots, or be in other hands for a while; one that is in other hands for
// good waits for the next Apply. 0: there is no need.
func (h *Host) Unfinished() time.Duration { return h.unfinished }

// contest notes the first of what is missing and is not put back; "": nothing is.
func (h *Host) contest(missing string) {
	h.contested = missing
	h.decide(h.Options())
}
