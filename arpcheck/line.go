package arpcheck

import (
	"errors"
	"net/netip"
	"time"
)

// A line is an open wire and who uses it. Probe leaves its line open for
// Announce and Guard: nothing said in between is missed, and a socket is opened
// once per address. Closing one takes up to 24 ms (measured, Linux 6.18), which
// is why that happens beside whoever is through with it.
type line struct {
	wire
	addr   netip.Addr
	users  int
	late   int       // packets read after a deadline
	reader bool      // one of them reads
	left   time.Time // by the last user
}

var errClosed = errors.New("checker is closed")

// open returns a new line for somebody who reads. Nothing was heard on it yet.
func (c *Checker) open(addr netip.Addr) (*line, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replace(addr, true)
}

// join returns the line for addr for somebody who only writes.
func (c *Checker) join(addr netip.Addr) (*line, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.usable(addr); l != nil {
		l.users++
		return l, nil
	}
	return c.replace(addr, false)
}

// tune returns a line that hears what matters to an address in use: the one
// that is there, with what it has heard already, or a new one.
func (c *Checker) tune(addr netip.Addr) (*line, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.usable(addr)
	if l == nil || l.reader {
		var err error
		if l, err = c.replace(addr, true); err != nil {
			return nil, err
		}
	} else {
		l.users++
		l.reader = true
	}
	if err := l.watch(addr); err != nil {
		l.reader = false
		c.release(l, false)
		return nil, err
	}
	return l, nil
}

// usable returns the current line if it is for addr and fresh. What waits in
// an old one cannot be told from what happens now, and two conflicts heard an
// hour apart are not two within DEFEND_INTERVAL.
func (c *Checker) usable(addr netip.Addr) *line {
	l := c.line
	if l == nil || l.addr != addr || l.users == 0 && !recent(c.cfg.Now(), l.left, c.cfg.Timing.DefendInterval) {
		return nil
	}
	return l
}

// replace opens a line with one user and makes it the current one.
func (c *Checker) replace(addr netip.Addr, reader bool) (*line, error) {
	if c.closed {
		return nil, errClosed
	}
	w, err := c.listen(&c.ifi, addr)
	if err != nil {
		return nil, err
	}
	if c.line != nil && c.line.users == 0 {
		c.discard(c.line)
	}
	c.line = &line{wire: w, addr: addr, users: 1, reader: reader}
	return c.line, nil
}

// leave ends the use of a line by its reader, who may keep it for others to
// come.
func (c *Checker) leave(l *line, keep bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.reader = false
	c.release(l, keep)
}

// part ends the use of a line by somebody who joined it.
func (c *Checker) part(l *line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.release(l, true)
}

func (c *Checker) release(l *line, keep bool) {
	l.users--
	l.left = c.cfg.Now()
	if l.users > 0 || keep && l == c.line && !c.closed {
		return
	}
	if l == c.line {
		c.line = nil
	}
	c.discard(l)
}

func (c *Checker) discard(l *line) {
	c.closing.Go(func() { _ = l.close() })
}

// Close releases what the Checker holds, also what a call that panicked left
// behind. End the other calls first. A second Close does nothing.
func (c *Checker) Close() error {
	c.Unguard()
	c.mu.Lock()
	c.closed = true
	if c.line != nil {
		c.discard(c.line)
		c.line = nil
	}
	c.mu.Unlock()
	c.closing.Wait()
	return nil
}
