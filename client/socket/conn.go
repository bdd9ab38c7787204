package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"golang.org/x/sys/unix"
)

// A Conn carries DHCP messages on one link. Its methods may be called from
// several goroutines.
type Conn struct {
	link   Link
	cfg    Config
	packet *packetSocket

	reading chan struct{} // holds a token while a Receive reads
	closing chan struct{} // closed when Close begins
	close   sync.Once

	tapping sync.Mutex // one call of Tap at a time

	mu    sync.Mutex // guards what follows, and writes to packet
	udp   *udpSocket
	peers peers
	out   []byte // the buffer for what is sent
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
	p, err := openPacket(l)
	if err != nil {
		return nil, err
	}
	u, err := openUDP(l)
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return &Conn{
		link: l, cfg: cfg, packet: p, udp: u,
		reading: make(chan struct{}, 1), closing: make(chan struct{}),
	}, nil
}

// Close ends a pending Receive and frees the sockets. It may take some 20 ms.
// Later calls do nothing.
func (c *Conn) Close() (err error) {
	c.close.Do(func() {
		close(c.closing)
		c.packet.endReads()
		c.reading <- struct{}{} // the reader has left; the token stays
		c.mu.Lock()
		defer c.mu.Unlock()
		c.done = true
		if err = errors.Join(c.udp.close(), c.packet.close()); err != nil {
			err = fmt.Errorf("close sockets on %s: %w", c.link.Name, err)
		}
	})
	return err
}

// Receive returns the next well-formed message of a server that comes to port
// 68 on this link, whatever address it was sent to (A6). It ends with ctx's
// cause, or with net.ErrClosed. That the link goes down, or away, is no error:
// nothing comes from it, that is all.
func (c *Conn) Receive(ctx context.Context) (*dhcp4.Message, error) {
	select {
	case c.reading <- struct{}{}:
		defer func() { <-c.reading }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.closing:
		return nil, c.errClosed()
	}
	// The deadline that ended an earlier Receive is taken back first. Close
	// sets its own after closing c.closing, which is looked at below.
	if err := c.packet.allowReads(); err != nil {
		return nil, fmt.Errorf("receive on %s: %w", c.link.Name, err)
	}
	defer c.endReadsWith(ctx)()
	for {
		select {
		case <-c.closing:
			return nil, c.errClosed()
		default:
		}
		a, err := c.packet.read()
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, unix.ENETDOWN):
			// Reported once for each time the link goes down; the
			// socket works again when the link is back.
		case errors.Is(err, os.ErrDeadlineExceeded):
			// Close, or the end of ctx: the loop looks at both.
		case err != nil:
			return nil, fmt.Errorf("receive on %s: %w", c.link.Name, err)
		default:
			if m := c.accept(a); m != nil {
				return m, nil
			}
		}
	}
}

func (c *Conn) errClosed() error { return fmt.Errorf("receive on %s: %w", c.link.Name, net.ErrClosed) }

// endReadsWith lets the end of ctx end the reads. The function it returns takes
// that back, and leaves nothing running.
func (c *Conn) endReadsWith(ctx context.Context) func() {
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.packet.endReads()
		close(ended)
	})
	return func() {
		if !stop() {
			<-ended
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
