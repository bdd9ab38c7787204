package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// ErrBroken says that a file was not what this package wrote, and that it was
// set aside.
var ErrBroken = errors.New("the file is broken or foreign; it was set aside")

// A Link remembers one lease of one link.
type Link struct {
	// Settings are saved beside every lease: what whoever got it was told, in
	// the caller's own form, as JSON. nil saves none.
	Settings json.RawMessage

	dir, name string
	hw        dhcp4.HardwareAddr
	id        dhcp4.ClientID
	now       func() time.Time
	clocks    clocks
}

// clocks are what the kernel says of time.
type clocks struct {
	wall   func() time.Time
	boot   func() time.Duration
	bootID func() string
}

// kernels are the real ones.
var kernels = clocks{time.Now, sinceBoot, bootID}

// Open returns the store of a link in the state directory dir, for a client
// with this hardware address and client identifier, whose clock is now. The
// directory is made when something is saved.
func Open(dir, link string, hw dhcp4.HardwareAddr, id dhcp4.ClientID, now func() time.Time) (*Link, error) {
	if link == "" {
		return nil, errors.New("store: a link without a name")
	}
	return &Link{dir: dir, name: link, hw: hw, id: id, now: now, clocks: kernels}, nil
}

// path is the link's file. Whatever the name holds, it stays in the
// directory.
func (s *Link) path() string {
	name := strings.ReplaceAll(url.PathEscape(s.name), ".", "%2E")
	return filepath.Join(s.dir, name+".lease.json")
}

// A Remembered is what was known of a link.
type Remembered struct {
	Lease  lease.Lease // on the caller's clock; the zero Lease if nothing is known
	Usable bool        // it may be confirmed and used; else its address is a hint
	Why    string      // it is not usable
}

// content is what a file says.
type content struct {
	Link      string      `json:"link"`
	Hardware  string      `json:"hardware_address"`
	ClientID  string      `json:"client_id"`
	Saved     time.Time   `json:"saved"`      // on the clock of the lease's times
	SavedWall time.Time   `json:"saved_wall"` // on the wall clock
	SavedBoot int64       `json:"saved_boot"` // CLOCK_BOOTTIME, ns
	BootID    string      `json:"boot_id"`    // of the kernel's run that SavedBoot is about
	Lease     lease.Lease `json:"lease"`

	Settings json.RawMessage `json:"settings,omitempty"` // files of before it have none
}

// Save remembers l in place of what was known.
func (s *Link) Save(l lease.Lease) error {
	c := content{
		Link: s.name, Hardware: s.hw.String(), ClientID: s.id.String(), Lease: l, Settings: s.Settings,
		Saved: s.now(), SavedWall: s.clocks.wall().Round(0),
		SavedBoot: int64(s.clocks.boot()), BootID: s.clocks.bootID(),
	}
	if err := write(s.path(), c); err != nil {
		return fmt.Errorf("remember the lease of %s: %w", s.name, err)
	}
	return nil
}

// Forget removes what was remembered.
func (s *Link) Forget() error {
	err := os.Remove(s.path())
	if _, errThere := os.Lstat(s.path()); err == nil || errors.Is(errThere, os.ErrNotExist) {
		return nil // a read-only disk refuses to remove what is not there, too
	}
	return fmt.Errorf("forget the lease of %s: %w", s.name, err)
}

// Rename keeps what is remembered under the name that the kernel gave the link
// before, its part of the host's identity included. What stood under the new
// one is forgotten.
func Rename(dir, old, name string) error {
	from, to := &Link{dir: dir, name: old}, &Link{dir: dir, name: name}
	err := os.Rename(from.path(), to.path())
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err = errors.Join(err, renameIdentity(dir, old, name)); err != nil {
		return fmt.Errorf("remember %s as %s: %w", old, name, err)
	}
	return nil
}

// Load returns what is remembered. The error, which may be ErrBroken, is for
// the log: there is then nothing to remember, and all goes on without.
func (s *Link) Load() (Remembered, error) {
	var c content
	err := read(s.path(), &c)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Remembered{Why: "nothing is remembered"}, nil
	case err != nil:
		return Remembered{Why: "the file could not be read"}, fmt.Errorf("remembered lease of %s: %w", s.name, err)
	}
	if why := insane(c.Lease, c.Saved); why != "" {
		return Remembered{Why: why}, fmt.Errorf("remembered lease of %s: %s: %w", s.name, why, setAside(s.path()))
	}
	return s.judge(c), nil
}

// insane tells why a lease cannot be what a server granted before saved.
func insane(l lease.Lease, saved time.Time) string {
	switch {
	case !l.Addr.Addr().Is4() || !l.Server.Is4():
		return "no address or no server"
	case l.Start.After(saved):
		return "it begins after it was saved"
	case l.Infinite():
		return ""
	case l.T1.Before(l.Start) || l.T2.Before(l.T1) || l.Expiry.Before(l.T2):
		return "its times are out of order"
	}
	seconds, err := dhcp4.LeaseTime.Get(l.Options)
	if d, finite := seconds.Duration(); err == nil && finite && l.Expiry.Sub(l.Start) > d {
		return "it is longer than the server said"
	}
	return ""
}

// judge decides what the lease is worth to this client.
func (s *Link) judge(c content) (r Remembered) {
	r.Lease, r.Why = s.current(c)
	switch {
	case r.Why != "":
	case c.Hardware != s.hw.String():
		r.Why = fmt.Sprintf("it is for hardware address %s, the link has %v", c.Hardware, s.hw)
	case c.ClientID != s.id.String():
		r.Why = fmt.Sprintf("it is for client identifier %q, now %q is used", c.ClientID, s.id.String())
	default:
		r.Usable = true
	}
	return r
}

// current brings the lease onto the caller's clock; why says that it is not
// valid, or that nobody knows.
func (s *Link) current(c content) (l lease.Lease, why string) {
	l = c.Lease
	elapsed := s.clocks.wall().Sub(c.SavedWall)
	if sameBoot := c.BootID != "" && c.BootID == s.clocks.bootID(); sameBoot {
		elapsed = s.clocks.boot() - time.Duration(c.SavedBoot)
	}
	if elapsed < 0 {
		return l, "the wall clock stands before the time at which the lease was saved"
	}
	shift(&l, s.now().Add(-elapsed).Sub(c.Saved))
	if !l.Valid(s.now()) {
		return l, "it has expired"
	}
	return l, ""
}

// shift moves all instants of a lease.
func shift(l *lease.Lease, by time.Duration) {
	for _, t := range []*time.Time{&l.Start, &l.T1, &l.T2, &l.Expiry} {
		if !t.IsZero() {
			*t = t.Add(by)
		}
	}
}

// sinceBoot reads CLOCK_BOOTTIME.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return -1 // so that no lease seems younger than it is
	}
	return time.Duration(ts.Nano())
}

// bootID tells one run of the kernel from another; empty if it is hidden, as
// in some containers.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(b))
}
