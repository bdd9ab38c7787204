package netconf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/nettest"
)

func TestMain(m *testing.M) {
	if d := os.Getenv(dying); d != "" {
		die(d)
	}
	nettest.Main(m)
}

// A rig is a host with one link and an operator's resolv.conf.
type rig struct {
	t    *testing.T
	net  *nettest.Net
	m    *nettest.Machine
	peer *nettest.Machine
	dir  string
}

const operators = "nameserver 203.0.113.53\n"

func newRig(t *testing.T) *rig {
	t.Helper()
	n := nettest.New(t)
	r := &rig{t: t, net: n, m: n.Host("host"), peer: n.Host("peer"), dir: t.TempDir()}
	n.Connect(r.m, "eth0", r.peer, "eth0")
	r.must(unix.Mount("tmpfs", r.dir, "tmpfs", 0, "")) // hundreds of lives, each synced to disk
	t.Cleanup(func() { r.must(unix.Unmount(r.dir, unix.MNT_DETACH)) })
	if err := os.WriteFile(r.resolvConf(), []byte(operators), 0o640); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) resolvConf() string { return filepath.Join(r.dir, "resolv.conf") }

func (r *rig) config(o Options) Config {
	return Config{Options: o, RunDir: filepath.Join(r.dir, "run"), StateDir: filepath.Join(r.dir, "state"), ResolvConf: r.resolvConf()}
}

func (r *rig) open(o Options) *Host {
	r.t.Helper()
	return r.openWith(r.config(o))
}

func (r *rig) openWith(c Config) (h *Host) {
	r.t.Helper()
	r.m.Must(func() (err error) {
		h, err = Open("eth0", c)
		return err
	})
	return h
}

// tidy demands that nothing is left beside the operator's resolv.conf.
func (r *rig) tidy(when string) {
	r.t.Helper()
	for _, pattern := range []string{"/*", "/.[a-z]*", "/*/*", "/*/.[a-z]*"} {
		files, err := filepath.Glob(r.dir + pattern)
		r.must(err)
		for _, f := range files {
			if info, err := os.Stat(f); err != nil || !info.IsDir() && f != r.resolvConf() {
				r.t.Fatalf("%s: left behind: %s, %v", when, f, err)
			}
		}
	}
}

// everything are the options by which most is done to a host.
var everything = Options{MTU: true, SourceRouting: SourceOn}

// state is everything that a lease may change.
func (r *rig) state() string {
	r.t.Helper()
	var b strings.Builder
	for _, a := range r.m.AddrsOf("eth0") {
		fmt.Fprintln(&b, a.Prefix, a.Valid == 0, a.Proto, a.Flags)
	}
	for _, l := range r.m.RoutesOf() {
		fmt.Fprintln(&b, l)
	}
	mtu, err := r.m.MTU("eth0")
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := os.ReadFile(r.resolvConf())
	info, errStat := os.Stat(r.resolvConf())
	if err := errors.Join(err, errStat); err != nil {
		r.t.Fatal(err)
	}
	fmt.Fprintf(&b, "mtu %d\n%v %s", mtu, info.Mode(), text)
	return b.String() + r.inKernel()
}

func (r *rig) apply(h *Host, l lease.Lease) error {
	return r.m.Do(func() error { return h.Apply(context.Background(), l) })
}

func (r *rig) withdraw(h *Host, l lease.Lease) {
	r.t.Helper()
	r.m.Must(func() error { return h.Withdraw(context.Background(), l) })
}

func (r *rig) leftover(h *Host) (is bool) {
	r.t.Helper()
	r.m.Must(func() error { is = h.Leftover(); return nil })
	return is
}

