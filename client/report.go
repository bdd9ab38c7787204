package client

import (
	"context"
	"log/slog"

	"github.com/lessee/lessee/client/machine"
)

// report logs one report, shows it to whoever listens, and ends the errands
// that waited for it.
func (c *Client) report(r machine.Report) {
	c.logReport(r)
	if r.Cause == machine.CauseChosen {
		c.logLosers(r.Offers)
	}
	c.notify(Event{Kind: Reported, Report: r})
	switch {
	case IsObstacle(r.Cause):
		c.obstacle = keep(r)
	case r.To == machine.Bound:
		c.obstacle = nil // it is overcome
	}
	c.conclude(r)
}

// keep is a copy that may live for long. (The address of a parameter would put
// every report on the heap.)
func keep(r machine.Report) *machine.Report { return &r }

// logLosers writes a line for each offer that lost, with the reason.
func (c *Client) logLosers(offers []machine.Offer) {
	for _, o := range offers {
		if !o.Chosen {
			c.cfg.Log.Info("offer lost", "offer", o.String())
		}
	}
}

// logReport writes one line: a change of state at info, what went wrong at
// warn, the rest at debug.
func (c *Client) logReport(r machine.Report) {
	level := slog.LevelDebug
	switch {
	case r.Cause == machine.CauseNotPossible:
	case IsObstacle(r.Cause):
		level = slog.LevelWarn
	case r.From != r.To || r.Cause == machine.CauseNote || r.Cause == machine.CauseUnchecked:
		level = slog.LevelInfo
	}
	if !c.cfg.Log.Enabled(context.Background(), level) {
		return
	}
	attrs := []any{slog.String("state", r.To.String())}
	if r.From != r.To {
		attrs = append(attrs, slog.String("from", r.From.String()))
	}
	if r.Text != "" {
		attrs = append(attrs, slog.String("text", r.Text))
	}
	if l := r.Lease; !l.IsZero() {
		attrs = append(attrs, slog.String("addr", l.Addr.String()), slog.String("server", l.Server.String()))
		if !l.Infinite() {
			attrs = append(attrs, slog.Time("expiry", l.Expiry))
		}
	}
	if r.Try > 0 {
		attrs = append(attrs, slog.Int("try", r.Try))
	}
	c.cfg.Log.Log(context.Background(), level, string(r.Cause), attrs...)
}

// notify logs what is about a message, and shows every event to whoever
// listens.
func (c *Client) notify(e Event) {
	switch e.Kind {
	case Sent, Received, Dropped:
		c.logMessage(e)
	}
	if c.cfg.Notify != nil {
		e.Time = c.cfg.Now()
		c.cfg.Notify(e)
	}
}

// logMessage writes one line at debug for a message that went or came.
func (c *Client) logMessage(e Event) {
	if !c.cfg.Log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	event := [...]string{Sent: "sent", Received: "received", Dropped: "dropped"}[e.Kind]
	attrs := []any{slog.String("message", e.Message.String())}
	switch {
	case e.Kind == Dropped:
		attrs = append(attrs, slog.String("reason", string(e.Reason)), slog.Int("count", c.drops[e.Reason]))
	case e.Err != nil:
		event = "not sent"
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	c.cfg.Log.Debug(event, attrs...)
}

// trouble tells of a failure beside the exchange, from beside the loop. After
// the loop only the log hears of it.
func (c *Client) trouble(err error) {
	c.logTrouble(err)
	c.post(letter{trouble: err})
}

func (c *Client) logTrouble(err error) { c.cfg.Log.Warn("trouble", slog.Any("error", err)) }

// tell shows an event beside the exchange to whoever listens. An Event is large,
// and the loop's frame is there for years.
//
//go:noinline
func (c *Client) tell(k Kind, err error) { c.notify(Event{Kind: k, Err: err}) }
