package control

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A porch is a listener whose peers come through pipes, so that time in the
// bubble of a synctest goes on while nobody says anything.
type porch struct {
	conns  chan any // net.Conn or error
	closed chan struct{}
}

func newPorch() *porch { return &porch{make(chan any), make(chan struct{})} }

func (p *porch) Accept() (net.Conn, error) {
	select {
	case v := <-p.conns:
		if err, ok := v.(error); ok {
			return nil, err
		}
		return v.(net.Conn), nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *porch) Close() error {
	select {
	case <-p.closed:
		return errors.New("closed twice")
	default:
		close(p.closed)
		return nil
	}
}

func (p *porch) Addr() net.Addr { return &net.UnixAddr{Name: "porch", Net: "unix"} }

// connect is a peer at the other end of a pipe.
func (p *porch) connect(t *testing.T) *wire {
	a, b := net.Pipe()
	p.conns <- a
	return byHand(t, b)
}

func root(net.Conn) (Peer, error) { return Peer{PID: 1, known: true}, nil }

// A house is a service in a bubble.
type house struct {
	*fake
	*porch
	tray
	t *testing.T
}

// inBubble runs a test in virtual time. The peers are root.
func inBubble(t *testing.T, f *fake, cfg Config, test func(t *testing.T, h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{fake: f, porch: newPorch(), t: t}
		cfg.Refused = h.tray.add
		if cfg.peer == nil {
			cfg.peer = root
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- Serve(ctx, h.porch, f, cfg) }()
		test(t, h)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// refusedOnly checks that one connection was refused, and why.
func (h *house) refusedOnly(reason Reason) {
	h.t.Helper()
	synctest.Wait()
	if all := h.tray.all(); len(all) != 1 || all[reason] != 1 {
		h.t.Errorf("refused: %v, want one for %q", all, reason)
	}
}

// after checks how long something took.
func (h *house) after(want time.Duration, what func()) {
	h.t.Helper()
	begin := time.Now()
	what()
	if took := time.Since(begin); took != want {
		h.t.Errorf("it took %v, want %v", took, want)
	}
}
