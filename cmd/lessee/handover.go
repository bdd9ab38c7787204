package main

import (
	"path/filepath"

	"github.com/lessee/lessee/client/store"
)

// bootDir is where leases are remembered that were got at boot: beside the
// record of what was done to links, for the state directory may be on a disk
// that is not there yet, or not writable.
func bootDir(runDir string) string { return filepath.Join(runDir, "boot") }

// takeOver brings a lease that was got at boot into the state directory, unless
// there is one of as much worth there. So whoever manages the link from then on
// finds its address configured, and keeps it: the root file system may depend on
// that.
func (o *opening) takeOver(d *devices) {
	dir := bootDir(o.runDir)
	if o.stateDir == dir {
		return
	}
	boot, err := store.Open(dir, o.key(d), d.ifi.Addr, d.machine.ClientID, o.now)
	if err != nil {
		return // as for the state directory itself, which tells
	}
	got, err := boot.Load()
	if err != nil {
		o.log.Warn("the lease of the boot is not used", "link", o.key(d), "error", err)
	}
	if !got.Usable {
		return
	}
	if known, err := d.store.Load(); err == nil && known.Usable && known.Lease.Start.After(got.Lease.Start) {
		return
	}
	if err := d.store.Save(got.Lease); err != nil {
		o.log.Warn("the lease of the boot cannot be kept", "link", o.key(d), "error", err)
		d.store = boot // for now; a later process may be luckier
		return
	}
	if err := boot.Forget(); err != nil {
		o.log.Warn("the lease of the boot", "link", o.key(d), "error", err)
	}
}
