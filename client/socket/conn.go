package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/readable"
	"golang.org/x/sys/unix"
)

// A Conn carries DHCP messages on one link. Its methods may be called from
// several goroutines.
type Conn struct {
	link   Link
	cfg    Config
	packet *packetSocket

	arrived chan struct{} // has a token when there may be something to take
	unheard func()        // ends the tokens
	closing chan struct{} // closed when Close begins
	close   sync.Once

	taking  sync.Mutex // one Take at a time
	tapping sync.Mutex // one call of Tap at a time

	mu    sync.Mutex // guards what follows, and writes to packet
	udp   *udpSocket
	peers peers
	out   []byte     // the buffer for what is sent; the last packet stays in it
	outTo netip.Addr // the server it was for; invalid: everybody
	done  bool
}

// Open begins to listen on l. It needs CAP_NET_RAW, and CAP_NET_BIND_SERVICE
// later: without the latter unicasts go out as frames of our own, as they do
// when the host does not hold their source. The link may be down.
//
// Every socket of the Conn lives in the network namespace of the thread that
// calls Open; other methods may be called from anywhere.
func Open(l Link, cfg Config) (*Conn, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &Conn{link: l, cfg: cfg, arrived: make(chan struct{}, 1), closing: make(chan struct{})}
	var err error
	if c.packet, err = openPacket(l); err != nil {
		return nil, err
	}
	if c.udp, err = openUDP(l); err != nil {
		return nil, errors.Join(err, c.packet.close())
	}
	if c.unheard, err = readable.Notify(c.packet.raw, c.arrived); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", l.Name, err), c.udp.close(), c.packet.close())
	}
	return c, nil
}

// Close ends a pending Receive and frees the sockets. It may take some 20 ms.
// Later calls do nothing.
func (c *Conn) Close() (err error) {
	c.close.Do(func() {
		close(c.closing)
		c.unheard()
		c.taking.Lock()
		defer c.taking.Unlock()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.done = true
		if err = errors.Join(c.udp.close(), c.packet.close()); err != nil {
			err = fmt.Errorf("close sockets on %s: %w", c.link.Name, err)
		}
	})
	return err
}

// Arrived returns a channel that has a token whenever there may be something to
// [Conn.Take]. Whoever takes the token calls Take.
func (c *Conn) Arrived() <-chan struct{} { return c.arrived }

// Take returns the next well-formed message of a server that came to port 68 on
// this link, whatever address it was sent to (A6). It never waits: nil means
// that there is none, or that it was dropped. That the link goes down, or away,
// is no error: nothing comes from it, that is all. After Close the error is
// net.ErrClosed.
func (c *Conn) Take() (*dhcp4.Message, error) {
	c.taking.Lock()
	defer c.taking.Unlock()
	select {
	case <-c.closing:
		return nil, fmt.Errorf("receive on %s: %w", c.link.Name, net.ErrClosed)
	default:
	}
	switch a, err := c.packet.read(); {
	case errors.Is(err, unix.EAGAIN):
		return nil, nil
	case errors.Is(err, unix.ENETDOWN):
		// Reported once for each time the link goes down; the socket
		// works again when the link is back.
		c.more()
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("receive on %s: %w", c.link.Name, err)
	default:
		c.more()
		return c.accept(a), nil
	}
}

// more says that there may be something else to take: one packet at a time, so
// that a flood of them keeps nobody from his other work.
func (c *Conn) more() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// Receive is Take for whoever has nothing else to do: it waits for the next
// message. It ends with ctx's cause, or with net.ErrClosed.
func (c *Conn) Receive(ctx context.Context) (*dhcp4.Message, error) {
	for {
		select {
		case <-c.arrived:
		case <-c.closing: // Take says so
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			c.more() // in case it was taken
			return nil, context.Cause(ctx)
		}
		if m, err := c.Take(); m != nil || err != nil {
			return m, err
		}
	}
}

// accept returns the message in a frame, or reports why it is dropped.
func (c *Conn) accept(a arrival) *dhcp4.Message {
	c.tap(false, a.data, a.peer)
	src, payload, err := parseUDP(a.data, a.partial)
	if err != nil {
		c.drop(err, src, a.peer)
		return nil
	}
	m, err := dhcp4.Parse(payload)
	if err == nil && m.Op != dhcp4.OpReply {
		err = ErrNotReply
	}
	if err != nil {
		c.drop(err, src, a.peer)
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peers.remember(src.Addr(), a.peer)
	if id, err := dhcp4.ServerID.Get(m.Options); err == nil {
		c.peers.remember(id, a.peer)
	}
	return m
}

func (c *Conn) drop(reason error, src netip.AddrPort, peer dhcp4.HardwareAddr) {
	if c.cfg.Dropped != nil {
		c.cfg.Dropped(&DropError{Reason: reason, Source: src, Peer: peer})
	}
}

func (c *Conn) tap(sent bool, data []byte, peer dhcp4.HardwareAddr) {
	if c.cfg.Tap == nil {
		return
	}
	c.tapping.Lock()
	defer c.tapping.Unlock()
	c.cfg.Tap(Frame{Time: c.cfg.Now(), Sent: sent, Data: data, Peer: peer})
}
