package agent

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/machine"
)

// Waits between a client's end and the next one's start: doubled with each
// failure, and back to the first after a client that lived for a while. A link
// that is in other hands is looked at with the same wait each time.
const (
	firstRestart = time.Second
	maxRestart   = 64 * time.Second
	lockedWait   = 10 * time.Second
	steadyLife   = 10 * time.Minute
)

// commandTime bounds what is sent at the end of a link.
const commandTime = 5 * time.Second

// A keeper keeps one link, by one client after another.
type keeper struct {
	agent *Agent
	plan  Plan // the one it began under
	print string
	link  Link
	name  string
	book  *book

	finished string // Finish of the plan in force; only the agent's loop looks at it

	state   chan client.LinkState         // the latest that the client has not seen
	current atomic.Pointer[client.Client] // the one that runs; nil: none
	parts   atomic.Pointer[Parts]         // its parts
	poke    chan struct{}                 // ends a wait

	began    time.Time // of the life, and how many ended soon before it; only run looks at them
	failures int

	stopping chan struct{} // closed when the keeper is to let go
	once     sync.Once
	policy   Policy // how; to be read after stopping is closed

	mu    sync.Mutex
	end   func()           // lets go of the client that runs; nil: none does
	seen  client.LinkState // the latest
	reset bool             // the link was set down, and the client does not know
	touch bool             // something is gone from the link, and the client does not know
}

func newKeeper(a *Agent, p Plan, l Link) *keeper {
	return &keeper{
		agent: a, plan: p, print: p.Print(l.FullName()), link: l, name: l.FullName(),
		book: newBook(a, l), finished: p.Finish(l.FullName()),
		state: make(chan client.LinkState, 1), poke: make(chan struct{}, 1),
		stopping: make(chan struct{}), seen: client.LinkState{Up: l.Carrier},
	}
}

// setLink tells of the link. It never waits: of several changes that the
// client did not get to see, it sees the last, and that the link was set down
// in between. Only the agent's loop calls it.
func (k *keeper) setLink(s client.LinkState) {
	k.mu.Lock()
	k.reset, k.touch = k.reset || s.Reset, k.touch || s.Touched
	k.seen = client.LinkState{Up: s.Up, Gone: s.Gone}
	k.mu.Unlock()
	k.book.carrier(s.Up)
	k.put()
	if s.Gone {
		k.wake()
	}
}

// put leaves the latest for the client, in place of what it has not taken. What
// that is must not change between the look and the leaving.
func (k *keeper) put() {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.seen
	select {
	case old := <-k.state:
		k.reset, k.touch = k.reset || old.Reset, k.touch || old.Touched
	default:
	}
	if s.Up { // a link that is down takes no routes
		s.Reset, k.reset = k.reset, false
		s.Touched, k.touch = k.touch, false
	}
	k.state <- s
}

// last is how the link was seen last.
func (k *keeper) last() client.LinkState {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen
}

// stop has the keeper let go of its link. It does not wait for that; the first
// policy counts.
func (k *keeper) stop(p Policy) {
	k.once.Do(func() {
		k.policy = p
		close(k.stopping)
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.end != nil {
			go k.end()
		}
	})
}

// reapply has what is made of leases done again, beside everything else. Where
// no client runs, or it holds no lease, there is nothing to do: whoever applies
// one next follows the plan in force.
func (k *keeper) reapply(ctx context.Context) {
	c := k.current.Load()
	if c == nil {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(ctx, commandTime)
		defer cancel()
		_, err := c.Do(ctx, machine.Reapply{})
		var o *client.Obstacle
		if err == nil || errors.Is(err, client.ErrEnded) || errors.As(err, &o) {
			return // the book tells of obstacles
		}
		k.agent.cfg.Log.Warn("the lease in use is not known to be applied as is configured now", "link", k.name, "error", err)
	}()
}

// status is what holds on the link.
func (k *keeper) status() Status { return k.book.read(k.current.Load(), k.parts.Load()) }

// onStop makes end what stop calls, unless it has been called already.
func (k *keeper) onStop(end func()) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.end = end
	return !k.stopped()
}

// wake ends a wait for the next start.
func (k *keeper) wake() {
	select {
	case k.poke <- struct{}{}:
	default:
	}
}

// run keeps the link until it is gone or the keeper is stopped. Its frame is
// small, and all that it has below it at rest is the client's: it is there for
// years, on every link.
func (k *keeper) run(ctx context.Context) {
	for goOn := !k.last().Gone; goOn; {
		l, err := k.begin(ctx)
		if err == nil {
			err = k.conclude(ctx, l, l.run(l.ctx))
		}
		goOn = k.again(ctx, err)
	}
}

// again waits until the next life, after one that ended with err. False: there
// is none.
func (k *keeper) again(ctx context.Context, err error) bool {
	switch {
	case k.stopped() && err != nil:
		k.undo(ctx)
		return false
	case k.stopped(), k.last().Gone, errors.Is(err, client.ErrLinkGone):
		return false
	}
	if k.agent.cfg.Now().Sub(k.began) >= steadyLife {
		k.failures = 0
	}
	wait := min(firstRestart<<min(k.failures, 10), maxRestart)
	k.failures++
	if errors.Is(err, ErrLocked) {
		wait, k.failures = lockedWait, 0
	}
	k.book.failed(err, wait)
	if k.pause(wait); k.stopped() {
		k.undo(ctx)
		return false
	}
	return !k.last().Gone
}

func (k *keeper) stopped() bool {
	select {
	case <-k.stopping:
		return true
	default:
		return false
	}
}

// pause waits for d, or until there is news.
func (k *keeper) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-k.poke:
	case <-k.stopping:
	}
}

// farewell gives a client its last command.
func (k *keeper) farewell(ctx context.Context, c *client.Client) (err error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	switch k.policy {
	case Withdraw:
		_, err = c.Do(ctx, machine.Leave{})
	case Release:
		_, err = c.Do(ctx, machine.Release{})
	}
	if errors.Is(err, client.ErrEnded) {
		return nil // by itself; whatever is left is undone by letGo
	}
	return err
}

// undo takes off what is configured when no client did.
func (k *keeper) undo(ctx context.Context) {
	if k.policy == Keep {
		return
	}
	if err := k.undone(ctx); err != nil && !k.last().Gone {
		k.agent.cfg.Log.Error("the link was not let go as it should", "link", k.name, "policy", k.policy.String(), "error", err)
	}
}

func (k *keeper) undone(ctx context.Context) (err error) {
	defer caught(&err)
	parts, err := k.plan.Open(ctx, k.link)
	if err != nil {
		return err
	}
	return errors.Join(parts.letGo(ctx), parts.close())
}

// letGo takes off whatever is still configured.
func (p *Parts) letGo(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	if p.Undo != nil {
		err = p.Undo(ctx)
	}
	if p.Down != nil {
		err = errors.Join(err, p.Down())
	}
	return err
}

func (p *Parts) close() error {
	if p == nil || p.Close == nil {
		return nil
	}
	return p.Close()
}

// notify shows a client's events to whoever counts, and keeps the book.
func (k *keeper) notify(parts *Parts) func(client.Event) {
	return func(e client.Event) {
		if parts.Notify != nil {
			parts.Notify(e)
		}
		if k.agent.cfg.Observe != nil {
			k.agent.cfg.Observe(k.name, e)
		}
		if e.Kind == client.Reported {
			k.book.report(e.Report)
		}
	}
}
