package netconf

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/netconf/resolv"
)

// What differs between two hosts that are the same otherwise: hardware
// addresses, and the mark that ip(8) does not set.
var individual = regexp.MustCompile(`link/ether \S+|@if\d+|link-netnsid \d+| proto 0x10| proto dhcp`)

// run does what steps say, but for files.
func (r *rig) run(steps []Step) {
	r.t.Helper()
	for _, s := range steps {
		if s.Kind == KindServer {
			continue
		}
		words := strings.Fields(s.Do)
		r.m.Must(func() error {
			out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
			if err != nil {
				return fmt.Errorf("%s: %w: %s", s.Do, err, out)
			}
			return nil
		})
	}
}

func (r *rig) difference(h *Host, l lease.Lease) (steps []Step) {
	r.t.Helper()
	r.m.Must(func() (err error) {
		steps, err = h.Difference(r.t.Context(), l)
		return err
	})
	return steps
}

// The commands are run on one host, and the lease is applied on another.
func TestADifferenceIsCommandsThatDoTheSame(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			last := s.leases[len(s.leases)-1]
			by := func(end func(*rig, *Host)) (state string) {
				r := newRig(t)
				h := r.open(Options{MTU: true, SourceRouting: SourceOn})
				for _, l := range s.leases[:len(s.leases)-1] {
					r.must(r.apply(h, l))
				}
				r.m.Addr("eth0", "203.0.113.5/24")
				before, files := r.full(), r.files()
				r.difference(h, last)
				r.isFull("looked at", before)
				if now := r.files(); now != files {
					t.Errorf("looked at: files\n%s\nwere\n%s", now, files)
				}
				end(r, h)
				return individual.ReplaceAllString(r.inKernel(), "*")
			}
			told := 0
			commands := by(func(r *rig, h *Host) {
				steps := r.difference(h, last)
				told = len(slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return s.Kind == KindServer }))
				r.run(steps)
			})
			applied := by(func(r *rig, h *Host) {
				before := h.Changes()
				r.must(r.apply(h, last))
				if n := int(h.Changes() - before); n > told {
					t.Errorf("it made %d changes, and told of %d", n, told)
				}
			})
			if commands != applied {
				t.Errorf("applied, and by commands:\n%s", difference(applied, commands))
			}
		})
	}
}

// files are the names and the contents of what is in the rig's directory.
func (r *rig) files() string {
	r.t.Helper()
	out, err := exec.Command("sh", "-c", "cd "+r.dir+" && find . -type f -exec md5sum {} +").CombinedOutput()
	r.must(err)
	return string(out)
}

func TestADryRunOfALinkThatAnotherProcessHoldsTellsTheDifference(t *testing.T) {
	r := newRig(t)
	r.must(r.apply(r.open(Options{}), testLease(nil)))
	before, files := r.full(), r.files()
	var steps []Step
	r.m.Must(func() error {
		h, err := Look("eth0", r.config(Options{Metric: 50}))
		if err == nil {
			steps, err = h.Difference(t.Context(), testLease(func(l *lease.Lease) { l.Routers = nil }))
		}
		return err
	})
	var got []string
	for _, s := range steps {
		got = append(got, fmt.Sprintf("%s: %s", s.Kind, regexp.MustCompile(`_lft \d+`).ReplaceAllString(s.Do, "_lft N")))
	}
	want := []string{
		"address: ip address replace 192.0.2.77/24 brd + dev eth0 noprefixroute valid_lft N preferred_lft N",
		"route: ip route add 192.0.2.0/24 src 192.0.2.77 metric 50 dev eth0 proto dhcp",
		"route: ip route del default via 192.0.2.1 src 192.0.2.77 dev eth0 proto dhcp",
		"route: ip route del 192.0.2.0/24 src 192.0.2.77 dev eth0 proto dhcp",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	r.isFull("looked at", before)
	if now := r.files(); now != files {
		t.Errorf("files\n%s\nwere\n%s", now, files)
	}
}

// telling is a resolver that can tell what it would do.
type telling struct{ resolv.Backend }

func (telling) Difference(link string, c resolv.Config) ([]string, error) {
	return []string{fmt.Sprintf("resolvectl dns %s %v", link, c.Servers)}, nil
}

func TestAResolverTellsItsPartOfTheDifference(t *testing.T) {
	r := newRig(t)
	h := r.open(Options{})
	steps := r.difference(h, fullLease())
	if last := steps[len(steps)-1]; last.Do != "name server 192.0.2.53" || last.Kind != KindServer {
		t.Errorf("%+v", last)
	}
	h.resolv = telling{h.resolv}
	steps = r.difference(h, fullLease())
	if last := steps[len(steps)-1]; last.Do != "resolvectl dns eth0 [192.0.2.53]" || last.Kind != KindServer {
		t.Errorf("%+v", last)
	}
}

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
	if repair("too often") || len(troubles) != 1 {
		t.Errorf("told of %q, want once", troubles)
	}
	now = now.Add(repairPeriod + time.Second)
	if !repair("later") {
		t.Error("later: not put back")
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
		"route del 10.1.0.0/16", "rule del from 10.0.0.1 lookup 7", "route del 10.0.0.0/8")
	ifi, err := r.m.Interface("eth0")
	r.must(err)
	if n := <-sub.notices(); n.kind != otherLost || n.Index != ifi.Index { // the last of all commands
		t.Errorf("%+v", n)
	}
}
