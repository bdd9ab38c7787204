package client

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
)

// step gives the machine one input and does what it says.
func (c *Client) step(ctx context.Context, in machine.Input) {
	if r, ok := in.(machine.Received); ok {
		c.notify(Event{Kind: Received, Message: r.Message})
	}
	for _, out := range c.advance(in) {
		c.do(ctx, out)
	}
}

// advance steps the machine, while nobody looks at it.
func (c *Client) advance(in machine.Input) []machine.Output {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.machine.Step(c.cfg.Now(), in)
}

// do carries out one output of the machine.
func (c *Client) do(ctx context.Context, out machine.Output) {
	switch out := out.(type) {
	case machine.Send:
		c.send(ctx, out)
	case machine.Probe:
		c.startProbe(ctx, out)
	case machine.Announce:
		c.startGuard(ctx, out)
	case machine.Apply:
		c.host(ctx, func(ctx context.Context) { c.apply(ctx, out.Lease) })
	case machine.Withdraw:
		stop(c.endProbe)
		c.endGuard()
		c.host(ctx, func(ctx context.Context) { c.withdraw(ctx, out.Lease) })
	case machine.Save:
		c.host(ctx, func(context.Context) { c.save(out.Lease) })
	case machine.Forget:
		c.host(ctx, func(context.Context) { c.forget() })
	case machine.Drop:
		c.drops[out.Reason]++
		c.notify(Event{Kind: Dropped, Message: out.Message, Reason: out.Reason})
	case machine.Report:
		c.report(out)
	}
}

// send hands a message to the link. An error is a lost packet: the next try is
// due anyway.
func (c *Client) send(ctx context.Context, out machine.Send) {
	if out.Last {
		c.sendLast(ctx, out)
		return
	}
	err := c.cfg.Conn.Send(ctx, out.Message, out.To)
	c.notify(Event{Kind: Sent, Message: out.Message, To: out.To, Err: err})
}

// sendLast has a message leave after what comes before it is done, and before
// what comes after it is.
func (c *Client) sendLast(ctx context.Context, out machine.Send) {
	c.notify(Event{Kind: Sent, Message: out.Message, To: out.To})
	c.host(ctx, func(ctx context.Context) {
		err := c.cfg.Conn.Send(ctx, out.Message, out.To)
		if err == nil {
			err = c.cfg.Conn.Flush(ctx)
		}
		if err != nil {
			c.trouble(fmt.Errorf("%v did not leave: %w", out.Message.Type(), err))
		}
	})
}

// host runs job beside the loop, after all jobs before it: an Apply must not
// overtake a Withdraw, nor a Withdraw the message that needs the address.
func (c *Client) host(ctx context.Context, job func(context.Context)) {
	before, done := c.hostDone, make(chan struct{})
	c.hostDone = done
	c.spawn(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		job(ctx)
	})
}

func (c *Client) apply(ctx context.Context, l lease.Lease) {
	var err error
	if c.cfg.Configurator != nil {
		err = c.cfg.Configurator.Apply(ctx, l)
	}
	c.post(letter{in: machine.Applied{Lease: l, Err: err}, again: c.unfinished()})
}

// unfinished is when the host wants to be repaired, whatever happens.
func (c *Client) unfinished() time.Duration {
	if r, able := c.cfg.Configurator.(Repairer); able {
		return r.Unfinished()
	}
	return 0
}

// repair has the host put back what somebody took away, and do what it could not
// do before, after all changes that are under way. One that waits does for all
// that is taken away meanwhile: whoever takes away faster than we put back must
// not fill the memory.
//
//go:noinline
func (c *Client) repair(ctx context.Context) {
	r, able := c.cfg.Configurator.(Repairer)
	l := c.machine.Status().Lease
	if !able || l.IsZero() || !c.toRepair.CompareAndSwap(false, true) {
		return
	}
	c.host(ctx, func(ctx context.Context) {
		c.toRepair.Store(false)
		if _, err := r.Repair(ctx, l); err != nil {
			c.trouble(err)
		}
		c.post(letter{repaired: true, again: r.Unfinished()})
	})
}

func (c *Client) withdraw(ctx context.Context, l lease.Lease) {
	if c.cfg.Configurator == nil {
		return
	}
	if err := c.cfg.Configurator.Withdraw(ctx, l); err != nil {
		c.trouble(err)
	}
}

func (c *Client) save(l lease.Lease) {
	if c.cfg.Store == nil {
		return
	}
	if err := c.cfg.Store.Save(l); err != nil {
		c.trouble(err)
	}
}

func (c *Client) forget() {
	if c.cfg.Store == nil {
		return
	}
	if err := c.cfg.Store.Forget(); err != nil {
		c.trouble(err)
	}
}

// startProbe looks for another holder of an address, beside the loop.
func (c *Client) startProbe(ctx context.Context, out machine.Probe) {
	stop(c.endProbe)
	if c.cfg.Prober == nil {
		c.spawn(func() { c.post(letter{in: machine.Probed{Addr: out.Addr}}) })
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	c.endProbe = cancel
	c.spawn(func() {
		defer cancel()
		holder, err := c.cfg.Prober.Probe(ctx, out.Addr)
		if ctx.Err() == nil {
			c.post(letter{in: machine.Probed{Addr: out.Addr, Holder: dhcp4.HardwareAddr(holder), Err: err}})
		}
	})
}

// startGuard listens for other holders of an address from then on, and
// announces it, beside the loop.
func (c *Client) startGuard(ctx context.Context, out machine.Announce) {
	c.endGuard()
	if c.cfg.Prober == nil || c.cfg.Configurator == nil {
		return // nobody checks, or nobody holds the address
	}
	c.guarded = out.Addr
	if err := c.cfg.Prober.Guard(out.Addr); err != nil {
		c.logTrouble(err)
		c.tell(Trouble, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	announced := make(chan struct{})
	c.endAnnounce, c.announced = cancel, announced
	c.spawn(func() {
		defer close(announced)
		defer cancel()
		if err := c.cfg.Prober.Announce(ctx, out.Addr); err != nil && ctx.Err() == nil {
			c.trouble(err)
		}
	})
}

// endGuard ends what startGuard began.
func (c *Client) endGuard() {
	if c.guarded.IsValid() {
		stop(c.endAnnounce)
		c.cfg.Prober.Unguard()
		c.guarded = netip.Addr{}
	}
}

// check deals with what was heard of the guarded address. Nil: nothing came of
// it.
func (c *Client) check() machine.Input {
	holder, err := c.cfg.Prober.Check()
	switch {
	case err != nil:
		c.logTrouble(err)
		c.tell(Trouble, err)
	case holder != nil:
		return machine.Conflicted{Addr: c.guarded, Holder: dhcp4.HardwareAddr(holder)}
	}
	return nil
}

func stop(cancel context.CancelFunc) {
	if cancel != nil {
		cancel()
	}
}
