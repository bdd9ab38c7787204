package main

import (
	"log/slog"
	"sync"
	"time"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/store"
)

// retrySave is how often a lease that could not be saved is tried again: a disk
// that is full may have room later, and one that is read-only at boot is not
// for long.
const retrySave = time.Minute

// A stubborn store keeps in mind what it could not write, and tries again.
type stubborn struct {
	*store.Link
	trouble func(error)
	log     *slog.Logger

	mu      sync.Mutex
	pending lease.Lease // not written yet; the zero Lease if there is none
	timer   *time.Timer
}

// Save remembers l, if not on disk then in memory.
func (s *stubborn) Save(l lease.Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.pending.IsZero()
	s.pending = l
	err := s.try()
	if err != nil && !first {
		return nil // it was told
	}
	return err
}

// Forget removes what was remembered, in either place.
func (s *stubborn) Forget() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = lease.Lease{}
	return s.Link.Forget()
}

// try writes what is pending, or has it tried again. The caller holds mu.
func (s *stubborn) try() error {
	if s.pending.IsZero() {
		return nil
	}
	err := s.Link.Save(s.pending)
	if err == nil {
		s.pending = lease.Lease{}
		return nil
	}
	if s.timer == nil {
		s.timer = time.AfterFunc(retrySave, s.again)
	} else {
		s.timer.Reset(retrySave)
	}
	return err
}

func (s *stubborn) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending.IsZero() {
		return
	}
	if err := s.try(); err != nil {
		s.trouble(err)
		return
	}
	s.log.Info("the lease is on disk now")
}

func (s *stubborn) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = lease.Lease{}
	if s.timer != nil {
		s.timer.Stop()
	}
}
