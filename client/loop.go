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
// ctx ends. It returns the errand's last report, or ctx's cause. Without an
// errand it goes on for as long as ctx.
func (c *Client) drive(ctx context.Context, e *errand, first ...machine.Input) (machine.Report, error) {
	c.first = first
	r, err := c.live(ctx, e)
	if r == nil {
		return machine.Report{}, err
	}
	return *r, err
}

// live is drive, with frames that are small: an agent has one for each link,
// and it is there for years.
func (c *Client) live(ctx context.Context, e *errand) (r *machine.Report, err error) {
	if e != nil {
		c.errands = append(c.errands, e)
	} else {
		e = &errand{} // never done
	}
	// What runs beside the loop outlives ctx until all is settled.
	beside, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer c.beside.Wait()
	defer cancel()

	err = guard(func() error {
		r, err = c.loop(ctx, beside, e)
		return err
	})
	close(c.over)
	if errPanic := guard(func() error { c.leave(beside, err); c.endGuard(); return nil }); errPanic != nil {
		return r, errPanic
	}
	select {
	case r = <-e.done: // it ended with a result all the same
		return r, nil
	default:
		return r, err
	}
}

// leave ends what was under way when the loop ended with err.
func (c *Client) leave(ctx context.Context, err error) {
	var panicked *PanicError
	switch {
	case errors.As(err, &panicked):
		return // whatever the machine says now is not to be trusted
	case errors.Is(err, ErrLinkGone):
		c.step(ctx, machine.Leave{})
	case c.machine.State() != machine.Idle:
		c.step(ctx, machine.Stop{})
	}
	c.settle()
}

// loop feeds the machine until the errand is done.
func (c *Client) loop(ctx, beside context.Context, e *errand) (*machine.Report, error) {
	if err := c.firstLinkState(ctx, beside); err != nil {
		return nil, err
	}
	for _, in := range c.first {
		c.step(beside, in)
	}
	c.first = nil
	timer := time.NewTimer(longestSleep)
	defer timer.Stop()
	for {
		if d := c.sleep(); d >= 0 {
			timer.Reset(d)
		} else {
			timer.Stop()
		}
		select {
		case r := <-e.done:
			return r, nil
		default:
		}
		var in machine.Input // nil: nothing for the machine
		var err error
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case s := <-c.cfg.Link:
			in, err = c.linkChanged(beside, s)
		case l := <-c.mail:
			in, err = c.open(beside, l)
		case <-c.arrived:
			in, err = c.take()
		case <-c.heard:
			in = c.check()
		case <-timer.C:
			in = machine.Timeout{}
		case <-c.cfg.Woke:
			in = machine.Timeout{}
		}
		if err != nil {
			return nil, err
		}
		if in != nil {
			c.step(beside, in)
		}
	}
}

// A letter is from beside the loop, or from outside: one of these.
type letter struct {
	in      machine.Input // something happened
	command *errand       // from Do
	trouble error         // something failed, and all goes on
	fatal   error         // the client cannot go on
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
	switch {
	case l.command != nil:
		c.obey(ctx, l.command)
	case l.trouble != nil:
		c.troubled(l.trouble)
	}
	return l.in, l.fatal
}

// linkChanged is what the machine must know of a change of the link.
func (c *Client) linkChanged(ctx context.Context, s LinkState) (machine.Input, error) {
	if s.Gone {
		return nil, ErrLinkGone
	}
	if s.Touched {
		c.repair(ctx)
	}
	return machine.LinkChanged{Up: s.Up, Reset: s.Reset}, nil
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
	case s := <-c.cfg.Link:
		if s.Gone {
			return ErrLinkGone
		}
		if !s.Up {
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
