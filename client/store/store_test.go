package store

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// A host has three clocks that a test sets.
type host struct {
	wall   time.Time
	boot   time.Duration
	bootID string
	base   time.Time // of the process's own clock
}

var (
	hw = dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}
	id = dhcp4.ClientID{1, 2, 0, 0, 0, 0, 1}
)

func newHost() *host {
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	return &host{wall: now, boot: time.Hour, bootID: "one", base: now.Add(-time.Hour)}
}

// now is a clock like client.BootTime's.
func (h *host) now() time.Time { return h.base.Add(h.boot) }

// pass lets time go by.
func (h *host) pass(d time.Duration) { h.wall, h.boot = h.wall.Add(d), h.boot+d }

// restart begins a new run of the kernel; the process's clock begins with the
// wall clock.
func (h *host) restart() {
	h.bootID, h.boot, h.base = h.bootID+"+", time.Minute, h.wall.Add(-time.Minute)
}

func (h *host) open(t *testing.T, dir string) *Link {
	t.Helper()
	s, err := Open(dir, "eth0", hw, id, h.now)
	if err != nil {
		t.Fatal(err)
	}
	s.clocks = clocks{func() time.Time { return h.wall }, func() time.Duration { return h.boot }, func() string { return h.bootID }}
	return s
}

func (h *host) lease() lease.Lease {
	now := h.now()
	l := lease.Lease{
		Addr: netip.MustParsePrefix("192.0.2.77/24"), Server: netip.MustParseAddr("192.0.2.1"),
		Start: now, T1: now.Add(30 * time.Minute), T2: now.Add(50 * time.Minute), Expiry: now.Add(time.Hour),
		DNS: []netip.Addr{netip.MustParseAddr("192.0.2.53")}, Domain: "example.com",
	}
	l.Options.Put(dhcp4.LeaseTime.Code, []byte{0, 0, 14, 16})
	l.Options.Put(224, []byte{1, 2, 3}) // unknown: must survive
	l.Options.Put(12, []byte("host"))
	return l
}

func load(t *testing.T, s *Link) Remembered {
	t.Helper()
	r, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var addrs = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})

func TestB20WhatIsSavedIsLoaded(t *testing.T) {
	h, dir := newHost(), t.TempDir()
	s, want := h.open(t, dir), h.lease()
	if err := s.Save(want); err != nil {
		t.Fatal(err)
	}
	r := load(t, s)
	if !r.Usable {
		t.Fatalf("not usable: %s", r.Why)
	}
	if diff := cmp.Diff(want, r.Lease, addrs); diff != "" {
		t.Errorf("-saved +loaded\n%s", diff)
	}
	info, err := os.Stat(s.path())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestD8ClocksNeverLengthenALease(t *testing.T) {
	for _, tc := range []struct {
		name   string
		happen func(*host)
		usable bool
		left   time.Duration
	}{
		{"ten minutes pass", func(h *host) { h.pass(10 * time.Minute) }, true, 50 * time.Minute},
		{"the lease ends", func(h *host) { h.pass(time.Hour) }, false, 0},
		{"the wall clock goes back within a boot", func(h *host) { h.pass(10 * time.Minute); h.wall = h.wall.AddDate(-1, 0, 0) }, true, 50 * time.Minute},
		{"the wall clock goes forward within a boot", func(h *host) { h.pass(10 * time.Minute); h.wall = h.wall.AddDate(1, 0, 0) }, true, 50 * time.Minute},
		{"the host restarts", func(h *host) { h.pass(10 * time.Minute); h.restart() }, true, 50 * time.Minute},
		{"the host restarts after the lease", func(h *host) { h.pass(2 * time.Hour); h.restart() }, false, 0},
		{"the host restarts and its clock stands in the past", func(h *host) { h.wall = h.wall.AddDate(-50, 0, 0); h.restart() }, false, 0},
		{"a new process begins with a wrong wall clock", func(h *host) {
			h.pass(10 * time.Minute)
			h.wall = h.wall.AddDate(1, 0, 0)
			h.base = h.wall.Add(-h.boot)
		}, true, 50 * time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h, dir := newHost(), t.TempDir()
			if err := h.open(t, dir).Save(h.lease()); err != nil {
				t.Fatal(err)
			}
			tc.happen(h)
			r := load(t, h.open(t, dir))
			if r.Usable != tc.usable {
				t.Fatalf("usable: %v (%s)", r.Usable, r.Why)
			}
			if left := r.Lease.Expiry.Sub(h.now()); tc.usable && left != tc.left {
				t.Errorf("%v left, want %v", left, tc.left)
			}
			if r.Lease.Addr.String() != "192.0.2.77/24" {
				t.Errorf("the address is lost as a hint: %v", r.Lease.Addr)
			}
		})
	}
}

