package arpcheck

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A guard is what Check works with: the address in use, and where to listen.
type guard struct {
	line    *line
	watcher *watcher
	unheard func() // ends the tokens
}

// Guard listens from now on for other hosts that use addr, which this host
// uses, until [Checker.Unguard]; it does not wait. One address is guarded at a
// time, the last one. What is heard is for [Checker.Check], and [Checker.Heard]
// tells of it: a program with hundreds of links needs no goroutine for each.
// The errors are those of [Checker.Probe].
//
// Guard, Check and Unguard are for one goroutine; others may Probe and Announce
// meanwhile.
func (c *Checker) Guard(addr netip.Addr) error {
	c.Unguard()
	s, err := c.subject(addr)
	if err != nil {
		return c.unguarded(addr, err)
	}
	l, err := c.tune(s.addr)
	if err != nil {
		return c.unguarded(addr, err)
	}
	unheard, err := l.notify(c.heard)
	if err != nil {
		c.leave(l, false)
		return c.unguarded(addr, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.guard = &guard{line: l, watcher: newWatcher(s, c.cfg.Defence, c.cfg.Timing), unheard: unheard}
	return nil
}

// Heard returns a channel that has a token whenever there may be something to
// [Checker.Check]; it is always the same one. Whoever takes the token calls
// Check.
func (c *Checker) Heard() <-chan struct{} { return c.heard }

// Check deals with a packet that was heard, and defends the address as [Config]
// says. It never waits. Once the address must be given up it returns the
// holder's hardware address, and the guard ends; it ends with an error, too. It
// does not end with the interface: who removes that calls Unguard.
func (c *Checker) Check() (holder net.HardwareAddr, err error) {
	c.mu.Lock()
	g := c.guard
	c.mu.Unlock()
	if g == nil {
		return nil, nil
	}
	b, from, err := g.line.poll()
	switch {
	case errors.Is(err, unix.EAGAIN):
		return nil, nil
	case err == nil, isDown(err):
		c.more()
	default:
		c.Unguard()
		return nil, c.unguarded(g.line.addr, err)
	}
	if err != nil {
		return nil, nil
	}
	in := c.asInput(b, from)
	if in == nil {
		return nil, nil
	}
	v, err := c.step(g.line, g.watcher, in)
	switch {
	case err != nil:
		c.Unguard()
		return nil, c.unguarded(g.line.addr, err)
	case v != nil:
		c.Unguard()
		return v.holder, nil
	}
	return nil, nil
}

// more says that there may be something else to check: one packet at a time, so
// that a flood of them keeps nobody from his other work.
func (c *Checker) more() {
	select {
	case c.heard <- struct{}{}:
	default:
	}
}

// Unguard ends what Guard began; without that it does nothing.
func (c *Checker) Unguard() {
	c.mu.Lock()
	g := c.guard
	c.guard = nil
	c.mu.Unlock()
	if g != nil {
		g.unheard()
		c.leave(g.line, false)
	}
}

func (c *Checker) unguarded(addr netip.Addr, err error) error {
	return fmt.Errorf("watch %v on %s: %w", addr, c.ifi.Name, err)
}

// Watch is Guard for whoever has nothing else to do: it returns the holder's
// hardware address once the address must be given up, and otherwise blocks until
// ctx ends; the error is the cause then. The other errors are those of
// [Checker.Probe].
func (c *Checker) Watch(ctx context.Context, addr netip.Addr) (holder net.HardwareAddr, err error) {
	if err := c.Guard(addr); err != nil {
		return nil, err
	}
	defer c.Unguard()
	for {
		select {
		case <-c.heard:
		case <-ctx.Done():
			return nil, c.unguarded(addr, context.Cause(ctx))
		}
		if holder, err := c.Check(); holder != nil || err != nil {
			return holder, err
		}
	}
}