func (r *rig) holds(h *Host, l lease.Lease) (is bool) {
	r.t.Helper()
	r.m.Must(func() error { is = h.Holds(l); return nil })
	return is
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// fullLease uses everything.
func fullLease() lease.Lease {
	return testLease(func(l *lease.Lease) {
		l.ClasslessRoutes = []dhcp4.Route{route("10.0.0.0/8", "192.0.2.2"), route("0.0.0.0/0", "198.51.100.1"), route("10.9.0.0/16", "0.0.0.0")}
		l.MTU, l.Domain = 1400, "example.com"
		l.DNS = []netip.Addr{netip.MustParseAddr("192.0.2.53")}
	})
}

func TestApplyRenewWithdrawLeavesTheHostAsItWas(t *testing.T) {
	r := newRig(t)
	before := r.state()
	h := r.open(Options{MTU: true})
	r.must(r.apply(h, fullLease()))
	want := []string{
		"10.0.0.0/8 via 192.0.2.2 dev eth0 proto dhcp src 192.0.2.77",
		"10.9.0.0/16 dev eth0 proto dhcp scope link src 192.0.2.77",
		"192.0.2.0/24 dev eth0 proto dhcp scope link src 192.0.2.77",
		"198.51.100.1/32 dev eth0 proto dhcp scope link src 192.0.2.77",
		"default via 198.51.100.1 dev eth0 proto dhcp src 192.0.2.77",
	}
	if got := r.m.RoutesOf(); !slices.Equal(got, want) {
		t.Errorf("routes %q, want %q", got, want)
	}
	if a := r.m.AddrsOf("eth0"); len(a) != 1 || a[0].Valid > time.Hour || a[0].Valid < 59*time.Minute || a[0].Proto != protoDHCP || a[0].Flags&unix.IFA_F_NOPREFIXROUTE == 0 {
		t.Errorf("E17: addresses %+v", a)
	}
	// E10, G12: changed options change that much and no more.
	r.must(r.apply(h, testLease(func(l *lease.Lease) {
		l.ClasslessRoutes = []dhcp4.Route{route("10.0.0.0/8", "192.0.2.3")}
		l.Expiry = time.Now().Add(2 * time.Hour)
	})))
	want = []string{
		"10.0.0.0/8 via 192.0.2.3 dev eth0 proto dhcp src 192.0.2.77",
		"192.0.2.0/24 dev eth0 proto dhcp scope link src 192.0.2.77",
	}
	if got := r.m.RoutesOf(); !slices.Equal(got, want) {
		t.Errorf("after the change: routes %q, want %q", got, want)
	}
	if a := r.m.AddrsOf("eth0"); len(a) != 1 || a[0].Valid < 119*time.Minute {
		t.Errorf("addresses %+v", a)
	}
	// Another process withdraws what the record tells.
	r.withdraw(r.open(Options{}), lease.Lease{})
	if after := r.state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	r.tidy("in the end")
}

func TestE16AnotherAddressReplacesTheOldOne(t *testing.T) {
	r := newRig(t)
	h := r.open(Options{})
	r.must(r.apply(h, testLease(nil)))
	r.must(r.apply(h, testLease(func(l *lease.Lease) {
		l.Addr = netip.MustParsePrefix("198.51.100.7/24")
		l.Routers = []netip.Addr{netip.MustParseAddr("198.51.100.1")}
	})))
	if a := r.m.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix.String() != "198.51.100.7/24" {
		t.Errorf("addresses %+v", a)
	}
	if got := r.m.RoutesOf(); len(got) != 2 || strings.Contains(strings.Join(got, ""), "192.0.2.") {
		t.Errorf("routes %q", got)
	}
}

func TestAnotherAddressOfTheSameSubnetReplacesTheOldOne(t *testing.T) {
	r := newRig(t)
	h := r.open(Options{})
	r.must(r.apply(h, testLease(nil)))
	r.must(r.apply(h, testLease(func(l *lease.Lease) { l.Addr = netip.MustParsePrefix("192.0.2.78/24") })))
	if a := r.m.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix.String() != "192.0.2.78/24" {
		t.Errorf("addresses %+v", a)
	}
	want := []string{"192.0.2.0/24 dev eth0 proto dhcp scope link src 192.0.2.78", "default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.78"}
	if got := r.m.RoutesOf(); !slices.Equal(got, want) {
		t.Errorf("routes %q, want %q", got, want)
	}
}

func TestInfiniteLeaseIsForEver(t *testing.T) {
	r := newRig(t)
	r.must(r.apply(r.open(Options{}), testLease(func(l *lease.Lease) { l.T1, l.T2, l.Expiry = time.Time{}, time.Time{}, time.Time{} })))
	if a := r.m.AddrsOf("eth0"); len(a) != 1 || a[0].Valid != 0 || a[0].Preferred != 0 {
		t.Errorf("C19: %+v", a)
	}
}

func TestE17AnAddressLastsAsLongAsItsLeaseToASecond(t *testing.T) {
	now := time.Now()
	h := &Host{cfg: Config{Now: func() time.Time { return now }}}
	for lease, want := range map[time.Duration]time.Duration{
		59*time.Second + 999*time.Millisecond: 59 * time.Second,
		10 * time.Second:                      10 * time.Second,
		10*time.Second - 1:                    10 * time.Second,
		2 * time.Second:                       2 * time.Second,
		1999 * time.Millisecond:               2 * time.Second,
		1:                                     time.Second, // 0 is for ever
	} {
		if left, err := h.leftOf(now.Add(lease)); left != want || err != nil {
			t.Errorf("%v: %v, %v", lease, left, err)
		}
	}
	if left, err := h.leftOf(now); err == nil {
		t.Errorf("of a lease that is over, %v", left)
	}
}

func TestE17TheKernelItselfEndsALeaseThatNobodyRenews(t *testing.T) {
	r := newRig(t)
	c := r.config(Options{})
	now := time.Now()
	c.Now = func() time.Time { return now } // however long it takes until the kernel is told
	r.must(r.apply(r.openWith(c), testLease(func(l *lease.Lease) { l.Expiry = now.Add(1500 * time.Millisecond) })))
	deadline := time.Now().Add(time.Minute)
	for len(r.m.AddrsOf("eth0")) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("still there: %+v", r.m.AddrsOf("eth0"))
		}
		time.Sleep(100 * time.Millisecond) // the kernel's clock cannot be made to run
	}
	if got := r.m.RoutesOf(); len(got) != 0 {
		t.Errorf("routes %q", got)
	}
}

