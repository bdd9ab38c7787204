package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// chunk is how much is read at a time.
const chunk = 4 << 10

// A conn is one connection: a loop in the goroutine of serve, a reader and at
// most one call beside it.
type conn struct {
	*server
	net  net.Conn
	peer Peer

	inbox   inbox
	calling bool // a call is under way
	ended   bool // the peer will send no more
	phase   phase
	since   time.Time // that it is in this phase, or that the last call began

	chunks chan []byte // from the reader; closed at its end
	done   chan error  // from the call
	beside sync.WaitGroup
	cancel context.CancelCauseFunc // ends the connection
}

// A phase is what a connection waits for, which says how long.
type phase uint8

const (
	resting phase = iota // for a request
	busy                 // for the agent
	halfway              // for the rest of a request
	full                 // for the call under way to end, with too much behind it
	ending               // for the last replies to be written
)

func newConn(s *server, c net.Conn, p Peer) *conn {
	return &conn{
		server: s, net: c, peer: p, since: s.cfg.Now(),
		inbox:  inbox{limit: s.cfg.Limits.Message},
		chunks: make(chan []byte),
		done:   make(chan error, 1),
	}
}

// serve handles the connection until either side ends it, and closes it. It
// returns why we did, nil if we had no complaint.
func (c *conn) serve(ctx context.Context) *cut {
	ctx, c.cancel = context.WithCancelCause(ctx)
	c.beside.Go(func() { c.read(ctx) })
	err := c.loop(ctx)
	c.cancel(err)
	_ = c.net.Close() // wakes the reader, and a call that is writing
	c.beside.Wait()
	var why *cut
	errors.As(err, &why)
	return why
}

// errOver ends a connection without a complaint.
var errOver = errors.New("the connection is over")

func (c *conn) loop(ctx context.Context) error {
	timer := time.NewTimer(c.cfg.Limits.Idle)
	defer timer.Stop()
	for {
		if err := c.begin(ctx); err != nil {
			return err
		}
		deadline, reason := c.deadline()
		if !deadline.IsZero() {
			timer.Reset(deadline.Sub(c.cfg.Now()))
		} else {
			timer.Stop()
		}
		in := c.chunks
		if c.ended || c.phase == full {
			in = nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
			return &cut{reason: reason}
		case err := <-c.done:
			c.calling = false
			if err != nil {
				return err
			}
		case b, more := <-in:
			c.inbox.add(b)
			c.ended = !more
			if c.ended && hungUp(c.net) {
				return errOver
			}
		}
	}
}

// begin starts the next call if there is one and none is under way.
func (c *conn) begin(ctx context.Context) error {
	if c.inbox.tooLong() {
		return &cut{reason: TooLong}
	}
	if !c.calling {
		if msg := c.inbox.take(); msg != nil {
			c.calling, c.since = true, c.cfg.Now()
			c.beside.Go(func() { c.done <- c.call(ctx, msg) })
		}
	}
	if c.ended && !c.calling {
		return errOver
	}
	return nil
}

// deadline is when the connection has waited too long, if it can, and why.
func (c *conn) deadline() (time.Time, Reason) {
	limit, reason := time.Duration(0), Reason("")
	now := busy
	switch {
	case c.ended:
		now, limit, reason = ending, c.cfg.Limits.Idle, Idle
	case c.inbox.full():
		now, limit, reason = full, c.cfg.Limits.Half, TooMuchWaiting
	case c.inbox.half():
		now, limit, reason = halfway, c.cfg.Limits.Half, HalfMessage
	case !c.calling:
		now, limit, reason = resting, c.cfg.Limits.Idle, Idle
	}
	if now != c.phase {
		c.phase, c.since = now, c.cfg.Now()
	}
	if limit == 0 {
		return time.Time{}, ""
	}
	return c.since.Add(limit), reason
}

// read hands on what comes until nothing does. It needs two buffers: the loop
// is done with one when it takes the other.
func (c *conn) read(ctx context.Context) {
	defer close(c.chunks)
	var buffers [2][chunk]byte
	for i := 0; ; i = 1 - i {
		b := buffers[i][:]
		n, err := c.net.Read(b)
		if n > 0 {
			select {
			case c.chunks <- b[:n]:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// call answers one request. A panic ends this connection and nothing else.
func (c *conn) call(ctx context.Context, msg []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &cut{Panicked, fmt.Sprintf("%v\n%s", p, debug.Stack())}
		}
	}()
	return c.handle(ctx, msg)
}

// Write sends a reply whole, or ends the connection. It is for the library.
func (c *conn) Write(ctx context.Context, b []byte) (int, error) {
	if err := c.net.SetWriteDeadline(c.cfg.Now().Add(c.cfg.Limits.Write)); err != nil {
		return 0, errOver
	}
	n, err := c.net.Write(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, &cut{reason: NotReading}
	case err != nil:
		return n, errOver // weather: the peer went away
	}
	return n, nil
}

// Read is not there: no method upgrades a connection.
func (c *conn) Read(context.Context, []byte) (int, error) { return 0, errors.ErrUnsupported }

// ReadBytes is not there: no method upgrades a connection.
func (c *conn) ReadBytes(context.Context, byte) ([]byte, error) { return nil, errors.ErrUnsupported }
