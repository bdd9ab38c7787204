package store

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

func TestD5WhatNoServerGrantedIsRefused(t *testing.T) {
	for name, change := range map[string]func(*lease.Lease){
		"no address":                  func(l *lease.Lease) { l.Addr = netip.Prefix{} },
		"no server":                   func(l *lease.Lease) { l.Server = netip.Addr{} },
		"it begins after it was kept": func(l *lease.Lease) { l.Start = l.Start.Add(time.Second) },
		"T1 before the start":         func(l *lease.Lease) { l.T1 = l.Start.Add(-time.Second) },
		"T2 before T1":                func(l *lease.Lease) { l.T2 = l.T1.Add(-time.Second) },
		"expired before T2":           func(l *lease.Lease) { l.T2 = l.Expiry.Add(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost()
			s, l := h.open(t, t.TempDir()), h.lease()
			change(&l)
			if err := s.Save(l); err != nil {
				t.Fatal(err)
			}
			if r, err := s.Load(); !errors.Is(err, ErrBroken) || r.Usable || !r.Lease.IsZero() {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

// Some containers hide which run of the kernel it is: then its clock may have
// begun anew without a sign, and only the wall clock tells how much time went by.
func TestD8ARestartThatDoesNotShowLengthensNoLease(t *testing.T) {
	h, dir := newHost(), t.TempDir()
	h.bootID, h.boot = "", time.Minute
	if err := h.open(t, dir).Save(h.lease()); err != nil {
		t.Fatal(err)
	}
	h.wall, h.boot = h.wall.Add(40*time.Minute), 2*time.Minute
	h.base = h.wall.Add(-h.boot)
	r := load(t, h.open(t, dir))
	if left := r.Lease.Expiry.Sub(h.now()); !r.Usable || left != 20*time.Minute {
		t.Errorf("usable: %v (%s), %v left, want 20m", r.Usable, r.Why, left)
	}
}

func TestC19ALeaseWithoutAnEndStaysOne(t *testing.T) {
	h, dir := newHost(), t.TempDir()
	l := h.lease()
	l.T1, l.T2, l.Expiry = time.Time{}, time.Time{}, time.Time{}
	if err := errors.Join(dhcp4.LeaseTime.Put(&l.Options, dhcp4.Infinite), h.open(t, dir).Save(l)); err != nil {
		t.Fatal(err)
	}
	h.pass(100 * 365 * 24 * time.Hour)
	h.restart()
	h.base = h.base.Add(time.Hour) // the process's clock is another one
	if r := load(t, h.open(t, dir)); !r.Usable || !r.Lease.Infinite() || !r.Lease.T1.IsZero() {
		t.Errorf("%+v", r)
	}
}

// change does something to the bytes of a file.
func change(t *testing.T, path string, old, changed string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil && !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%s has no %q", path, old)
	}
	if err == nil {
		err = os.WriteFile(path, bytes.ReplaceAll(b, []byte(old), []byte(changed)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatAnotherVersionWroteIsSetAsideThoughNothingHappenedToIt(t *testing.T) {
	h := newHost()
	s := h.open(t, t.TempDir())
	if err := s.Save(h.lease()); err != nil {
		t.Fatal(err)
	}
	change(t, s.path(), `"lessee": 1`, `"lessee": 2`)
	if r, err := s.Load(); !errors.Is(err, ErrBroken) || r.Usable {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestALinkToAGoodFileIsNotFollowed(t *testing.T) {
	h, dir := newHost(), t.TempDir()
	s := h.open(t, dir)
	elsewhere := filepath.Join(dir, "elsewhere")
	if err := errors.Join(s.Save(h.lease()), os.Rename(s.path(), elsewhere), os.Symlink(elsewhere, s.path())); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Load(); !errors.Is(err, ErrBroken) || r.Usable {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAPipeIsNotWaitedFor(t *testing.T) {
	h := newHost()
	s := h.open(t, t.TempDir())
	if err := unix.Mkfifo(s.path(), 0o600); err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 1)
	go func() { _, err := s.Load(); told <- err }()
	select {
	case err := <-told:
		if !errors.Is(err, ErrBroken) {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("it waits for somebody to write")
	}
}

func TestNineBrokenFilesAreKeptAndWhatCannotBeSetAsideIsSaid(t *testing.T) {
	h, dir := newHost(), t.TempDir()
	s := h.open(t, dir)
	spoil := func() error {
		err := os.WriteFile(s.path(), []byte("?"), 0o600)
		if err == nil {
			_, err = s.Load()
		}
		return err
	}
	for range 12 {
		if err := spoil(); !errors.Is(err, ErrBroken) {
			t.Fatal(err)
		}
	}
	list, err := filepath.Glob(filepath.Join(dir, "*.broken-*"))
	if err != nil || len(list) != 9 {
		t.Fatalf("%d are kept, %v: %q", len(list), err, list)
	}
	last := s.path() + ".broken-9"
	if err := errors.Join(os.Remove(last), os.Mkdir(last, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := spoil(); err == nil || errors.Is(err, ErrBroken) {
		t.Errorf("it is said to be set aside, and is not: %v", err)
	}
}

func TestWhatIsKeptIsForItsOwnerAlone(t *testing.T) {
	h, dir := newHost(), filepath.Join(t.TempDir(), "state")
	if err := h.open(t, dir).Save(h.lease()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}
