package dhcptest

import (
	"sync"
	"time"
)

// A schedule runs functions later. It needs no goroutine while it waits.
type schedule struct {
	mu      sync.Mutex
	closed  bool
	pending map[*time.Timer]struct{}
	running sync.WaitGroup
}

// after runs f after d, or at once if d is 0. A closed schedule runs nothing.
func (s *schedule) after(d time.Duration, f func()) {
	s.mu.Lock()
	switch {
	case s.closed:
		s.mu.Unlock()
	case d <= 0:
		s.running.Add(1)
		s.mu.Unlock()
		defer s.running.Done()
		f()
	default:
		defer s.mu.Unlock()
		var t *time.Timer
		t = time.AfterFunc(d, func() { s.fire(&t, f) }) // fire waits for the lock, and so for t
		if s.pending == nil {
			s.pending = map[*time.Timer]struct{}{}
		}
		s.pending[t] = struct{}{}
	}
}

func (s *schedule) fire(t **time.Timer, f func()) {
	s.mu.Lock()
	delete(s.pending, *t)
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()
	f()
}

// close stops what waits and returns when what runs has ended.
func (s *schedule) close() {
	s.mu.Lock()
	s.closed = true
	for t := range s.pending {
		t.Stop()
	}
	clear(s.pending)
	s.mu.Unlock()
	s.running.Wait()
}
