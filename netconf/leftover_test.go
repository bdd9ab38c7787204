package netconf

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/netconf/atomicfile"
)

func TestALinkThatNothingIsKnownOfIsFoundByItsMarks(t *testing.T) {
	r := newRig(t)
	before := r.state()
	r.must(r.apply(r.open(Options{}), fullLease()))
	r.must(errors.Join(os.RemoveAll(filepath.Join(r.dir, "run")), os.RemoveAll(filepath.Join(r.dir, "state"))))
	h := r.open(Options{})
	if !r.leftover(h) || !r.holds(h, fullLease()) {
		t.Errorf("leftover %v, holds %v", r.leftover(h), r.holds(h, fullLease()))
	}
	// It is taken over, with another address and nothing of the old.
	l := testLease(func(l *lease.Lease) { l.Addr = netip.MustParsePrefix("192.0.2.99/24") })
	r.must(r.apply(h, l))
	if a := r.m.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix != l.Addr || len(r.m.RoutesOf()) != 2 {
		t.Errorf("%+v, %q", a, r.m.RoutesOf())
	}
	r.withdraw(r.open(Options{}), lease.Lease{})
	r.must(errors.Join(os.WriteFile(r.resolvConf(), []byte(operators), 0o640), os.Chmod(r.resolvConf(), 0o640))) // nobody can know that
	if after := r.state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestAfterARebootTheResolverIsAllThatIsLeft(t *testing.T) {
	r := newRig(t)
	before := r.state()
	r.must(r.apply(r.open(Options{MTU: true}), fullLease()))
	// Another boot: the kernel has nothing, and the run directory may be
	// there still, or not.
	r.mustIP("address flush dev eth0", "link set eth0 mtu 1500")
	path := recordPath(filepath.Join(r.dir, "run"), "eth0")
	b, err := os.ReadFile(path)
	r.must(err)
	r.must(os.WriteFile(path, []byte(strings.ReplaceAll(string(b), atomicfile.BootID(), "another boot")), 0o600))
	r.must(r.m.SetMTU("eth0", 1400)) // somebody's: not ours to put back
	h := r.open(Options{})
	if !r.leftover(h) {
		t.Error("resolv.conf is ours, and nobody knows")
	}
	r.withdraw(h, lease.Lease{})
	if r.leftover(h) {
		t.Error("something is left")
	}
	if mtu, _ := r.m.MTU("eth0"); mtu != 1400 {
		t.Errorf("MTU %d", mtu)
	}
	r.must(r.m.SetMTU("eth0", 1500))
	if after := r.state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	r.tidy("in the end")
}

func TestALinkOfTheSameNameIsAnotherLink(t *testing.T) {
	r := newRig(t)
	r.must(r.apply(r.open(Options{}), testLease(nil)))
	r.must(r.m.Remove("eth0"))
	r.net.Connect(r.m, "eth0", r.peer, "eth0")
	h := r.open(Options{})
	if r.leftover(h) || r.holds(h, testLease(nil)) {
		t.Error("it holds what the link before it held")
	}
	r.withdraw(h, lease.Lease{})
	r.tidy("in the end")
}

func TestAnotherResolverFileIsLeftWhenTheSettingsChange(t *testing.T) {
	r := newRig(t)
	before := r.state()
	r.must(r.apply(r.open(Options{}), fullLease()))
	c := r.config(Options{})
	c.ResolvConf = "none"
	h := r.openWith(c)
	if !r.leftover(h) {
		t.Error("nobody knows of the file")
	}
	r.must(r.apply(h, fullLease()))
	if text, err := os.ReadFile(r.resolvConf()); err != nil || string(text) != operators {
		t.Errorf("%q, %v", text, err)
	}
	r.withdraw(h, lease.Lease{})
	if after := r.state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	r.tidy("in the end")
}