func TestD5AnotherIdentityMakesAHint(t *testing.T) {
	h, dir := newHost(), t.TempDir()
	if err := h.open(t, dir).Save(h.lease()); err != nil {
		t.Fatal(err)
	}
	other := h.open(t, dir)
	other.hw = dhcp4.HardwareAddr{2, 0, 0, 0, 0, 2}
	if r := load(t, other); r.Usable || !strings.Contains(r.Why, "hardware address") {
		t.Errorf("other hardware address: %+v", r)
	}
	other = h.open(t, dir)
	other.id = dhcp4.ClientID{0, 1}
	if r := load(t, other); r.Usable || !strings.Contains(r.Why, "client identifier") {
		t.Errorf("other client identifier: %+v", r)
	}
}

func TestD5EveryPrefixAndEveryChangedByteIsFound(t *testing.T) {
	h, dir := newHost(), t.TempDir()
	s := h.open(t, dir)
	if err := s.Save(h.lease()); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(s.path())
	if err != nil {
		t.Fatal(err)
	}
	var want content
	if err := decode(good, &want); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		var c content
		if err := decode(good[:i], &c); err == nil && i < len(good)-1 {
			t.Fatalf("the first %d of %d bytes pass", i, len(good))
		}
		bad := bytes.Clone(good)
		bad[i] ^= 0x20
		// White space, and the case of a member's name, carry nothing.
		if err := decode(bad, &c); err == nil && cmp.Diff(want, c, addrs) != "" {
			t.Fatalf("byte %d changed from %q to %q, and the lease with it", i, good[i], bad[i])
		}
	}
}

func TestBrokenAndForeignFilesAreSetAside(t *testing.T) {
	for name, make := range map[string]func(t *testing.T, path string) error{
		"empty":      func(_ *testing.T, p string) error { return os.WriteFile(p, nil, 0o600) },
		"dhclient's": func(_ *testing.T, p string) error { return os.WriteFile(p, []byte("lease {\n}\n"), 0o600) },
		"huge": func(_ *testing.T, p string) error {
			return os.WriteFile(p, bytes.Repeat([]byte{' '}, maxSize+10), 0o600)
		},
		"other version": func(_ *testing.T, p string) error {
			return os.WriteFile(p, []byte(`{"lessee":2,"crc64":"","content":{}}`), 0o600)
		},
		"a link": func(_ *testing.T, p string) error { return os.Symlink("/etc/passwd", p) },
	} {
		t.Run(name, func(t *testing.T) {
			h, dir := newHost(), t.TempDir()
			s := h.open(t, dir)
			for n := range 12 { // more often than there are names
				if err := make(t, s.path()); err != nil {
					t.Fatal(err)
				}
				if f, known := LoadFormer(dir, "eth0", h.now); known {
					t.Fatalf("time %d: it was got with %+v", n, f)
				}
				r, err := s.Load() // which tells of it, though somebody looked before
				if !errors.Is(err, ErrBroken) || r.Usable || !r.Lease.IsZero() {
					t.Fatalf("time %d: %+v, %v", n, r, err)
				}
			}
			if r, err := s.Load(); err != nil || r.Usable {
				t.Errorf("after it was set aside: %+v, %v", r, err)
			}
			if err := s.Save(h.lease()); err != nil {
				t.Errorf("saving afterwards: %v", err)
			}
		})
	}
}

