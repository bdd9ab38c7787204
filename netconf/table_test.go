package netconf

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/lease"
)

func TestRoutesGoToTheTableThatIsNamed(t *testing.T) {
	r := newRig(t)
	r.net.Connect(r.m, "other", r.peer, "other")
	r.m.Addr("other", "203.0.113.5/24")
	r.mustIP("route add 10.0.0.0/8 via 203.0.113.9 table 100", "route add 172.30.0.0/16 via 203.0.113.9 table 100") // one is in the way, one not
	before := r.full()
	h := r.open(Options{Table: 100})
	r.must(r.apply(h, fullLease()))
	want := []string{
		"10.0.0.0/8 via 203.0.113.9 dev other",
		"10.9.0.0/16 dev eth0 proto dhcp scope link src 192.0.2.77",
		"172.30.0.0/16 via 203.0.113.9 dev other",
		"192.0.2.0/24 dev eth0 proto dhcp scope link src 192.0.2.77",
		"198.51.100.1 dev eth0 proto dhcp scope link src 192.0.2.77",
		"default via 198.51.100.1 dev eth0 proto dhcp src 192.0.2.77",
	}
	if got := r.table("100"); !slices.Equal(got, want) {
		t.Errorf("table 100: %q, want %q", got, want)
	}
	if main := r.m.RoutesOf(); len(main) != 1 {
		t.Errorf("main table: %q", main)
	}
	changed := fullLease()
	changed.ClasslessRoutes = changed.ClasslessRoutes[1:2]
	r.must(r.apply(h, changed))
	if got := r.table("100"); len(got) != 5 {
		t.Errorf("after the change: %q", got)
	}
	r.withdraw(r.open(Options{}), lease.Lease{}) // another process, other settings
	r.isFull("withdrawn", before)
}

func TestAnotherTableMovesTheRoutes(t *testing.T) {
	r := newRig(t)
	r.must(r.apply(r.open(Options{Table: 100}), fullLease()))
	r.must(r.apply(r.open(Options{Table: TableMain}), fullLease()))
	if got, main := r.table("100"), r.m.RoutesOf(); len(got) != 0 || len(main) != 5 {
		t.Errorf("table 100: %q, main table: %q", got, main)
	}
}

// table lists a table, in a fixed order.
func (r *rig) table(name string) (out []string) {
	r.t.Helper()
	text, err := r.ip("-4", "route", "show", "table", name)
	if err != nil && !strings.Contains(string(text), "does not exist") {
		r.t.Fatalf("%v: %s", err, text)
	}
	for l := range strings.Lines(string(text)) {
		if err == nil {
			out = append(out, strings.TrimSpace(l))
		}
	}
	slices.Sort(out)
	return out
}

func TestRoutesOfALinkInAVRFAreInItsTable(t *testing.T) {
	r := newRig(t)
	if out, err := r.ip("link", "add", "red", "type", "vrf", "table", "100"); err != nil {
		t.Logf("THIS KERNEL HAS NO VRF (%s): NOTHING IS SHOWN HERE", strings.TrimSpace(string(out)))
		return
	}
	r.mustIP("link set red up", "link set eth0 master red")
	before := r.full()
	h := r.open(Options{Table: AutoTable, SourceRouting: SourceOn}) // which the VRF makes needless
	r.must(r.apply(h, fullLease()))
	if got, main := r.table("100"), r.m.RoutesOf(); len(got) < 5 || len(main) != 0 {
		t.Errorf("the VRF's table: %q, main table: %q", got, main)
	}
	r.withdraw(h, lease.Lease{})
	r.isFull("withdrawn", before)
	// It leaves the VRF while it is configured.
	r.must(r.apply(h, fullLease()))
	r.mustIP("link set eth0 nomaster")
	r.must(r.apply(h, fullLease()))
	if got, main := r.table("100"), r.m.RoutesOf(); len(got) != 0 || len(main) != 5 {
		t.Errorf("after it left: the VRF's table: %q, main table: %q", got, main)
	}
	r.withdraw(h, lease.Lease{})
}

