package control

import (
	"context"
	_ "embed" // for the description
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/varlink/go/varlink"
	"golang.org/x/sys/unix"
)

// Interface is the name of what is served.
const Interface = "io.github.lessee.agent"

//go:embed agent.varlink
var description string

// A server is one run of Serve.
type server struct {
	cfg      Config
	agent    Agent
	owner    uint32 // besides root, who may change something
	service  *varlink.Service
	door     door
	refusals refusals
	conns    sync.WaitGroup
}

// Serve lets whoever connects to l control a, until ctx ends, which is no
// error. When it returns, l is closed, every connection has ended, and no
// method of a is under way.
func Serve(ctx context.Context, l net.Listener, a Agent, cfg Config) error {
	s, err := newServer(a, cfg)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	return s.serve(ctx, l)
}

func (s *server) serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	closed := make(chan error, 1)
	context.AfterFunc(ctx, func() { closed <- l.Close() }) // wakes Accept
	err := s.accept(ctx, l)
	cancel()
	err = errors.Join(err, <-closed)
	s.conns.Wait()
	if err != nil {
		return fmt.Errorf("serve %v: %w", l.Addr(), err)
	}
	return nil
}

func newServer(a Agent, cfg Config) (*server, error) {
	cfg = cfg.withDefaults()
	s := &server{
		cfg: cfg, agent: a, owner: uint32(os.Geteuid()),
		door:     door{limits: cfg.Limits, users: map[uint32]int{}},
		refusals: refusals{cfg: cfg, seen: map[Reason]*tally{}},
	}
	var err error
	s.service, err = varlink.NewService("lessee", "lessee", cfg.Version, "https://github.com/lessee/lessee")
	if err == nil {
		err = s.service.RegisterInterface(s)
	}
	if err != nil {
		return nil, fmt.Errorf("set up %s: %w", Interface, err)
	}
	return s, nil
}

// accept takes in whoever connects until ctx ends.
func (s *server) accept(ctx context.Context, l net.Listener) error {
	for {
		c, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = c.Close()
			}
			return nil
		case passes(err):
			s.refusals.add(Peer{}, &cut{OutOfFiles, err.Error()})
			rest(ctx)
		case err != nil:
			return err
		default:
			s.admit(ctx, c)
		}
	}
}

// admit gives a connection its goroutine, or closes it before it costs one.
func (s *server) admit(ctx context.Context, c net.Conn) {
	peer, err := s.cfg.peer(c)
	var no *cut
	if err != nil {
		no = &cut{Unknown, err.Error()}
	} else {
		no = s.door.enter(peer)
	}
	if no != nil {
		_ = c.Close()
		s.refusals.add(peer, no)
		return
	}
	s.conns.Go(func() {
		defer s.door.leave(peer)
		if cut := newConn(s, c, peer).serve(ctx); cut != nil {
			s.refusals.add(peer, cut)
		}
		if s.cfg.Left != nil {
			s.cfg.Left()
		}
	})
}

// passes reports whether a failure to accept is one of those that end by
// themselves.
func passes(err error) bool {
	for _, e := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.ECONNABORTED, unix.EAGAIN} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// restTime is how long nobody is taken in when nobody can be: long enough not
// to burn the processor, and short for a person who waits.
const restTime = 200 * time.Millisecond

func rest(ctx context.Context) {
	timer := time.NewTimer(restTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