func TestALongerLeaseThanTheServersIsRefused(t *testing.T) {
	h, dir := newHost(), t.TempDir()
	s, l := h.open(t, dir), h.lease()
	l.Expiry = l.Expiry.Add(time.Second)
	if err := s.Save(l); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Load(); !errors.Is(err, ErrBroken) || r.Usable {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestNamesStayInTheDirectory(t *testing.T) {
	if _, err := Open("/state", "", hw, id, time.Now); err == nil {
		t.Error("a link without a name has a store")
	}
	for _, name := range []string{"../x", "..", ".", "a/b", "eth0.100", "%2e%2e"} {
		s, err := Open("/state", name, hw, id, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if dir, file := filepath.Split(s.path()); dir != "/state/" || strings.HasPrefix(file, ".") {
			t.Errorf("%q: %s", name, s.path())
		}
	}
}

func TestForgetTwiceIsNoError(t *testing.T) {
	h := newHost()
	s := h.open(t, t.TempDir())
	if err := errors.Join(s.Save(h.lease()), s.Forget(), s.Forget()); err != nil {
		t.Fatal(err)
	}
	if r := load(t, s); r.Usable || !r.Lease.IsZero() {
		t.Errorf("%+v", r)
	}
}

func TestSavingWhereThatIsImpossibleSaysSo(t *testing.T) {
	h := newHost()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.open(t, filepath.Join(file, "dir")).Save(h.lease()); err == nil || !strings.Contains(err.Error(), "eth0") {
		t.Errorf("%v", err)
	}
}

func TestH1H2H3IdentityIsKept(t *testing.T) {
	dir := t.TempDir()
	first, warning, err := LoadIdentity(dir, dhcp4.HTypeEthernet, hw)
	if err != nil || warning != nil {
		t.Fatal(err, warning)
	}
	eth0, err := first.ClientID("eth0")
	if err != nil {
		t.Fatal(err)
	}
	eth1, err := first.ClientID("eth1")
	if err != nil {
		t.Fatal(err)
	}
	if eth0[0] != 255 || !bytes.Equal(eth0[5:], eth1[5:]) || bytes.Equal(eth0[1:5], eth1[1:5]) {
		t.Errorf("H1, H2: %v and %v", eth0, eth1)
	}
	again, _, err := LoadIdentity(dir, dhcp4.HTypeEthernet, dhcp4.HardwareAddr{2, 0, 0, 0, 0, 99})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.ClientID("eth0"); err != nil || !bytes.Equal(got, eth0) {
		t.Errorf("H3: %v, %v after the hardware changed, %v before", got, err, eth0)
	}
}

// H4: hosts made of one image share a machine id and whatever else is in it; as
// long as that is no state directory, they are two to a server.
func TestH4HostsOfOneImageAreApart(t *testing.T) {
	var ids [2]dhcp4.ClientID
	for i := range ids {
		id, _, err := LoadIdentity(t.TempDir(), dhcp4.HTypeEthernet, dhcp4.HardwareAddr{2, 0, 0, 0, 0, byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		if ids[i], err = id.ClientID("eth0"); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(ids[0], ids[1]) {
		t.Errorf("both are %v", ids[0])
	}
}

func TestBrokenIdentityIsMadeAnewWithAWarning(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "identity.json"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	id, warning, err := LoadIdentity(dir, dhcp4.HTypeEthernet, hw)
	if err != nil || !errors.Is(warning, ErrBroken) {
		t.Fatal(err, warning)
	}
	if _, err := id.ClientID("eth0"); err != nil {
		t.Error(err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"lessee":1,"crc64":"","content":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, dir := newHost(), t.TempDir()
		s := h.open(t, dir)
		if err := os.WriteFile(s.path(), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Load(); err == nil || r.Usable {
			t.Fatalf("%q passes: %+v", b, r)
		}
	})
}

func TestARenamedLinkKeepsItsLeaseAndIdentity(t *testing.T) {
	dir := t.TempDir()
	if err := Rename(dir, "eth0", "lan0"); err != nil {
		t.Fatalf("with nothing to rename: %v", err)
	}
	h := newHost()
	s := h.open(t, dir)
	if err := s.Save(h.lease()); err != nil {
		t.Fatal(err)
	}
	ident, _, err := LoadIdentity(dir, dhcp4.HTypeEthernet, hw)
	if err != nil {
		t.Fatal(err)
	}
	before, err := ident.ClientID("eth0")
	if err != nil {
		t.Fatal(err)
	}
	if err := Rename(dir, "eth0", "lan0"); err != nil {
		t.Fatal(err)
	}
	s.name = "lan0"
	r, err := s.Load()
	if err != nil || !r.Usable || r.Lease.Addr != h.lease().Addr {
		t.Errorf("loaded %+v, %v", r, err)
	}
	ident, _, err = LoadIdentity(dir, dhcp4.HTypeEthernet, hw)
	if err != nil {
		t.Fatal(err)
	}
	if after, err := ident.ClientID("lan0"); err != nil || !bytes.Equal(before, after) {
		t.Errorf("H2: %v became %v, %v", before, after, err)
	}
	s.name = "eth0"
	if r, err := s.Load(); err != nil || r.Usable {
		t.Errorf("under the old name: %+v, %v", r, err)
	}
}
