package netconf

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/lease"
)

// mustIP is ip(8) on the host, for each line of commands.
func (r *rig) mustIP(lines ...string) {
	r.t.Helper()
	for _, line := range lines {
		if out, err := r.ip(strings.Fields(line)...); err != nil {
			r.t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
}

func TestWhatSomebodyTookAwayIsPutBack(t *testing.T) {
	for name, commands := range map[string][]string{
		"the address":   {"address del 192.0.2.77/24 dev eth0"},
		"the routes":    {"route flush proto dhcp"},
		"one route":     {"route del default"},
		"the MTU":       {"link set eth0 mtu 1500"},
		"all of it":     {"address flush dev eth0", "link set eth0 mtu 1500"},
		"down and up":   {"link set eth0 down", "link set eth0 up"},
		"resolv.conf":   nil,
		"another route": {"route replace default via 192.0.2.200 dev eth0 src 192.0.2.77 proto dhcp"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			untouched := r.state()
			h := r.open(Options{MTU: true})
			r.must(r.apply(h, fullLease()))
			before := r.state()
			r.mustIP(commands...)
			if commands == nil {
				r.must(os.Remove(r.resolvConf()))
			}
			r.must(r.apply(h, fullLease()))
			if after := r.state(); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
			r.withdraw(h, lease.Lease{})
			if after := r.state(); after != untouched {
				t.Errorf("withdrawn:\n%s\nwant:\n%s", after, untouched)
			}
			r.tidy(name)
		})
	}
}

func TestWhatTheOperatorPutInOurPlaceStays(t *testing.T) {
	r := newRig(t)
	r.m.Addr("eth0", "203.0.113.5/24") // with the last address the kernel takes all routes
	h := r.open(Options{MTU: true})
	r.must(r.apply(h, fullLease()))
	r.mustIP("route replace default via 192.0.2.9 dev eth0 proto static", "link set eth0 mtu 1450")
	r.must(r.apply(h, fullLease()))
	const theirs = "default via 192.0.2.9 dev eth0 proto static"
	if got := r.m.RoutesOf(); !slices.Contains(got, theirs) || len(got) != 6 {
		t.Errorf("routes %q", got)
	}
	r.withdraw(h, lease.Lease{})
	if got := r.m.RoutesOf(); len(got) != 2 || !slices.Contains(got, theirs) {
		t.Errorf("withdrawn: routes %q", got)
	}
}

func TestAnMTUThatTheLinkDoesNotTakeIsNoReasonToHaveNoAddress(t *testing.T) {
	r := newRig(t)
	h := r.open(Options{MTU: true})
	r.must(r.apply(h, fullLease()))
	tries := 0
	h.kernel = watched(h.kernel, func(what string, _ bool) error {
		if what == "set MTU" {
			tries++
			return unix.EINVAL
		}
		return nil
	})
	l := fullLease()
	l.MTU = 9000
	for range 3 {
		r.must(r.apply(h, l))
	}
	if mtu, _ := r.m.MTU("eth0"); mtu != 1400 || tries != 1 {
		t.Errorf("MTU %d after %d tries, want 1400, of the lease before, after one", mtu, tries)
	}
	if refused := PlanFor(l, h.Options()).Refused; !slices.ContainsFunc(refused, func(r Refusal) bool { return r.What == "MTU 9000" && r.Why == "the link does not take it" }) {
		t.Errorf("refused %+v", refused)
	}
	r.withdraw(r.open(Options{}), lease.Lease{})
	if mtu, _ := r.m.MTU("eth0"); mtu != 1500 {
		t.Errorf("withdrawn: MTU %d", mtu)
	}
}

func TestAnMTUThatTheOperatorSetsAfterUsIsHis(t *testing.T) {
	r := newRig(t)
	h := r.open(Options{MTU: true})
	r.must(r.apply(h, fullLease()))
	r.mustIP("link set eth0 mtu 1350")
	other := fullLease()
	other.MTU = 1300
	is := func(when string, want int) {
		t.Helper()
		if mtu, _ := r.m.MTU("eth0"); mtu != want {
			t.Errorf("%s: MTU %d, want %d", when, mtu, want)
		}
	}
	for _, l := range []lease.Lease{fullLease(), other, fullLease()} {
		r.must(r.apply(h, l))
		is("the operator's", 1350)
		if refused := PlanFor(l, h.Options()).Refused; !slices.ContainsFunc(refused, func(r Refusal) bool { return strings.HasPrefix(r.What, "MTU") && strings.Contains(r.Why, "1350") }) {
			t.Errorf("refused %+v", refused)
		}
	}
	h = r.open(Options{MTU: true}) // another process knows it too
	r.must(r.apply(h, fullLease()))
	is("the next process", 1350)
	r.mustIP("link set eth0 mtu 1500")
	r.must(r.apply(h, fullLease()))
	is("taken away rather than changed", 1400)
	r.mustIP("link set eth0 mtu 1350")
	r.withdraw(h, lease.Lease{})
	is("withdrawn", 1350)
}

func TestAnotherProgramsRoutesAreNotOurs(t *testing.T) {
	r := newRig(t)
	r.m.Addr("eth0", "203.0.113.5/24")
	r.mustIP("route add 172.20.0.0/16 via 203.0.113.1 dev eth0 proto dhcp src 203.0.113.5", "route add 172.21.0.0/16 via 203.0.113.1 dev eth0 proto dhcp")
	before := r.state()
	h := r.open(Options{})
	r.must(r.apply(h, testLease(nil)))
	r.must(r.apply(h, testLease(func(l *lease.Lease) { l.Addr = netip.MustParsePrefix("192.0.2.78/24") })))
	r.withdraw(h, lease.Lease{})
	if after := r.state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestAnotherMetricMovesTheRoutes(t *testing.T) {
	r := newRig(t)
	r.must(r.apply(r.open(Options{}), testLease(nil)))
	c := r.config(Options{Metric: 50})
	c.Namespace = r.namespace() // so that the host's thread is free to look
	h := r.openWith(c)          // another process, other settings
	lowest := 2
	h.kernel = watched(h.kernel, func(string, bool) error {
		lowest = min(lowest, len(r.m.RoutesOf()))
		return nil
	})
	r.must(h.Apply(t.Context(), testLease(nil)))
	want := []string{"192.0.2.0/24 dev eth0 proto dhcp scope link src 192.0.2.77 metric 50", "default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.77 metric 50"}
	if got := r.m.RoutesOf(); !slices.Equal(got, want) {
		t.Errorf("routes %q, want %q", got, want)
	}
	if lowest < 2 {
		t.Errorf("there were %d routes for a moment: new before old", lowest)
	}
}

func TestChangesAreCounted(t *testing.T) {
	r := newRig(t)
	h := r.open(Options{})
	r.must(r.apply(h, testLease(nil)))
	if n := h.Changes(); n != 3 { // an address, two routes
		t.Errorf("%d changes", n)
	}
	r.must(r.apply(h, testLease(func(l *lease.Lease) { l.Expiry = time.Now().Add(2 * time.Hour) })))
	if n := h.Changes(); n != 4 { // a lifetime
		t.Errorf("%d changes", n)
	}
	r.withdraw(h, lease.Lease{})
	if n := h.Changes(); n != 7 {
		t.Errorf("%d changes", n)
	}
}

func TestUpFindsOutThatSomebodySetTheLinkDown(t *testing.T) {
	r := newRig(t)
	h := r.open(Options{})
	r.must(r.m.SetDown("eth0"))
	r.must(r.m.Do(func() error { return h.Up(t.Context()) }))
	r.m.Addr("eth0", "203.0.113.5/24")
	r.must(r.m.Do(r.open(Options{}).Down))
	if ifi, err := r.m.Interface("eth0"); err != nil || ifi.Flags&1 == 0 {
		t.Errorf("set down under the operator's address: %v, %v", ifi.Flags, err)
	}
	r.tidy("in the end")
}
