package netconf

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/lease"
)

func TestWhatSomebodyTookAwayIsPutBackAtOnceAndNotForEver(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	c := r.config(Options{MTU: true, SourceRouting: SourceOn})
	c.Now = func() time.Time { return now }
	c.Namespace = r.namespace()
	var troubles []string
	c.Trouble = func(err error) { troubles = append(troubles, err.Error()) }
	before := r.full()
	h, err := Open("eth0", c)
	r.must(err)
	watch := r.watch(c.Namespace)
	same := func(l Link) bool { return l.Name == "eth0" }
	seen := watch.until("present", same).Touched
	r.must(h.Apply(t.Context(), fullLease()))
	applied := r.full()
	repair := func(when string) bool {
		t.Helper()
		repaired, err := h.Repair(t.Context(), fullLease())
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		return repaired
	}
	if repair("nothing is lost") {
		t.Error("it put back what was there")
	}
	ifi, err := r.m.Interface("eth0")
	r.must(err)
	losses := []string{
		"address del 192.0.2.77/24 dev eth0",
		"route del default",
		"rule del from 192.0.2.77",
		"link set eth0 down", // and up: the routes go without a word
		"route flush table " + itoa(sourceTables+ifi.Index),
	}
	for _, command := range losses {
		r.mustIP(command)
		if strings.HasSuffix(command, "down") {
			r.mustIP("link set eth0 up")
		}
		seen = watch.until(command, func(l Link) bool { return same(l) && l.Touched > seen && l.Flags&1 != 0 }).Touched
		if !repair(command) {
			t.Errorf("%s: not put back", command)
		}
		r.isFull(command, applied)
	}
	// Once more is a fight.
	r.mustIP("route del default")
	if repair("too often") || len(troubles) != 1 || !strings.Contains(troubles[0], "again and again") || !strings.Contains(troubles[0], "default via") {
		t.Errorf("put back for ever; told of %q", troubles)
	}
	missing := func() bool {
		return slices.ContainsFunc(PlanFor(fullLease(), h.Options()).Refused, func(r Refusal) bool {
			return strings.Contains(r.What, "ip route add default via") && strings.Contains(r.Why, "again and again")
		})
	}
	if !missing() {
		t.Error("status does not tell of it")
	}
	if repair("too often") || len(troubles) != 1 {
		t.Errorf("told of %q, want once", troubles)
	}
	// Whoever took it away puts it back: then it was no fight, and the next one is told of.
	_, command, _ := strings.Cut(troubles[0], ": ip ")
	command, _, _ = strings.Cut(command, ": ")
	r.mustIP(command)
	if repair("put back") || missing() {
		t.Errorf("%q, and status tells of what is there, or it was put back", command)
	}
	r.mustIP("route del default")
	if repair("too often") || len(troubles) != 2 {
		t.Errorf("told of %q, want twice", troubles)
	}
	now = now.Add(repairPeriod + time.Second)
	if !repair("later") {
		t.Error("later: not put back")
	}
	if missing() {
		t.Error("status tells of it though it is there")
	}
	now = now.Add(time.Hour)
	r.mustIP("route del default")
	if repair("expired") {
		t.Error("a lease that is over was put back")
	}
	r.must(h.Withdraw(t.Context(), lease.Lease{}))
	r.isFull("withdrawn", before)
}

func TestALinkHearsOfAnotherOneInItsSubnet(t *testing.T) {
	r := twoLinks(t)
	watch := r.watch(r.namespace())
	first := watch.until("present", func(l Link) bool { return l.Name == "eth0" })
	o := Options{Metric: AutoMetric, SourceRouting: SourceAuto}
	a, b := r.openLink("eth0", o), r.openLink("eth1", o)
	la, lb := leaseOf("192.0.2.77/24"), leaseOf("192.0.2.78/24")
	r.must(r.apply(a, la))
	if strings.Contains(r.full(), "from 192.0.2.77") {
		t.Fatal("source routing of one link")
	}
	r.must(r.apply(b, lb))
	touched := watch.until("eth1 has an address", func(l Link) bool { return l.Index == first.Index && l.Touched > first.Touched }).Touched
	repaired := false
	r.m.Must(func() (err error) { repaired, err = a.Repair(t.Context(), la); return err })
	if !repaired || !strings.Contains(r.full(), "from 192.0.2.77") {
		t.Errorf("repaired %v:\n%s", repaired, r.full())
	}
	r.must(r.apply(b, testLease(func(l *lease.Lease) { l.Addr, l.Expiry = lb.Addr, time.Now().Add(2*time.Hour) })))
	r.withdraw(b, lb)
	if now := watch.until("eth1 has none", func(l Link) bool { return l.Index == first.Index && l.Touched > touched }).Touched; now != touched+1 {
		t.Errorf("touched %d times: a renewal is not news", now-touched)
	}
}

func TestLinksThatComeAndGoAreNoFight(t *testing.T) {
	r := twoLinks(t)
	o := Options{Metric: AutoMetric, SourceRouting: SourceAuto}
	var log strings.Builder
	c := r.config(o)
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	a, b := r.openWith(c), r.openLink("eth1", o)
	la, lb := leaseOf("192.0.2.77/24"), leaseOf("192.0.2.78/24")
	r.must(r.apply(a, la))
	is := func(want bool) {
		t.Helper()
		r.m.Must(func() error { _, err := a.Repair(t.Context(), la); return err })
		if strings.Contains(r.full(), "from 192.0.2.77") != want {
			t.Fatalf("source routing, want %v:\n%s", want, r.full())
		}
	}
	for range repairs + 1 {
		r.must(r.apply(b, lb))
		is(true)
		r.withdraw(b, lb)
		is(false)
	}
	if strings.Contains(log.String(), "WARN") {
		t.Errorf("somebody is blamed: %s", log.String())
	}
	r.must(r.m.Remove("eth0"))
	r.m.Must(func() error {
		repaired, err := a.Repair(t.Context(), la)
		if repaired {
			t.Error("of a link that is gone something was put back")
		}
		return err
	})
}

func TestRoutesOfOthersWakeNobodyUp(t *testing.T) {
	r := newRig(t)
	r.m.Addr("eth0", "192.0.2.5/24")
	sub, err := subscribe(r.namespace())
	r.must(err)
	defer sub.close()
	for range 2 { // lo, eth0
		<-sub.notices()
	}
	r.mustIP("route add 10.0.0.0/8 via 192.0.2.1 proto dhcp", "route add 10.1.0.0/16 via 192.0.2.1", "rule add from 10.0.0.1 lookup 7",
		"route del 10.1.0.0/16", "rule del from 10.0.0.1 lookup 7", "route del 10.0.0.0/8", "address add 192.0.2.6/24 dev eth0")
	ifi, err := r.m.Interface("eth0")
	r.must(err)
	for _, want := range []noticeKind{otherLost, addrAdded} { // of seven commands the last two
		if n := <-sub.notices(); n.kind != want || n.Index != ifi.Index {
			t.Errorf("%+v, want kind %d", n, want)
		}
	}
}
