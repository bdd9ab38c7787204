package netconf

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/lease"
)

// rename renames a link, which must be down for that on old kernels, and gets
// back what was lost with that.
func (r *rig) rename(from, to string) {
	r.t.Helper()
	r.mustIP("link set " + from + " name " + to)
}

func TestARenamedLinkIsWithdrawnUnderItsNewName(t *testing.T) {
	for name, tell := range map[string]func(r *rig, h *Host) *Host{
		"while somebody looks": func(r *rig, h *Host) *Host { r.must(h.Rename("lan0")); return h },
		"and killed after that": func(r *rig, h *Host) *Host {
			r.must(h.Rename("lan0"))
			return r.openNamed("lan0")
		},
		"while nobody looks": func(r *rig, h *Host) *Host { return r.openNamed("lan0") },
		"by the files alone": func(r *rig, h *Host) *Host {
			r.must(Rename(r.config(Options{}), h.record.Index, "eth0", "lan0"))
			return r.openNamed("lan0")
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			before := r.state()
			h := r.open(Options{MTU: true})
			r.must(r.apply(h, fullLease()))
			r.rename("eth0", "lan0")
			h = tell(r, h)
			if got := Remains(r.config(Options{})); !slices.Equal(got, []string{"lan0"}) {
				t.Errorf("something is known of %q", got)
			}
			r.must(r.apply(h, fullLease()))
			r.withdraw(h, lease.Lease{})
			r.rename("lan0", "eth0")
			if after := r.state(); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
			r.tidy(name)
		})
	}
}

func (r *rig) openNamed(link string) (h *Host) {
	r.t.Helper()
	r.m.Must(func() (err error) { h, err = Open(link, r.config(Options{})); return err })
	return h
}

// udev gives links the names of others, by way of a third name; somebody who
// looks late sees only the end of that.
func TestTwoLinksThatExchangeTheirNames(t *testing.T) {
	for _, known := range []bool{true, false} {
		r := newRig(t)
		r.net.Connect(r.m, "eth1", r.peer, "eth1")
		a, b := r.openLink("eth0", Options{MTU: true}), r.openLink("eth1", Options{MTU: true})
		other := testLease(func(l *lease.Lease) { l.DNS, l.MTU = nil, 1300 })
		r.must(r.apply(a, fullLease()))
		r.must(r.m.Do(func() error { return b.Apply(t.Context(), other) }))
		r.mustIP("link set eth0 name x", "link set eth1 name eth0", "link set x name eth1")
		if known {
			r.must(errors.Join(a.Rename("eth1"), b.Rename("eth0")))
		} else {
			b, a = r.openNamed("eth0"), r.openNamed("eth1")
		}
		r.withdraw(b, lease.Lease{})
		if text, err := os.ReadFile(r.resolvConf()); err != nil || !strings.Contains(string(text), "192.0.2.53") {
			t.Errorf("known %v: the servers of the other went: %q, %v", known, text, err)
		}
		if len(r.m.AddrsOf("eth0")) != 0 || len(r.m.AddrsOf("eth1")) != 1 {
			t.Errorf("known %v: the address of the other went", known)
		}
		r.withdraw(a, lease.Lease{})
		for _, link := range []string{"eth0", "eth1"} { // only the record knows
			if mtu, err := r.m.MTU(link); mtu != 1500 || err != nil {
				t.Errorf("known %v: %s has MTU %d, %v", known, link, mtu, err)
			}
		}
		r.tidy("in the end")
	}
}

func TestWhatRemainsIsOfOneNamespace(t *testing.T) {
	r := newRig(t)
	here, there := r.config(Options{}), r.config(Options{})
	there.Namespace = r.namespace()
	r.must(r.apply(r.openWith(here), testLease(nil)))
	if got := Remains(there); len(got) != 0 {
		t.Errorf("of the other namespace something is known of %q", got)
	}
	r.withdraw(r.openWith(here), lease.Lease{})
	h, err := Open("eth0", there)
	r.must(err)
	r.must(h.Apply(t.Context(), testLease(nil)))
	if got := Remains(there); !slices.Equal(got, []string{"eth0"}) {
		t.Errorf("something is known of %q", got)
	}
	if got := Remains(here); len(got) != 0 {
		t.Errorf("here something is known of %q", got)
	}
	r.must(h.Withdraw(t.Context(), lease.Lease{}))
}

func TestALinkThatNeverComesBackIsForgotten(t *testing.T) {
	r := newRig(t)
	r.must(r.apply(r.open(Options{}), fullLease()))
	r.must(r.m.Remove("eth0"))
	c := r.config(Options{})
	if got := Remains(c); !slices.Equal(got, []string{"eth0"}) || !slices.Equal(r.lost(), got) {
		t.Errorf("something is known of %q, and %q are lost", got, r.lost())
	}
	r.must(Forget("eth0", c))
	if text, err := os.ReadFile(r.resolvConf()); err != nil || string(text) != operators {
		t.Errorf("%q, %v", text, err)
	}
	if got := Remains(c); len(got) != 0 {
		t.Errorf("something is known of %q", got)
	}
	r.tidy("in the end")
}

// lost are the links of which something is left and that are not there.
func (r *rig) lost() (links []string) {
	r.t.Helper()
	r.m.Must(func() (err error) {
		links, err = Lost(r.config(Options{}))
		return err
	})
	return links
}

func TestALinkThatIsThereIsNotLost(t *testing.T) {
	r := newRig(t)
	r.must(r.apply(r.open(Options{}), fullLease()))
	if got := r.lost(); len(got) != 0 {
		t.Errorf("%q are there", got)
	}
	r.rename("eth0", "lan0")
	if got := r.lost(); len(got) != 0 {
		t.Errorf("%q have another name", got)
	}
	r.rename("lan0", "eth0")
	r.withdraw(r.open(Options{}), lease.Lease{})
	r.tidy("in the end")
}

func TestWhatALinkOfAFormerBootLeftIsLost(t *testing.T) {
	r := newRig(t)
	r.must(r.apply(r.open(Options{}), fullLease()))
	r.must(os.Remove(recordPath(r.config(Options{}).runDir(), "eth0"))) // that ends with the boot
	r.rename("eth0", "lan0")
	if got := r.lost(); !slices.Equal(got, []string{"eth0"}) {
		t.Errorf("%q are lost", got)
	}
}
