package netconf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/lease"
)

func TestADiskThatCannotBeWrittenIsNoReasonToHaveNoAddress(t *testing.T) {
	for name, mount := range map[string]func(dir string) error{
		"read-only": func(dir string) error { return unix.Mount("tmpfs", dir, "tmpfs", unix.MS_RDONLY, "") },
		"full": func(dir string) error {
			err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4k")
			return errors.Join(err, os.WriteFile(filepath.Join(dir, "full"), make([]byte, 4096), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			c := r.config(Options{MTU: true})
			var troubles []string
			c.Trouble = func(err error) { troubles = append(troubles, err.Error()) }
			for _, dir := range []string{c.RunDir, c.StateDir} {
				r.must(errors.Join(os.Mkdir(dir, 0o700), mount(dir)))
			}
			before := r.state()
			h := r.openWith(c)
			for range 3 {
				r.must(r.apply(h, fullLease()))
			}
			if len(r.m.AddrsOf("eth0")) != 1 || len(r.m.RoutesOf()) != 5 {
				t.Errorf("%+v, %q", r.m.AddrsOf("eth0"), r.m.RoutesOf())
			}
			if len(troubles) != 2 {
				t.Errorf("told of %q, want each kind once", troubles)
			}
			if text, err := os.ReadFile(r.resolvConf()); err != nil || string(text) != operators {
				t.Errorf("resolv.conf was written, and nobody could put it back: %q, %v", text, err)
			}
			for _, dir := range []string{c.RunDir, c.StateDir} {
				r.must(unix.Unmount(dir, 0)) // the disk is well again
			}
			r.must(r.apply(h, fullLease()))
			if text, err := os.ReadFile(r.resolvConf()); err != nil || !strings.Contains(string(text), "192.0.2.53") {
				t.Errorf("the resolver was not told: %q, %v", text, err)
			}
			r.withdraw(r.openWith(c), lease.Lease{}) // what it wrote down is enough for another process
			if after := r.state(); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
			if len(troubles) != 2 {
				t.Errorf("told of %q", troubles)
			}
		})
	}
}

func TestAWithdrawWithoutADiskIsComplete(t *testing.T) {
	r := newRig(t)
	c := r.config(Options{MTU: true})
	r.must(os.Mkdir(c.RunDir, 0o700))
	r.must(unix.Mount("tmpfs", c.RunDir, "tmpfs", unix.MS_RDONLY, ""))
	t.Cleanup(func() { r.must(unix.Unmount(c.RunDir, 0)) })
	before := r.state()
	h := r.openWith(c)
	r.must(r.apply(h, fullLease()))
	r.withdraw(h, lease.Lease{})
	if after := r.state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}
