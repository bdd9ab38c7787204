package netconf

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/lease"
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

func TestADifferenceTellsWhatBecomesOfNames(t *testing.T) {
	r := newRig(t)
	h := r.open(Options{})
	names := func(l lease.Lease) (out []string) {
		for _, s := range r.difference(h, l) {
			if s.Kind == KindServer {
				out = append(out, s.Do)
			}
		}
		return out
	}
	got := names(fullLease())
	if len(got) < 4 || got[0] != "--- "+r.resolvConf() || got[3] != "-nameserver 203.0.113.53" || got[len(got)-1] != "+nameserver 192.0.2.53" {
		t.Errorf("%q", got)
	}
	r.must(r.apply(h, fullLease()))
	if got = names(fullLease()); len(got) > 0 {
		t.Errorf("nothing differs: %q", got)
	}
	none := fullLease()
	none.DNS, none.Domain, none.Search = nil, "", nil
	if got = names(none); len(got) < 4 || got[len(got)-1] != "+nameserver 203.0.113.53" {
		t.Errorf("a lease without names: %q", got)
	}
	// Another resolver is chosen: the former one gives back.
	c := r.config(Options{})
	c.Resolver = "none"
	h = r.openWith(c)
	if got = names(fullLease()); len(got) < 4 || got[len(got)-1] != "+nameserver 203.0.113.53" {
		t.Errorf("nobody is chosen: %q", got)
	}
}