func TestTheOperatorsOwnIsLeftAlone(t *testing.T) {
	r := newRig(t)
	r.m.Addr("eth0", "192.0.2.77/24") // the very address, for ever
	if err := r.m.AddRoute(netip.MustParsePrefix("0.0.0.0/0"), netip.MustParseAddr("192.0.2.9")); err != nil {
		t.Fatal(err)
	}
	r.m.Addr("eth0", "203.0.113.5/24")
	before := r.state()
	h := r.open(Options{})
	l := fullLease()
	r.must(r.apply(h, l))
	r.must(r.apply(h, l))
	for _, a := range r.m.AddrsOf("eth0") {
		if a.Valid != 0 || a.Proto == protoDHCP {
			t.Errorf("the operator's address became ours: %+v", a)
		}
	}
	if !slices.Contains(r.m.RoutesOf(), "default via 192.0.2.9 dev eth0 proto boot") {
		t.Errorf("routes %q", r.m.RoutesOf())
	}
	const ours = "default via 198.51.100.1 src 192.0.2.77"
	told := func() (there, refused bool) {
		p := PlanFor(l, h.Options())
		return slices.ContainsFunc(p.Reasons, func(r Reason) bool { return r.What == ours }),
			slices.ContainsFunc(p.Refused, func(r Refusal) bool { return r.What == "route "+ours && strings.Contains(r.Why, "--metric") })
	}
	if there, refused := told(); there || !refused {
		t.Errorf("our default route: told to be there: %v, told to be refused: %v", there, refused)
	}
	r.mustIP("route del default")
	r.must(r.apply(h, l))
	if there, refused := told(); !there || refused || !strings.Contains(strings.Join(r.m.RoutesOf(), "\n"), "default via 198.51.100.1") {
		t.Errorf("once there is room: told to be there: %v, told to be refused: %v; routes %q", there, refused, r.m.RoutesOf())
	}
	r.withdraw(h, l)
	r.mustIP("route add default via 192.0.2.9 dev eth0 proto boot")
	r.must(r.apply(h, l))
	r.withdraw(h, l)
	if after := r.state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestARouteForAnotherTypeOfServiceIsInNobodysWay(t *testing.T) {
	r := newRig(t)
	r.m.Addr("eth0", "203.0.113.5/24")
	r.mustIP("route add default tos 0x10 via 203.0.113.1 dev eth0")
	before := r.full()
	h := r.open(Options{})
	for range 2 {
		r.must(r.apply(h, testLease(nil)))
		if got := r.m.RoutesOf(); !slices.Contains(got, "default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.77") {
			t.Errorf("routes %q", got)
		}
	}
	r.withdraw(h, lease.Lease{})
	r.isFull("withdrawn", before)
}

func TestTheOperatorsSecondAddressOutlivesOurFirst(t *testing.T) {
	r := newRig(t)
	h := r.open(Options{})
	r.must(r.apply(h, testLease(nil)))
	r.m.Addr("eth0", "192.0.2.5/24") // counts as secondary to ours
	r.withdraw(h, testLease(nil))
	if a := r.m.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix.String() != "192.0.2.5/24" || a[0].Valid != 0 {
		t.Errorf("the operator's address went with ours: %+v", a)
	}
}

func TestVanishedLinkIsACleanError(t *testing.T) {
	r := newRig(t)
	r.must(r.m.SetDown("eth0"))
	h := r.open(Options{})
	r.must(r.m.Do(func() error { return h.Up(t.Context()) }))
	r.must(r.apply(h, testLease(nil)))
	r.must(r.m.Remove("eth0"))
	if err := r.apply(h, testLease(nil)); !errors.Is(err, ErrNoLink) {
		t.Errorf("Apply: %v", err)
	}
	r.withdraw(h, testLease(nil)) // gone is done
	r.tidy("withdrawn")
	err := r.m.Do(func() error { _, err := Open("eth0", Config{}); return err })
	if !errors.Is(err, ErrNoLink) {
		t.Errorf("Open: %v", err)
	}
}

func TestUpWaitsForTheCarrierAndDownUndoesIt(t *testing.T) {
	r := newRig(t)
	r.must(errors.Join(r.m.SetDown("eth0"), r.peer.SetDown("eth0")))
	h := r.open(Options{})
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := r.m.Do(func() error { return h.Up(ctx) }); !errors.Is(err, ErrNoCarrier) {
		t.Errorf("Up without a cable: %v", err)
	}
	r.must(r.peer.SetUp("eth0"))
	r.must(r.m.Do(func() error { return h.Up(context.Background()) }))
	r.must(r.m.Do(r.open(Options{}).Down)) // another process
	ifi, err := r.m.Interface("eth0")
	if err != nil || ifi.Flags&1 != 0 {
		t.Errorf("flags %v, %v", ifi.Flags, err)
	}
}

func TestWatchTellsOfCarrierAndEnd(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ifi, err := r.m.Interface("eth0")
	r.must(err)
	var states <-chan LinkState
	r.m.Must(func() (err error) { states, err = Watch(ctx, nil, ifi.Index); return err })
	wait := func(want LinkState) {
		t.Helper()
		for s := range states {
			if s == want {
				return
			}
		}
		t.Fatalf("never %+v", want)
	}
	wait(LinkState{Carrier: true})
	r.must(r.peer.SetDown("eth0"))
	wait(LinkState{})
	r.must(r.peer.SetUp("eth0"))
	wait(LinkState{Carrier: true})
	r.must(r.m.Remove("eth0"))
	wait(LinkState{Gone: true})
	if _, more := <-states; more {
		t.Error("there is more to say of a link that is gone")
	}
}
