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
	"golang.org/x/sys/unix"
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

// next waits for the next input: a packet, or the deadline. Nil: nothing that
// matters. The order of setting the deadline and looking at ctx makes sure
// that an end of ctx is never overwritten by a deadline set afterwards.
func (c *Checker) next(ctx context.Context, l *line, deadline time.Time) (input, error) {
	var until time.Time
	if !deadline.IsZero() {
		wait := deadline.Sub(c.cfg.Now())
		if wait <= 0 && ctx.Err() == nil {
			return c.overdue(l)
		}
		until = time.Now().Add(wait) // the poller has its own clock
	}
	if err := l.setDeadline(until); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	b, from, err := l.read()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded), isDown(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return c.asInput(b, from), nil
}

// maxLate is how many packets are read after a deadline before it counts.
const maxLate = 64

// overdue is the next input after a deadline. What came in time goes before the
// timeout, however late this host looks; a flood does not put that off for ever.
func (c *Checker) overdue(l *line) (input, error) {
	if l.late++; l.late <= maxLate {
		switch b, from, err := l.poll(); {
		case err == nil:
			return c.asInput(b, from), nil
		case isDown(err):
			return nil, nil
		case !errors.Is(err, unix.EAGAIN):
			return nil, err
		}
	}
	l.late = 0
	return timeout{}, nil
}

// asInput is a packet that was heard as an input; nil: it does not matter.
func (c *Checker) asInput(b []byte, from net.HardwareAddr) input {
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