// As the test above, where the kernel has no VRF: the link says that it is in
// one.
func TestAutoTableFollowsTheLink(t *testing.T) {
	r := newRig(t)
	h := r.open(Options{Table: AutoTable, SourceRouting: SourceOn})
	real := h.kernel.now
	table := 100
	h.kernel.now = func() (linkNow, error) {
		now, err := real()
		now.vrf = table
		return now, err
	}
	r.must(r.apply(h, fullLease()))
	if got, main := r.table("100"), r.m.RoutesOf(); len(got) != 5 || len(main) != 0 || strings.Contains(r.full(), "from 192.0.2.77") {
		t.Errorf("the VRF's table: %q, main table: %q", got, main)
	}
	table = 0
	r.must(r.apply(h, testLease(nil)))
	if got, main := r.table("100"), r.m.RoutesOf(); len(got) != 0 || len(main) != 2 || !strings.Contains(r.full(), "from 192.0.2.77") {
		t.Errorf("after it left: the VRF's table: %q, main table: %q", got, main)
	}
}

func TestAKernelWithoutRulesNeedsNone(t *testing.T) {
	for _, errno := range []error{unix.EOPNOTSUPP, unix.EAFNOSUPPORT} {
		r := newRig(t)
		h := r.open(Options{})
		h.kernel.rules = func() ([]kernelRule, error) { return nil, errno }
		r.must(r.apply(h, testLease(nil)))
		r.withdraw(h, lease.Lease{})
		h.kernel.rules = func() ([]kernelRule, error) { return nil, unix.EIO }
		if err := r.apply(h, testLease(nil)); !errors.Is(err, unix.EIO) {
			t.Errorf("%v", err)
		}
	}
}

func TestAGatewayIsReachedWhateverRoutesThereAre(t *testing.T) {
	for name, tc := range map[string]struct {
		before []string // the operator's
		lease  func(*lease.Lease)
	}{
		"its own route is by another gateway": {lease: func(l *lease.Lease) {
			l.ClasslessRoutes = append(l.ClasslessRoutes, route("198.51.100.1/32", "192.0.2.9"), route("0.0.0.0/0", "198.51.100.1"))
		}},
		"a longer prefix hides it": {lease: func(l *lease.Lease) {
			l.ClasslessRoutes = append(l.ClasslessRoutes, route("203.0.113.0/24", "0.0.0.0"), route("0.0.0.0/0", "203.0.113.1"))
		}},
		"the operator has the subnet elsewhere": {
			before: []string{"address add 192.0.2.5/24 dev other"},
			lease:  func(*lease.Lease) {},
		},
		"the operator has its host route elsewhere": {
			before: []string{"route add 198.51.100.1/32 dev other"},
			lease:  func(l *lease.Lease) { l.Routers = []netip.Addr{netip.MustParseAddr("198.51.100.1")} },
		},
		"the address is a host's": {lease: func(l *lease.Lease) { l.Addr = netip.MustParsePrefix("192.0.2.77/32") }},
		"the subnet is too wide":  {lease: func(l *lease.Lease) { l.Addr = netip.MustParsePrefix("192.0.2.77/1") }},
	} {
		for _, policy := range []RoutePolicy{{}, {Follow: FollowDefault}} {
			t.Run(name+" "+string(policy.Follow), func(t *testing.T) {
				r := newRig(t)
				r.net.Connect(r.m, "other", r.peer, "other")
				r.m.Addr("eth0", "203.0.113.200/32") // so that no route goes with the last address
				r.mustIP(tc.before...)
				before := r.full()
				h := r.open(Options{Received: policy, SourceRouting: SourceOn})
				l := testLease(tc.lease)
				r.must(r.apply(h, l))
				applied := r.full()
				if !strings.Contains(applied, "default via ") {
					t.Errorf("there is no default route:\n%s", applied)
				}
				changes := h.Changes()
				r.must(r.apply(h, l))
				r.isFull("applied again", applied)
				if n := h.Changes() - changes; n != 1 { // the lifetime
					t.Errorf("%d changes where nothing is new", n)
				}
				r.withdraw(h, lease.Lease{})
				r.isFull("withdrawn", before)
			})
		}
	}
}
