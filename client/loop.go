package client

import (
	"context"
	"errors"
	"time"

	"github.com/lessee/lessee/client/machine"
)

// longestSleep bounds the timer where nobody tells of sleep: timers stop while
// the machine sleeps, so a wake-up is noticed within this time.
const longestSleep = time.Minute

// settleTime bounds what is done after the end: the last messages and the
// last changes to the host.
const settleTime = 5 * time.Second

// drive runs the machine from its first inputs until the errand is done, or
// ctx ends. It returns the errand's last report, or ctx's cause.
func (c *Client) drive(ctx context.Context, e *errand, first ...machine.Input) (machine.Report, error) {
	c.first, c.sole, c.errands = first, e, []*errand{e}
	err := c.live(ctx)
	var panicked *PanicError
	if errors.As(err, &panicked) {
		return machine.Report{}, err
	}
	select {
	case r := <-e.done: // perhaps at the last moment
		return *r, nil
	default:
		return machine.Report{}, err
	}
}

// live runs the machine until the client's errand is done, or ctx ends: without
// an errand, that is the only end. It, and loop, have small frames: an agent has
// one of each for every link, and they are there for years.
func (c *Client) live(ctx context.Context) error {
	// What runs beside the loop outlives ctx until all is settled.
	beside, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return c.end(beside, cancel, c.loop(ctx, beside))
}

// end does what is to be done when the loop has ended with err.
func (c *Client) end(beside context.Context, cancel context.CancelFunc, err error) error {
	close(c.over)
	errLeave := c.leave(beside, err)
	cancel()
	c.beside.Wait()
	if errLeave != nil {
		return errLeave
	}
	return err
}

// leave ends what was under way when the loop ended with why.
func (c *Client) leave(ctx context.Context, why error) (err error) {
	defer caught(&err)
	defer c.endGuard()
	var panicked *PanicError
	switch {
	case errors.As(why, &panicked):
		return nil // whatever the machine says now is not to be trusted
	case errors.Is(why, ErrLinkGone):
		c.step(ctx, machine.Leave{})
	case c.machine.State() != machine.Idle:
		c.step(ctx, machine.Stop{})
	}
	c.settle()
	return nil
}

// loop feeds the machine until the client's errand is done.
func (c *Client) loop(ctx, beside context.Context) (err error) {
	defer caught(&err)
	if err := c.firstLinkState(ctx, beside); err != nil {
		return err
	}
	for _, in := range c.first {
		c.step(beside, in)
	}
	c.first = nil
	timer := time.NewTimer(longestSleep)
	defer timer.Stop()
	for !c.fulfilled() {
		if d := c.sleep(); d >= 0 {
			timer.Reset(d)
		} else {
			timer.Stop()
		}
		var in machine.Input // nil: nothing for the machine
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case s, more := <-c.cfg.Link:
			in, err = c.linkChanged(beside, s, more)
		case l := <-c.mail:
			in, err = c.open(beside, l)
		case <-c.arrived:
			in, err = c.take()
		case <-c.heard:
			in = c.check()
		case <-timer.C:
			in = c.timeout(beside)
		case <-c.cfg.Woke:
			in = c.timeout(beside)
		}
		if err != nil {
			return err
		}
		if in != nil {
			c.step(beside, in)
		}
	}
	return nil
}

// fulfilled tells whether the errand is done that the client is for.
func (c *Client) fulfilled() bool { return c.sole != nil && len(c.sole.done) > 0 }

// A letter is from beside the loop, or from outside: one of these, but for again,
// which comes with what was done to the host.
type letter struct {
	in       machine.Input // something happened
	command  *errand       // from Do
	trouble  error         // something failed, and all goes on
	fatal    error         // the client cannot go on
	repaired bool          // the host was asked to
	again    time.Duration // until the host wants to be repaired; 0: it does not
}

// post gives the loop a letter; after the loop it is of no interest.
func (c *Client) post(l letter) {
	select {
	case c.mail <- l:
	case <-c.over:
	}
}

// open reads a letter.
func (c *Client) open(ctx context.Context, l letter) (machine.Input, error) {
	if l.again > 0 {
		c.again = c.cfg.Now().Add(l.again)
	}
	switch {
	case l.command != nil:
		c.obey(ctx, l.command)
	case l.trouble != nil:
		c.tell(Trouble, l.trouble)
	case l.repaired:
		c.tell(Repaired, nil)
	}
	return l.in, l.fatal
}

// linkChanged is what the machine must know of a change of the link. If there
// are no more, nothing changes.
func (c *Client) linkChanged(ctx context.Context, s LinkState, more bool) (machine.Input, error) {
	switch {
	case !more:
		c.cfg.Link = nil
		return nil, nil
	case s.Gone:
		return nil, ErrLinkGone
	}
	if s.Touched {
		c.repair(ctx)
	}
	return machine.LinkChanged{Up: s.Up, Reset: s.Reset}, nil
}

// timeout is what the machine must know when a time has come. One of the host's
// is not the machine's, which then finds that it is early.
func (c *Client) timeout(ctx context.Context) machine.Input {
	if !c.again.IsZero() && !c.cfg.Now().Before(c.again) {
		c.again = time.Time{}
		c.repair(ctx)
	}
	return machine.Timeout{}
}

// take is a message that came; nil: there is none.
func (c *Client) take() (machine.Input, error) {
	m, err := c.cfg.Conn.Take()
	if m == nil || err != nil {
		return nil, err
	}
	return machine.Received{Message: m}, nil
}

// firstLinkState waits for what the link is like at the start, so that nothing
// is begun without a carrier.
func (c *Client) firstLinkState(ctx, beside context.Context) error {
	if c.cfg.Link == nil {
		return nil
	}
	select {
	case s, more := <-c.cfg.Link:
		if s.Gone {
			return ErrLinkGone
		}
		if more && !s.Up {
			c.step(beside, machine.LinkChanged{Up: false})
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// sleep is how long there is nothing to do; less than 0: until something
// happens.
func (c *Client) sleep() time.Duration {
	longest := longestSleep
	if c.cfg.Woke != nil {
		longest = -1
	}
	d := c.machine.Deadline()
	if !c.again.IsZero() && (d.IsZero() || c.again.Before(d)) {
		d = c.again
	}
	if d.IsZero() {
		return longest
	}
	left := max(0, d.Sub(c.cfg.Now()))
	if longest < 0 {
		return left
	}
	return min(longest, left)
}

// settle waits until what was begun is done: messages that must leave, changes
// to the host, announcements.
func (c *Client) settle() {
	deadline := time.NewTimer(settleTime)
	defer deadline.Stop()
	for _, done := range []chan struct{}{c.hostDone, c.announced} {
		if done == nil {
			continue
		}
		select {
		case <-done:
		case <-deadline.C:
			return
		}
	}
}
