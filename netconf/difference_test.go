package netconf

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

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
