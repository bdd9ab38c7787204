package netconf

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/lease"
)

// bare is a host whose link has no address, and of the operator's what goes
// with the last one.
func bare(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.mustIP(
		"link set lo up",
		"neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent",
		"route add 172.16.0.0/12 dev eth0 metric 7",
		"route add 203.0.113.0/24 dev eth0 table 100",
		"route add 203.0.114.0/24 via 203.0.113.1 dev eth0 onlink table 100 proto static",
		"route add 198.18.0.0/15 nexthop dev eth0 weight 2 nexthop dev lo",
	)
	return r
}

// renumbered is the first lease with another address of the same subnet.
func renumbered() lease.Lease {
	return testLease(func(l *lease.Lease) { l.Addr = netip.MustParsePrefix("192.0.2.78/24") })
}

func TestWhatGoesWithOurLastAddressComesBack(t *testing.T) {
	r := bare(t)
	before := r.full()
	h := r.open(everything)
	r.must(r.apply(h, fullLease()))
	r.mustIP("route add 172.31.0.0/16 via 192.0.2.9 dev eth0 proto static")
	is := func(when string) {
		t.Helper()
		for _, line := range []string{"192.0.2.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT", "172.16.0.0/12 dev eth0 scope link metric 7", "203.0.113.0/24 dev eth0 table 100", "nexthop dev eth0 weight 2 \\"} {
			if !strings.Contains(r.full(), line) {
				t.Errorf("%s: no %s in\n%s", when, line, r.full())
			}
		}
	}
	is("with a lease")
	r.must(r.apply(h, renumbered()))
	is("with another address")
	if now := r.full(); !strings.Contains(now, "172.31.0.0/16 via 192.0.2.9 dev eth0 proto static") {
		t.Errorf("the route by a router of the subnet went:\n%s", now)
	}
	r.mustIP("route del 172.31.0.0/16")
	r.withdraw(r.open(Options{}), lease.Lease{})
	r.isFull("withdrawn", before)
	r.tidy("in the end")
}

// What only was there because of our subnet goes with it, and holds nothing up.
func TestARouteByARouterOfOurSubnetGoesWithIt(t *testing.T) {
	r := bare(t)
	before := r.full()
	h := r.open(Options{})
	r.must(r.apply(h, testLease(nil)))
	r.mustIP("route add 172.31.0.0/16 via 192.0.2.9 dev eth0 proto static")
	r.withdraw(h, lease.Lease{})
	r.isFull("withdrawn", before)
	if r.leftover(h) {
		t.Error("something is left to do")
	}
	r.tidy("in the end")
}

func TestWhateverRequestFailsWhatGoesAlongComesBack(t *testing.T) {
	for _, step := range []string{"renumber", "withdraw"} {
		t.Run(step, func(t *testing.T) {
			for n, failed := 1, true; failed; n++ {
				r := bare(t)
				before := r.full()
				h := r.open(Options{})
				r.must(r.apply(h, testLease(nil)))
				applied := r.full()
				kernel, requests, what := h.kernel, 0, ""
				h.kernel = watched(kernel, func(request string, _ bool) error {
					if requests++; requests == n {
						what = request
						return errInjected
					}
					return nil
				})
				var err error
				if step == "renumber" {
					err = r.apply(h, renumbered())
				} else {
					err = r.m.Do(func() error { return h.Withdraw(t.Context(), lease.Lease{}) })
				}
				if failed = requests >= n; failed != errors.Is(err, errInjected) {
					t.Fatalf("request %d failed: %v; it says %v", n, failed, err)
				}
				if failed && step == "renumber" {
					r.isFull(fmt.Sprintf("request %d failed, %s", n, what), applied)
				}
				r.withdraw(r.open(Options{}), lease.Lease{}) // another process
				r.isFull(fmt.Sprintf("request %d failed, %s, and withdrawn", n, what), before)
			}
		})
	}
}

func TestWhereverAProcessIsKilledWhatGoesAlongComesBack(t *testing.T) {
	for _, story := range []string{"another address of the subnet", ""} {
		t.Run("story "+story, func(t *testing.T) {
			n := 0
			for died := true; died; {
				n++
				r := bare(t)
				before := r.full()
				r.must(r.apply(r.open(everything), fullLease()))
				var what string
				died, what = r.dies(story, n)
				r.withdraw(r.open(Options{}), lease.Lease{})
				when := fmt.Sprintf("killed before step %d, %s", n, what)
				r.isFull(when, before)
				r.tidy(when)
			}
			if n < 15 {
				t.Errorf("it has %d steps only", n-1)
			}
		})
	}
}

func TestALinkThatOthersUseStaysUp(t *testing.T) {
	for name, tc := range map[string]struct {
		commands []string
		up       bool
	}{
		"nobody":                    {nil, false},
		"a link on top":             {[]string{"link add mv0 link eth0 type macvlan", "link set mv0 up"}, true},
		"a link on top that is not": {[]string{"link add mv0 link eth0 type macvlan"}, false},
		"a route":                   {[]string{"route add 172.16.0.0/12 dev eth0"}, true},
		"a route of IPv6":           {[]string{"-6 route add 2001:db8::/32 dev eth0"}, true},
		"a permanent neighbour":     {[]string{"neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.must(r.m.SetDown("eth0"))
			h := r.open(Options{})
			r.must(r.m.Do(func() error { return h.Up(t.Context()) }))
			r.must(r.apply(h, testLease(nil)))
			r.m.Must(func() error { return os.WriteFile("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", []byte("0"), 0) })
			r.mustIP(tc.commands...)
			r.withdraw(h, lease.Lease{})
			r.must(r.m.Do(h.Down))
			ifi, err := r.m.Interface("eth0")
			r.must(err)
			if up := ifi.Flags&1 != 0; up != tc.up {
				t.Errorf("up %v, want %v", up, tc.up)
			}
			if now := r.full(); name == "a permanent neighbour" && !strings.Contains(now, "02:00:00:00:00:09 PERMANENT") || name == "a route" && !strings.Contains(now, "172.16.0.0/12 dev eth0") {
				t.Errorf("it is gone:\n%s", now)
			}
			r.tidy("in the end")
		})
	}
}
