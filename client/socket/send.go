package socket

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// everybody is the limited broadcast address.
func everybody() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }

// Send sends m from port 68 of the address in its ciaddr, or of 0.0.0.0, to
// port 67 of the server at to, or of everybody if to is invalid. It does not
// wait: neither for room in a queue nor for ARP. An error, such as that the
// link is down, concerns this message only; the Conn stays as it was.
//
// A unicast is sent by the kernel, which knows the way; it leaves by this link
// whatever the routing table prefers (E5). If the host does not hold the
// source, or port 68 is not to be had, it goes to where the server's last reply
// came from, or to everybody on the link.
func (c *Conn) Send(ctx context.Context, m *dhcp4.Message, to netip.Addr) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.send(m, to)
	if err == nil {
		return nil
	}
	if !to.IsValid() {
		to = everybody()
	}
	return fmt.Errorf("send %v on %s to %v: %w", m.Type(), c.link.Name, to, err)
}

func (c *Conn) send(m *dhcp4.Message, to netip.Addr) error {
	if c.done {
		return net.ErrClosed
	}
	src, dst := netip.IPv4Unspecified(), everybody()
	if m.CIAddr.IsValid() {
		src = m.CIAddr
	}
	if to.IsValid() {
		dst = to
	}
	if !src.Is4() || !dst.Is4() {
		return fmt.Errorf("from %v: not IPv4", src)
	}
	b, err := m.Append(append(c.out[:0], make([]byte, headersLen)...))
	if err != nil {
		return err
	}
	c.out, c.outTo = b, to
	if len(b) > maxDatagram {
		return fmt.Errorf("%d bytes do not fit a datagram", len(b))
	}
	putHeaders(b, src, dst)

	var bound error
	if !src.IsUnspecified() {
		// Also for a broadcast: the answer may come by unicast.
		bound = c.udp.bind()
	}
	if to.IsValid() && !src.IsUnspecified() && bound == nil {
		err := c.udp.send(b[headersLen:], src, dst)
		if err == nil {
			c.tap(true, b, nil)
		}
		if !notHeld(err) {
			return err
		}
	}
	return c.sendFrame(b, to)
}

// sendFrame sends a packet to where the server at to was last heard, or to
// everybody on the link.
func (c *Conn) sendFrame(b []byte, to netip.Addr) error {
	peer := c.peers.lookup(to)
	if peer == nil {
		peer = c.link.Broadcast
	}
	if err := c.packet.write(b, peer); err != nil {
		return err
	}
	c.tap(true, b, peer)
	return nil
}

// Flush looks at first very often, as ARP takes a millisecond where the other
// side is awake, and later less so.
const (
	flushFirst = 200 * time.Microsecond
	flushLast  = 20 * time.Millisecond
)

// Flush returns when all unicasts sent before have left the host: when ARP has
// found their next hop (F2). The address they come from is needed for that
// long. If the kernel gives one up, since nobody answers ARP for some seconds or
// its table of neighbours is full, the message sent last goes to where the
// server was last heard, or to everybody on the link. Flush ends with ctx's
// cause, too. Frames of our own, such as broadcasts, need no waiting: they have
// left when Send returns.
func (c *Conn) Flush(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for wait := flushFirst; ; wait = min(2*wait, flushLast) {
		done, err := c.flushed()
		if err != nil {
			return fmt.Errorf("wait for datagrams to leave %s: %w", c.link.Name, err)
		}
		if done {
			return nil
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for datagrams to leave %s: %w", c.link.Name, context.Cause(ctx))
		}
	}
}

// flushed tells whether nothing is waiting any more; the error, whether it went
// well.
func (c *Conn) flushed() (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done || !c.udp.bound {
		return true, nil
	}
	n, err := c.udp.pending()
	if err != nil || n > 0 {
		return false, err
	}
	if c.udp.lost() > 0 {
		return true, c.sendFrame(c.out, c.outTo)
	}
	return true, nil
}
