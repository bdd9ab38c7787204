package client

import (
	"context"

	"github.com/lessee/lessee/client/machine"
)

// An errand is a command whose end somebody waits for.
type errand struct {
	in   machine.Input
	ends func(machine.Report) bool // whether a report is the last one
	done chan *machine.Report      // takes that report
	host chan struct{}             // closed when all changes to the host up to it are made; nil: none
}

func newErrand(ends func(machine.Report) bool) *errand {
	return &errand{ends: ends, done: make(chan *machine.Report, 1)}
}

// Do gives a command to a client that runs, and returns when it has been
// carried out: [machine.Renew] and Rebind when the host has the extended lease,
// [machine.Reacquire] when it is verified or there is one, [machine.Release]
// and Leave when the host is rid of it, [machine.Pause] and Resume at once. The
// report tells what came of it. The error is an [*Obstacle] if something stood
// in the way, ErrEnded if the client ended before it came to that, or ctx's
// cause; the command goes on in that case.
func (c *Client) Do(ctx context.Context, command machine.Input) (machine.Report, error) {
	e := newErrand(endOf(command))
	e.in = command
	select {
	case c.mail <- letter{command: e}:
	case <-c.over:
		return machine.Report{}, ErrEnded
	case <-ctx.Done():
		return machine.Report{}, context.Cause(ctx)
	}
	select {
	case r := <-e.done:
		e.settle(ctx)
		return *r, e.obstacle(*r)
	case <-c.over:
	case <-ctx.Done():
		return machine.Report{}, context.Cause(ctx)
	}
	select {
	case r := <-e.done: // the last thing that the client did
		return *r, e.obstacle(*r)
	default:
		return machine.Report{}, ErrEnded
	}
}

// settle waits until the host is as a command that ends things wants it: who
// gave a lease back may look whether it is gone.
func (e *errand) settle(ctx context.Context) {
	switch e.in.(type) {
	case machine.Release, machine.Leave:
		if e.host != nil {
			select {
			case <-e.host:
			case <-ctx.Done():
			}
		}
	}
}

// obstacle is the error if e ends with a report that tells of one.
func (e *errand) obstacle(r machine.Report) error {
	if _, verified := e.in.(machine.Reacquire); r.Cause == machine.CauseUnconfirmed && !verified {
		r.Cause = machine.CauseNoServer // to extend the lease
	}
	if IsObstacle(r.Cause) {
		return &Obstacle{Report: r}
	}
	return nil
}

// endOf tells which report ends a command.
func endOf(command machine.Input) func(machine.Report) bool {
	switch command.(type) {
	case machine.Renew, machine.Rebind:
		return func(r machine.Report) bool {
			return extended(r) || r.To == machine.Bound && (r.Cause == machine.CauseBound || r.Cause == machine.CauseUnconfirmed)
		}
	case machine.Reacquire:
		return func(r machine.Report) bool { return r.To == machine.Bound || IsObstacle(r.Cause) }
	}
	return func(machine.Report) bool { return true }
}

// extended tells whether a report ends the attempt to extend a lease.
func extended(r machine.Report) bool {
	switch r.Cause {
	case machine.CauseConfigured, machine.CauseApplyFailed, machine.CauseNAK, machine.CauseNoServer,
		machine.CauseExpired, machine.CauseConflict, machine.CauseLinkDown, machine.CausePaused:
		return true
	}
	return false
}

// obey gives the machine a command.
func (c *Client) obey(ctx context.Context, e *errand) {
	c.errands = append(c.errands, e)
	c.asking = e
	c.step(ctx, e.in)
	c.asking = nil
}

// conclude ends the errands that r is the last report of. That something is
// not possible concerns only who asked for it.
func (c *Client) conclude(r machine.Report) {
	left := c.errands[:0]
	for _, e := range c.errands {
		over := e.ends(r)
		if r.Cause == machine.CauseNotPossible {
			over = e == c.asking
		}
		if over {
			e.host = c.hostDone
			e.done <- &r
			continue
		}
		left = append(left, e)
	}
	clear(c.errands[len(left):])
	c.errands = left
}

// Status returns a copy of what the client knows at this moment. It waits no
// longer than the machine thinks.
func (c *Client) Status() machine.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.machine.Status()
}
