package netconf

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// watched is a kernel that asks before each request whether it is to be
// refused.
func watched(k kernel, before func(what string, changes bool) error) kernel {
	guard := func(what string, changes bool, f func() error) error {
		if err := before(what, changes); err != nil {
			return err
		}
		return f()
	}
	w := k
	w.now = func() (out linkNow, err error) {
		err = guard("look at the link", false, func() (err error) { out, err = k.now(); return err })
		return out, err
	}
	w.addrs = func() (out []kernelAddr, err error) {
		err = guard("list addresses", false, func() (err error) { out, err = k.addrs(); return err })
		return out, err
	}
	w.routes = func(which func(kernelRoute) bool) (out []kernelRoute, err error) {
		err = guard("list routes", false, func() (err error) { out, err = k.routes(which); return err })
		return out, err
	}
	w.elsewhere = func() (out []netip.Prefix, err error) {
		err = guard("list other addresses", false, func() (err error) { out, err = k.elsewhere(); return err })
		return out, err
	}
	w.rules = func() (out []kernelRule, err error) {
		err = guard("list rules", false, func() (err error) { out, err = k.rules(); return err })
		return out, err
	}
	w.belongings = func(family int) (out []keepsake, err error) {
		err = guard("list what others have", false, func() (err error) { out, err = k.belongings(family); return err })
		return out, err
	}
	w.restore = func(s keepsake) error { return guard("give back", true, func() error { return k.restore(s) }) }
	w.carries = func() (is bool, err error) {
		err = guard("list links", false, func() (err error) { is, err = k.carries(); return err })
		return is, err
	}
	w.addRule = func(r Rule) error { return guard("add "+r.String(), true, func() error { return k.addRule(r) }) }
	w.delRule = func(r Rule) error { return guard("delete "+r.String(), true, func() error { return k.delRule(r) }) }
	w.arpFilter = func() (out int, err error) {
		err = guard("read arp_filter", false, func() (err error) { out, err = k.arpFilter(); return err })
		return out, err
	}
	w.setARPFilter = func(n int) error {
		return guard("set arp_filter", true, func() error { return k.setARPFilter(n) })
	}
	w.up = func() error { return guard("up", true, k.up) }
	w.down = func() error { return guard("down", true, k.down) }
	w.setMTU = func(n int) error { return guard("set MTU", true, func() error { return k.setMTU(n) }) }
	w.addAddr = func(a Address, d time.Duration) error {
		return guard("add "+a.Prefix.String(), true, func() error { return k.addAddr(a, d) })
	}
	w.replaceAddr = func(a Address, d time.Duration) error {
		return guard("replace "+a.Prefix.String(), true, func() error { return k.replaceAddr(a, d) })
	}
	w.delAddr = func(p netip.Prefix) error {
		return guard("delete "+p.String(), true, func() error { return k.delAddr(p) })
	}
	w.putBack = func(a kernelAddr) error {
		return guard("put back "+a.Prefix.String(), true, func() error { return k.putBack(a) })
	}
	w.addRoute = func(r Route) error { return guard("add "+r.String(), true, func() error { return k.addRoute(r) }) }
	w.replaceRoute = func(r Route) error {
		return guard("replace "+r.String(), true, func() error { return k.replaceRoute(r) })
	}
	w.delRoute = func(r Route) error { return guard("delete "+r.String(), true, func() error { return k.delRoute(r) }) }
	return w
}

var errInjected = errors.New("injected")

// A story is leases that follow each other on one link.
type story struct {
	name   string
	leases []lease.Lease
	least  int // how many requests the last of them takes at least
}

func stories() []story {
	first := fullLease()
	changed := testLease(func(l *lease.Lease) {
		l.Addr = netip.MustParsePrefix("192.0.2.78/24")
		l.ClasslessRoutes = []dhcp4.Route{route("10.0.0.0/8", "192.0.2.3"), route("172.16.0.0/12", "192.0.2.2")}
		l.MTU = 1300
		l.DNS = []netip.Addr{netip.MustParseAddr("192.0.2.54")}
	})
	moved := changed
	moved.Addr = netip.MustParsePrefix("198.51.100.7/24")
	moved.ClasslessRoutes = []dhcp4.Route{route("10.0.0.0/8", "198.51.100.3")}
	return []story{
		{"a first lease", []lease.Lease{first}, 20},
		{"another address of the subnet", []lease.Lease{first, changed}, 12},
		{"another network", []lease.Lease{first, moved}, 10},
		{"other routes", []lease.Lease{first, testLease(func(l *lease.Lease) { l.MTU = 1300 })}, 8},
		{"nothing new", []lease.Lease{first, first}, 4},
	}
}

func TestWhateverRequestFailsEverythingIsTakenBack(t *testing.T) {
	for _, tc := range stories() {
		t.Run(tc.name, func(t *testing.T) {
			for n := 1; ; n++ {
				r := newRig(t)
				h := r.open(everything)
				for _, l := range tc.leases[:len(tc.leases)-1] {
					r.must(r.apply(h, l))
				}
				before := r.state()
				kernel, requests := h.kernel, 0
				h.kernel = watched(kernel, func(string, bool) error {
					if requests++; requests == n {
						return errInjected
					}
					return nil
				})
				err := r.apply(h, tc.leases[len(tc.leases)-1])
				if requests < n { // nothing was left to fail
					r.must(err)
					if n <= tc.least {
						t.Fatalf("only %d requests", requests)
					}
					return
				}
				if !errors.Is(err, errInjected) {
					t.Fatalf("request %d failed, and Apply says %v", n, err)
				}
				if after := r.state(); after != before {
					t.Fatalf("request %d failed; before:\n%s\nafter:\n%s", n, before, after)
				}
				h.kernel = kernel
				r.withdraw(h, lease.Lease{})
				if a := r.m.AddrsOf("eth0"); len(a) != 0 {
					t.Fatalf("request %d failed; the record forgot %+v", n, a)
				}
			}
		})
	}
}

func TestWhateverRequestOfAWithdrawFailsTheNextOneEndsIt(t *testing.T) {
	for n, failed := 1, true; failed; n++ {
		r := newRig(t)
		before := r.state()
		h := r.open(everything)
		r.must(r.apply(h, fullLease()))
		kernel, requests := h.kernel, 0
		h.kernel = watched(kernel, func(string, bool) error {
			if requests++; requests == n {
				return errInjected
			}
			return nil
		})
		err := r.m.Do(func() error { return h.Withdraw(t.Context(), lease.Lease{}) })
		if failed = requests >= n; failed && !errors.Is(err, errInjected) {
			t.Fatalf("request %d failed, and Withdraw says %v", n, err)
		}
		if failed {
			r.withdraw(r.open(Options{}), lease.Lease{}) // another process
		}
		if after := r.state(); after != before {
			t.Fatalf("request %d failed; before:\n%s\nafter:\n%s", n, before, after)
		}
	}
}
