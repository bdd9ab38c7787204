package client

import (
	"context"
	"time"

	"github.com/lessee/lessee/client/machine"
)

// longestSleep bounds the timer: timers stop while the machine sleeps, so a
// wake-up is noticed within this time.
const longestSleep = time.Minute

// settleTime bounds what is done after the end: the last messages and the
// last changes to the host.
const settleTime = 5 * time.Second

// drive runs the machine from its first inputs until end says that a report
// is the last one, or ctx ends. It returns that report, or ctx's cause.
func (c *Client) drive(ctx context.Context, end func(machine.Report) bool, first ...machine.Input) (machine.Report, error) {
	c.end = end
	c.inputs = make(chan machine.Input)
	c.fatal = make(chan error, 1)
	c.over = make(chan struct{})
	// What runs beside the loop outlives ctx until all is settled.
	beside, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer c.beside.Wait()
	defer cancel()

	c.beside.Go(func() { c.receive(beside) })
	for _, in := range first {
		c.step(beside, in)
	}
	err := c.loop(ctx, beside)
	close(c.over)
	if c.machine.State() != machine.Idle {
		c.step(beside, machine.Stop{})
	}
	c.settle()
	if c.last == nil {
		return machine.Report{}, err
	}
	return *c.last, nil
}

// loop feeds the machine until it is over.
func (c *Client) loop(ctx, beside context.Context) error {
	timer := time.NewTimer(longestSleep)
	defer timer.Stop()
	for c.last == nil {
		sleep := longestSleep
		if d := c.machine.Deadline(); !d.IsZero() {
			sleep = min(sleep, d.Sub(c.cfg.Now()))
		}
		timer.Reset(sleep)
		var in machine.Input
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-c.fatal:
			return err
		case s := <-c.cfg.Link:
			if s.Gone {
				return ErrLinkGone
			}
			in = machine.LinkChanged{Up: s.Up}
		case <-timer.C:
			in = machine.Timeout{}
		case in = <-c.inputs:
		}
		c.step(beside, in)
	}
	return nil
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

// receive feeds what comes from the link, until ctx ends.
func (c *Client) receive(ctx context.Context) {
	for {
		msg, err := c.cfg.Conn.Receive(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			c.fatal <- err
			return
		}
		c.post(machine.Received{Message: msg})
	}
}

// post gives the loop an input; after the loop it is of no interest.
func (c *Client) post(in machine.Input) {
	select {
	case c.inputs <- in:
	case <-c.over:
	}
}
