package system

import (
	"fmt"
	"net/netip"
	"os"
	"testing"
)

// An act is something that a process does for a link.
type act struct {
	name string
	do   func(Place) error
}

// A tale is what leases do to one thing of the host: what came before, and
// during which act a process dies.
type tale struct {
	name   string
	before []act
	dying  act
}

// tales are those of a thing that two links can set to values of their own.
func tales(set func(p Place, link string, metric, value int) error, unset func(Place, string) error) []tale {
	s := func(link string, metric, value int) act {
		return act{fmt.Sprintf("%s sets value %d", link, value), func(p Place) error { return set(p, link, metric, value) }}
	}
	u := func(link string) act {
		return act{link + " goes", func(p Place) error { return unset(p, link) }}
	}
	return []tale{
		{"the first lease", nil, s("eth0", 10, 1)},
		{"another value", []act{s("eth0", 10, 1)}, s("eth0", 10, 2)},
		{"a second link that has its way", []act{s("eth1", 20, 2)}, s("eth0", 10, 1)},
		{"a second link that has not", []act{s("eth0", 10, 1)}, s("eth1", 20, 2)},
		{"the first of two goes", []act{s("eth0", 10, 1), s("eth1", 20, 2)}, u("eth0")},
		{"the second of two goes", []act{s("eth0", 10, 1), s("eth1", 20, 2)}, u("eth1")},
		{"the last one goes", []act{s("eth0", 10, 1)}, u("eth0")},
	}
}

// dieEverywhere lets a process die before each step of each tale; the next one
// finishes it, or undoes it.
func dieEverywhere(t *testing.T, b *box, all []tale, holds func(Place, string) bool, unset func(Place, string) error) {
	t.Helper()
	was := b.state()
	undo := func(when string) {
		t.Helper()
		for _, link := range []string{"eth1", "eth0"} {
			must(t, unset(b.place(nil), link))
			if holds(b.place(nil), link) {
				t.Fatalf("%s: something is left of %s", when, link)
			}
		}
		b.is(when, was)
	}
	for _, tc := range all {
		begin := func() {
			for _, a := range tc.before {
				must(t, a.do(b.place(nil)))
			}
		}
		begin()
		must(t, tc.dying.do(b.place(nil)))
		want := b.state()
		undo(tc.name)
		n := 0
		for died := true; died; {
			n++
			var step string
			for _, finish := range []bool{true, false} {
				begin()
				died, step = b.dies(n, tc.dying.do)
				when := fmt.Sprintf("%s: dead before step %d, %s", tc.name, n, step)
				// Whoever comes next knows that there is something to do.
				if b.state() != was && !holds(b.place(nil), "eth0") && !holds(b.place(nil), "eth1") {
					t.Fatalf("%s: nobody is to know", when)
				}
				if finish {
					must(t, tc.dying.do(b.place(nil)))
					if now := b.state(); now != want {
						t.Fatalf("%s, then finished: the host is\n%s\nwant\n%s", when, now, want)
					}
				}
				undo(when)
			}
		}
		if n < 3 {
			t.Errorf("%s: it has %d steps only", tc.name, n-1)
		}
	}
}

func TestWhereverAProcessDiesOverTheNameTheNextOneFinishesOrUndoes(t *testing.T) {
	b := newBox(t)
	unset := func(p Place, link string) error { return (&HostName{p}).Unset(link) }
	set := func(p Place, link string, metric, value int) error {
		return (&HostName{p}).Set(link, Name{metric, fmt.Sprint("box", value), false})
	}
	dieEverywhere(t, b, tales(set, unset), func(p Place, link string) bool { return (&HostName{p}).Holds(link) }, unset)
}

func TestWhereverAProcessDiesOverTheZoneTheNextOneFinishesOrUndoes(t *testing.T) {
	for name, prepare := range localtimes {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			prepare(b)
			unset := func(p Place, link string) error { return (&TimeZone{p}).Unset(link) }
			set := func(p Place, link string, metric, value int) error {
				return (&TimeZone{p}).Set(link, Zone{metric, []string{"", "Europe/Berlin", "Asia/Tokyo"}[value]})
			}
			dieEverywhere(t, b, tales(set, unset), func(p Place, link string) bool { return (&TimeZone{p}).Holds(link) }, unset)
		})
	}
}

func TestWhereverAProcessDiesOverTimeServersTheNextOneFinishesOrUndoes(t *testing.T) {
	b := newBox(t)
	b.clocks()
	unset := func(p Place, link string) error { return (&TimeServers{p}).Unset(link) }
	set := func(p Place, link string, metric, value int) error {
		err := (&TimeServers{p}).Set(link, metric, []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, byte(value)})})
		return err
	}
	dieEverywhere(t, b, tales(set, unset), func(p Place, link string) bool { return (&TimeServers{p}).Holds(link) }, unset)
	if told, err := os.ReadFile(b.told()); err != nil || len(told) == 0 {
		t.Errorf("nobody was told: %v", err)
	}
}
