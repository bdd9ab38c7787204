package dhcptest

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// backlog is how many replies a Conn keeps for a client that does not read;
// more are lost, as in a socket's buffer.
const backlog = 64

// A Wire is a link in memory, with any number of servers and clients on it.
// Every message becomes a datagram and is read again at the other end, so that
// a damaged one is lost here as it would be on a real link. It blocks on
// channels and timers only: in a bubble of testing/synctest, where it must be
// made, its time is the bubble's.
type Wire struct {
	servers []*Server
	later   schedule

	mu    sync.Mutex
	conns []*Conn
	lose  func(Event) bool
}

// NewWire returns a link with these servers on it.
func NewWire(servers ...*Server) *Wire { return &Wire{servers: servers} }

// Lose loses the datagrams for which f is true, in both directions; the event
// is what the server's log would hold. A nil f loses nothing.
func (w *Wire) Lose(f func(Event) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = f
}

// Conn connects a client with the given hardware address. It satisfies the
// port of that name of package client.
func (w *Wire) Conn(addr dhcp4.HardwareAddr) *Conn {
	c := &Conn{
		wire: w, addr: addr, replies: make(chan *dhcp4.Message, backlog),
		arrived: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, c)
	return c
}

// Close ends all connections and everything that was still to be sent.
func (w *Wire) Close() error {
	w.later.close()
	w.mu.Lock()
	conns := w.conns
	w.conns = nil
	w.mu.Unlock()
	for _, c := range conns {
		c.shut()
	}
	return nil
}

// Send puts a reply that nobody asked for on the wire, as if server had sent
// it: a late DHCPACK, a forged DHCPNAK. Without To.Hardware it goes to all
// hosts.
func (w *Wire) Send(server *Server, r Reply) {
	w.later.after(r.Delay, func() { w.deliver(server, r, nil) })
}

func (w *Wire) lost(e Event) bool {
	w.mu.Lock()
	lose := w.lose
	w.mu.Unlock()
	return lose != nil && lose(e)
}

// carry takes a client's frame to the servers that hear it and sends their
// replies back, each in its time.
func (w *Wire) carry(from *Conn, frame []byte) error {
	e, err := request(frame)
	if err != nil {
		return err
	}
	e.Time, e.Peer = time.Now(), from.addr
	for _, s := range w.servers {
		if !s.hears(e.Dst) || w.lost(e) {
			continue
		}
		for _, r := range s.handle(e) {
			w.later.after(r.Delay, func() { w.deliver(s, r, from) })
		}
	}
	return nil
}

// deliver takes a reply to the clients on whose link-layer address it is.
func (w *Wire) deliver(s *Server, r Reply, asked *Conn) {
	frame, err := r.encode()
	if err == nil && len(frame) == 0 {
		return
	}
	if asked != nil && r.To.Addr != broadcast && len(r.To.Hardware) == 0 {
		r.To.Hardware = asked.addr
	}
	e := r.event(frame, err)
	e.Time = time.Now()
	s.diary.add(e)
	if err != nil || w.lost(e) {
		return
	}
	w.mu.Lock()
	conns := slices.Clone(w.conns)
	w.mu.Unlock()
	for _, c := range conns {
		if len(r.To.Hardware) == 0 || bytes.Equal(r.To.Hardware, c.addr) {
			_ = c.take(frame) // what a host drops it drops silently
		}
	}
}

// A Conn is a client's end of a [Wire].
type Conn struct {
	wire    *Wire
	addr    dhcp4.HardwareAddr
	replies chan *dhcp4.Message
	arrived chan struct{} // has a token when there may be something to take
	once    sync.Once
	closed  chan struct{}
}

// Arrived returns a channel that has a token whenever there may be something to
// [Conn.Take].
func (c *Conn) Arrived() <-chan struct{} { return c.arrived }

// Take returns the next reply of a server, or nil if there is none. It never
// waits. After Close the error is net.ErrClosed.
func (c *Conn) Take() (*dhcp4.Message, error) {
	select {
	case <-c.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case m := <-c.replies:
		c.more()
		return m, nil
	default:
		return nil, nil
	}
}

func (c *Conn) more() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// Receive waits for the next reply of a server. It ends with ctx's cause, or with
// net.ErrClosed.
func (c *Conn) Receive(ctx context.Context) (*dhcp4.Message, error) {
	select {
	case m := <-c.replies:
		return m, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

// Send sends m from its ciaddr to the server at to, or to all if to is invalid.
// It never blocks.
func (c *Conn) Send(ctx context.Context, m *dhcp4.Message, to netip.Addr) error {
	select {
	case <-c.closed:
		return net.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	default:
	}
	payload, err := m.Append(nil)
	if err != nil {
		return err
	}
	if !to.IsValid() {
		to = broadcast
	}
	src := m.CIAddr
	if !src.IsValid() {
		src = netip.IPv4Unspecified()
	}
	d := datagram{netip.AddrPortFrom(src, clientPort), netip.AddrPortFrom(to, serverPort), payload}
	return c.wire.carry(c, d.append(nil))
}

// Flush returns at once: on this wire nothing waits for ARP.
func (c *Conn) Flush(context.Context) error { return nil }

// Close takes the client off the wire.
func (c *Conn) Close() error {
	c.wire.mu.Lock()
	c.wire.conns = slices.DeleteFunc(c.wire.conns, func(o *Conn) bool { return o == c })
	c.wire.mu.Unlock()
	c.shut()
	return nil
}

func (c *Conn) shut() { c.once.Do(func() { close(c.closed) }) }

// take is what a careful host does with a frame; the reason why it drops one
// is for tests.
func (c *Conn) take(frame []byte) error {
	d, err := parseDatagram(frame)
	if err != nil {
		return err
	}
	if d.dst.Port() != clientPort {
		return errDirection
	}
	m, err := dhcp4.Parse(d.payload)
	if err != nil {
		return err
	}
	if m.Op != dhcp4.OpReply {
		return errDirection
	}
	select {
	case c.replies <- m:
		c.more()
		return nil
	default:
		return errBacklog
	}
}
