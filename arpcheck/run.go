package arpcheck

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/mdlayher/arp"
)

// run drives m with what is heard on l until it has a verdict or ctx ends. All
// of it happens in the caller's goroutine; a pending read is ended by its
// deadline.
func (c *Checker) run(ctx context.Context, l *line, m machine) (*verdict, error) {
	longAgo := time.Unix(1, 0)
	stop := context.AfterFunc(ctx, func() { _ = l.setDeadline(longAgo) })
	defer stop()
	for {
		in, err := c.next(ctx, l, m.Deadline())
		if err != nil {
			return nil, err
		}
		if in == nil {
			continue
		}
		v, err := c.step(l, m, in)
		if v != nil || err != nil {
			return v, err
		}
	}
}

// maxLate is how many packets are read after a deadline before it counts. What
// came in time goes before it, however late this host looks, and a flood does
// not put it off for ever.
const maxLate = 64

// next waits for the next input: a packet, or the deadline. Nil: nothing that
// matters. The order of setting the deadline and looking at ctx makes sure
// that an end of ctx is never overwritten by a deadline set afterwards.
func (c *Checker) next(ctx context.Context, l *line, deadline time.Time) (input, error) {
	var until time.Time
	late := false
	if !deadline.IsZero() {
		wait := deadline.Sub(c.cfg.Now())
		late = wait <= 0
		until = time.Now().Add(wait) // the poller has its own clock
	}
	if err := l.setDeadline(until); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if late && l.late == maxLate {
		l.late = 0
		return timeout{}, nil
	}
	b, from, err := l.read()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case late && errors.Is(err, os.ErrDeadlineExceeded):
		l.late = 0
		return timeout{}, nil
	case errors.Is(err, os.ErrDeadlineExceeded), isDown(err):
		return nil, nil
	case err != nil:
		return nil, err
	case late:
		l.late++
	}
	return c.heard(b, from), nil
}

// heard is a packet as an input; nil: it does not matter. It has a frame of
// its own, as next's is there while nothing comes.
//
//go:noinline
func (c *Checker) heard(b []byte, from net.HardwareAddr) input {
	if c.cfg.Tap != nil {
		c.cfg.Tap(Frame{Time: c.cfg.Now(), Data: b, Peer: from})
	}
	p, err := parse(b)
	if err != nil {
		return nil // not for us; the filter lets none of these pass
	}
	return received{packet: p, from: from}
}

// step gives in to m and carries out its answer. It returns the verdict if
// there is one.
func (c *Checker) step(l *line, m machine, in input) (*verdict, error) {
	now := c.cfg.Now()
	if _, ok := in.(received); ok {
		if at := c.announcedAt(l.addr); !at.IsZero() {
			m.Step(at, announced{})
		}
	}
	outs := m.Step(now, in)
	for len(outs) > 0 {
		out := outs[0]
		outs = outs[1:]
		switch out := out.(type) {
		case verdict:
			return &out, nil
		case send:
			err := c.send(l, out.packet)
			if err != nil && isGone(err) {
				return nil, err
			}
			// Any other error is weather: the packet is lost, as
			// it may be on the way, and the next one is due anyway.
			if err != nil {
				outs = append(outs, m.Step(now, lost{err})...)
			}
		}
	}
	return nil, nil
}

// send broadcasts p.
func (c *Checker) send(l *line, p *arp.Packet) error {
	b, err := p.MarshalBinary()
	if err != nil {
		return fmt.Errorf("write ARP packet: %w", err)
	}
	if err := l.write(b); err != nil {
		return err
	}
	now := c.cfg.Now()
	if isAnnouncement(p) {
		c.mu.Lock()
		c.announced.addr, c.announced.at = p.SenderIP, now
		c.mu.Unlock()
	}
	if c.cfg.Tap != nil {
		c.cfg.Tap(Frame{Time: now, Sent: true, Data: b, Peer: everybody.HardwareAddr})
	}
	return nil
}

// announcedAt returns when addr was announced last, or zero.
func (c *Checker) announcedAt(addr netip.Addr) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.announced.addr != addr {
		return time.Time{}
	}
	return c.announced.at
}

// speak drives m, which hears nothing, until it has a verdict or ctx ends.
func (c *Checker) speak(ctx context.Context, l *line, m machine) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(m.Deadline().Sub(c.cfg.Now()))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
		if ctx.Err() != nil {
			return context.Cause(ctx) // both were ready
		}
		v, err := c.step(l, m, timeout{})
		if err != nil {
			return err
		}
		if v != nil {
			return v.err
		}
	}
}
