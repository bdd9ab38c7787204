package control

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// A Reason is why somebody was turned away or cut off, in a few fixed words.
type Reason string

// The reasons.
const (
	TooManyConnections Reason = "too many connections"
	TooManyOfOneUser   Reason = "too many connections of one user"
	Unknown            Reason = "peer unknown"  // the kernel does not say who it is
	OutOfFiles         Reason = "out of files"  // or of memory: nobody can be taken in
	NotPermitted       Reason = "not permitted" // the connection goes on
	TooLong            Reason = "message too long"
	Garbage            Reason = "garbage"          // no JSON, or no call
	HalfMessage        Reason = "half a message"   // and the rest did not come
	TooMuchWaiting     Reason = "too much waiting" // requests behind one under way
	Idle               Reason = "idle"
	NotReading         Reason = "not reading"        // its replies
	TooFarBehind       Reason = "too far behind"     // with its events
	Panicked           Reason = "panic in a handler" // a defect of ours
	Broken             Reason = "reply not written"  // for another cause than the peer's going
)

// A cut is the error that ends a connection for a reason.
type cut struct {
	reason Reason
	detail string
}

func (c *cut) Error() string { return string(c.reason) }

// logEvery is how often one reason is logged at most: whoever floods the
// socket shall not flood the log.
const logEvery = time.Minute

// refusals count who was refused, and log some of them.
type refusals struct {
	cfg Config

	mu   sync.Mutex
	seen map[Reason]*tally
}

type tally struct {
	count  int
	logged time.Time
}

// add counts one refusal, and says so unless that has been said just now.
func (r *refusals) add(p Peer, c *cut) {
	r.cfg.Refused(c.reason)
	count, say := r.tally(c.reason)
	if !say {
		return
	}
	attrs := []any{slog.String("reason", string(c.reason)), slog.Int("count", count)}
	if p.known {
		attrs = append(attrs, slog.Uint64("uid", uint64(p.UID)), slog.Int("pid", int(p.PID)))
	}
	if c.detail != "" {
		attrs = append(attrs, slog.String("detail", c.detail))
	}
	level := slog.LevelWarn
	switch c.reason {
	case Idle:
		level = slog.LevelDebug // nobody did anything wrong
	case Panicked:
		level = slog.LevelError
	}
	r.cfg.Log.Log(context.Background(), level, "refused on the control socket", attrs...)
}

// tally counts, and decides whether to log.
func (r *refusals) tally(reason Reason) (count int, say bool) {
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.seen[reason]
	if t == nil {
		t = &tally{logged: now.Add(-logEvery)}
		r.seen[reason] = t
	}
	t.count++
	if say = now.Sub(t.logged) >= logEvery; say {
		t.logged = now
	}
	return t.count, say
}
