package main

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/store"
)

func TestALeaseThatCouldNotBeSavedIsSavedLater(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // in the way of the directory
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		hw := dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}
		link, err := store.Open(dir, "eth0", hw, nil, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		var troubles atomic.Int32
		s := &stubborn{Link: link, trouble: func(error) { troubles.Add(1) }, log: slog.New(slog.DiscardHandler)}
		defer s.close()
		now := time.Now()
		l := lease.Lease{
			Addr: netip.MustParsePrefix("192.0.2.7/24"), Server: netip.MustParseAddr("192.0.2.1"),
			Start: now, T1: now.Add(time.Hour), T2: now.Add(2 * time.Hour), Expiry: now.Add(3 * time.Hour),
		}
		if s.Save(l) == nil {
			t.Fatal("saved into a directory that is none")
		}
		if err := s.Save(l); err != nil {
			t.Errorf("told twice: %v", err)
		}
		time.Sleep(3*retrySave + time.Second)
		if n := troubles.Load(); n != 3 {
			t.Errorf("%d troubles in three minutes", n)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(retrySave)
		if r, err := link.Load(); err != nil || r.Lease.Addr != l.Addr {
			t.Errorf("saved: %+v, %v", r, err)
		}
		if err := s.Forget(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * retrySave)
		if r, err := link.Load(); err != nil || !r.Lease.IsZero() {
			t.Errorf("it came back: %+v, %v", r, err)
		}
	})
}
