package metrics

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// The limits of a Listener. Whoever is patient, or slow, or many, costs no more
// than these.
const (
	maxConns   = 8                // at once; more wait in the kernel
	headTime   = 5 * time.Second  // to send the head of a request
	answerTime = 10 * time.Second // to take the answer, as long as Prometheus waits by default
	lingerTime = time.Second      // for what else the peer sends, which is thrown away
	lingerSize = 64 << 10         // and how much of it
	retryTime  = time.Second      // after an error of the kernel, such as no file descriptors left
)

// A Listener answers GET and HEAD of /metrics, and nothing else. It speaks as
// much of HTTP/1.1 as that needs (RFC 9110, RFC 9112): one request a
// connection, no TLS, no authentication. It believes whoever it can be reached
// by, so think before it listens on more than loopback.
type Listener struct {
	Registry *Registry
	Statuses func() []agent.Status // what holds on the links now; called for every answer
	Now      func() time.Time      // for Date lines and deadlines; nil means time.Now
}

// Serve answers on l until ctx ends, or l fails for good. It closes l, and
// returns when nothing of it runs any more: nil after the end of ctx.
func (s *Listener) Serve(ctx context.Context, l net.Listener) error {
	serving, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	stop := context.AfterFunc(serving, func() { l.Close() })
	defer stop()
	defer l.Close()

	room := make(chan struct{}, maxConns)
	for {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		c, err := l.Accept()
		switch {
		case err == nil:
			conns.Go(func() {
				defer func() { <-room }()
				s.converse(serving, c)
			})
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		}
		<-room
		select {
		case <-time.After(retryTime):
		case <-ctx.Done():
		}
	}
}

// converse reads one request, answers it, and closes c.
func (s *Listener) converse(ctx context.Context, c net.Conn) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()

	c.SetReadDeadline(s.now().Add(headTime))
	q, err := readRequest(c)
	if err != nil && !errors.Is(err, errHead) {
		return // gone, or too slow: nobody waits for an answer
	}
	c.SetWriteDeadline(s.now().Add(answerTime))
	if _, err := c.Write(s.answer(q, err)); err != nil {
		return
	}
	s.linger(c)
}

// linger lets the peer see the answer. Closing a connection on which more came
// than was read resets it, and the peer may lose what it has not read yet.
func (s *Listener) linger(c net.Conn) {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.SetReadDeadline(s.now().Add(lingerTime))
	io.CopyN(io.Discard, c, lingerSize)
}

func (s *Listener) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}
