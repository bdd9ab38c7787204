package netconf

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// everythingOfTheHost follows all that there is, and is for a host where
// nothing keeps the clock.
var everythingOfTheHost = Options{HostName: AcceptAlways, TimeServers: AcceptAlways, TimeZone: AcceptAlways}

// wholeLease is a lease that says something of the host as a whole.
func wholeLease(change func(*lease.Lease)) lease.Lease {
	l := testLease(func(l *lease.Lease) {
		l.HostName, l.FQDN, l.TimeZone = "box.example.com", "other.example.com", "Europe/Berlin"
		l.NTP = []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	})
	if change != nil {
		change(&l)
	}
	return l
}

func TestPlansForTheHostAsAWhole(t *testing.T) {
	raw := func(code dhcp4.Code, value string) func(*lease.Lease) {
		return func(l *lease.Lease) {
			l.HostName, l.FQDN, l.TimeZone, l.NTP = "", "", "", nil
			l.Options.Put(code, []byte(value))
		}
	}
	many := func(l *lease.Lease) {
		l.NTP = nil
		for i := range 300 {
			l.NTP = append(l.NTP, netip.AddrFrom4([4]byte{10, 0, byte(i / 250), byte(i%250 + 1)}))
		}
	}
	for _, tc := range []struct {
		name    string
		lease   func(*lease.Lease)
		options Options
		steps   string
		refused []string // a word of each
	}{
		{"all of it", nil, everythingOfTheHost, "hostname box; time server 192.0.2.1; time zone Europe/Berlin", nil},
		{"the default", nil, Options{}, "hostname box", []string{"accept-time-servers", "accept-timezone"}},
		{"nothing of it", nil, Options{HostName: AcceptNever}, "", []string{"accept-hostname", "accept-time-servers", "accept-timezone"}},
		{"option 81 where 12 is missing", func(l *lease.Lease) { l.HostName = "" }, everythingOfTheHost, "hostname other; time server 192.0.2.1; time zone Europe/Berlin", nil},
		{"option 100", func(l *lease.Lease) { l.Options.Put(dhcp4.PosixTimezone.Code, []byte("CET-1CEST")) }, Options{HostName: AcceptNever, TimeServers: AcceptAlways, TimeZone: AcceptAlways},
			"time server 192.0.2.1; time zone Europe/Berlin", []string{"accept-hostname", "option 101"}},
		{"bad time servers", func(l *lease.Lease) {
			l.NTP = []netip.Addr{netip.MustParseAddr("127.0.0.1"), l.Addr.Addr(), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("255.255.255.255")}
		}, everythingOfTheHost, "hostname box; time server 192.0.2.1; time zone Europe/Berlin", []string{"loopback", "own address", "reserved"}},
		{"300 time servers", many, Options{HostName: AcceptNever, TimeServers: AcceptAlways},
			"time server 10.0.0.1; time server 10.0.0.2; time server 10.0.0.3; time server 10.0.0.4; time server 10.0.0.5; time server 10.0.0.6; time server 10.0.0.7; time server 10.0.0.8",
			[]string{"accept-hostname", "more than 8", "accept-timezone"}},
		{"no such zone", func(l *lease.Lease) { l.TimeZone = "Europe/berlin" }, everythingOfTheHost, "hostname box; time server 192.0.2.1", []string{"does not have that name"}},
		{"a number", func(l *lease.Lease) { l.HostName, l.TimeZone = "192.0.2.7", "" }, everythingOfTheHost, "time server 192.0.2.1", []string{"for an address"}},
		{"localhost", func(l *lease.Lease) { l.HostName, l.TimeZone = "localhost.localdomain", "" }, everythingOfTheHost, "time server 192.0.2.1", []string{"have none"}},

		{"a lone dot", raw(12, "."), everythingOfTheHost, "", []string{"0 bytes"}},
		{"a newline", raw(12, "box\nnameserver 6.6.6.6"), everythingOfTheHost, "", []string{`'\n'`}},
		{"a quote", raw(12, `box"`), everythingOfTheHost, "", []string{`'"'`}},
		{"a command", raw(12, "$(reboot)"), everythingOfTheHost, "", []string{`'$'`}},
		{"300 bytes", raw(12, strings.Repeat("a", 300)), everythingOfTheHost, "", []string{"300 bytes"}},
		{"a command in 81", raw(81, "\x00\x00\x00$(reboot)"), everythingOfTheHost, "", []string{`'$'`}},
		{"half an address", raw(42, "\xc0\x00\x02"), everythingOfTheHost, "", []string{"multiple of 4"}},
		{"a way out", raw(101, "../../../etc/shadow"), everythingOfTheHost, "", []string{"dot"}},
		{"a zone with a newline", raw(101, "Europe/Berlin\n"), everythingOfTheHost, "", []string{`'\n'`}},
		{"an absolute zone", raw(101, "/etc/shadow"), everythingOfTheHost, "", []string{"empty part"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := wholeLease(tc.lease)
			p := PlanFor(l, tc.options)
			if got := strings.Join(p.Whole.steps(), "; "); got != tc.steps {
				t.Errorf("steps %q, want %q", got, tc.steps)
			}
			if all := p.Steps("eth0"); len(all) != len(p.Whole.steps())+3 {
				t.Errorf("all steps: %q", all)
			}
			if len(p.Refused) != len(tc.refused) {
				t.Fatalf("refused %+v, want %q", p.Refused, tc.refused)
			}
			for i, r := range p.Refused {
				if !strings.Contains(r.Why, tc.refused[i]) || strings.ContainsAny(r.What+r.Why, "\n\x00") {
					t.Errorf("refused %+v, want %q", r, tc.refused[i])
				}
			}
		})
	}
}

// wholeRig is a rig on a host with an /etc of its own that is called localhost.
func wholeRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.must(errors.Join(unix.Sethostname([]byte("localhost")), unix.Mount("tmpfs", "/etc", "tmpfs", 0, "")))
	t.Cleanup(func() { r.must(unix.Unmount("/etc", unix.MNT_DETACH)) })
	r.must(errors.Join(os.Symlink("/usr/share/zoneinfo/Etc/UTC", "/etc/localtime"), os.WriteFile("/etc/timezone", []byte("Etc/UTC\n"), 0o644)))
	return r
}

// whole is what the host is called, and its zone.
func (r *rig) whole() string {
	r.t.Helper()
	name, err := os.Hostname()
	zone, errZone := os.Readlink("/etc/localtime")
	text, errText := os.ReadFile("/etc/timezone")
	r.must(errors.Join(err, errZone, errText))
	return name + " " + strings.TrimPrefix(zone, "/usr/share/zoneinfo/") + " " + strings.TrimSpace(string(text))
}

func (r *rig) wholeIs(when, want string) {
	r.t.Helper()
	if got := r.whole(); got != want {
		r.t.Errorf("%s: %s, want %s", when, got, want)
	}
}

var nameAndZone = Options{TimeZone: AcceptAlways}

func TestTheHostIsCalledByItsLeaseForAsLongAsThatLasts(t *testing.T) {
	r := wholeRig(t)
	h := r.open(nameAndZone)
	r.must(r.apply(h, wholeLease(nil)))
	r.wholeIs("with a lease", "box Europe/Berlin Europe/Berlin")
	if own, err := OwnHostName(r.config(nameAndZone)); err != nil || own != "localhost" {
		t.Errorf("its own name is %q, %v", own, err)
	}
	if p := PlanFor(wholeLease(nil), h.Options()); len(p.Refused) != 1 || !strings.Contains(p.Refused[0].What, "time servers") {
		t.Errorf("refused %+v", p.Refused)
	}
	r.must(r.apply(h, wholeLease(func(l *lease.Lease) { l.TimeZone, l.HostName = "", "crate" })))
	r.wholeIs("renewed", "crate Etc/UTC Etc/UTC")
	r.must(r.apply(h, wholeLease(nil)))
	next := r.open(nameAndZone)
	if !r.leftover(next) {
		t.Error("the next process does not know")
	}
	r.withdraw(next, lease.Lease{})
	r.wholeIs("in the end", "localhost Etc/UTC Etc/UTC")
	r.tidy("in the end")
}

func TestADifferenceTellsOfTheHostAsAWholeWhatChanges(t *testing.T) {
	r := wholeRig(t)
	h := r.open(nameAndZone)
	is := func(when string, l lease.Lease, want ...string) {
		t.Helper()
		was, files := r.whole(), r.files()
		var got []string
		for _, s := range r.difference(h, l) {
			if s.Kind == KindHost {
				got = append(got, s.Do)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
		r.wholeIs(when+", looked at", was)
		if now := r.files(); now != files {
			t.Errorf("%s, looked at: files\n%s\nwere\n%s", when, now, files)
		}
	}
	l := wholeLease(nil)
	is("the first lease", l, "hostname box", "link /etc/localtime to /usr/share/zoneinfo/Europe/Berlin", "write /etc/timezone")
	r.must(r.apply(h, l))
	is("a renewal", l)
	is("another name, and no zone", wholeLease(func(l *lease.Lease) { l.HostName, l.TimeZone = "crate", "" }),
		"hostname crate", "link /etc/localtime to /usr/share/zoneinfo/Etc/UTC", "write /etc/timezone")
	repaired := false
	r.m.Must(func() (err error) { repaired, err = h.Repair(t.Context(), l); return err })
	if repaired {
		t.Error("nothing is lost, and it is put back")
	}
	r.withdraw(h, lease.Lease{})
	r.wholeIs("in the end", "localhost Etc/UTC Etc/UTC")
}

func TestWhatIsRefusedBecauseOfTheHostIsInThePlan(t *testing.T) {
	r := wholeRig(t)
	r.must(unix.Sethostname([]byte("mine")))
	h := r.open(nameAndZone)
	r.must(r.apply(h, wholeLease(nil)))
	r.wholeIs("with a lease", "mine Europe/Berlin Europe/Berlin")
	p := PlanFor(wholeLease(nil), h.Options())
	if !slices.ContainsFunc(p.Refused, func(f Refusal) bool { return strings.Contains(f.What, "box") && strings.Contains(f.Why, `"mine"`) }) {
		t.Errorf("refused %+v", p.Refused)
	}
	if steps := p.Whole.steps(); !slices.Equal(steps, []string{"time zone Europe/Berlin"}) {
		t.Errorf("steps %q", steps)
	}
	r.withdraw(h, lease.Lease{})
	r.wholeIs("in the end", "mine Etc/UTC Etc/UTC")
}

func TestOfTwoLinksTheOneWithTheLowerMetricNamesTheHost(t *testing.T) {
	r := wholeRig(t)
	r.net.Connect(r.m, "eth1", r.peer, "eth1")
	first, second := nameAndZone, nameAndZone
	first.Metric, second.Metric = 10, 20
	open := func(link string, o Options) (h *Host) {
		r.m.Must(func() (err error) { h, err = Open(link, r.config(o)); return err })
		return h
	}
	a, b := open("eth0", first), open("eth1", second)
	other := wholeLease(func(l *lease.Lease) {
		l.Addr, l.Routers = netip.MustParsePrefix("198.51.100.7/24"), nil
		l.HostName, l.TimeZone = "crate", "Asia/Tokyo"
	})
	r.must(r.apply(b, other))
	r.wholeIs("alone", "crate Asia/Tokyo Asia/Tokyo")
	r.must(r.apply(a, wholeLease(nil)))
	r.wholeIs("both", "box Europe/Berlin Europe/Berlin")
	n := 0
	for _, f := range PlanFor(other, b.Options()).Refused {
		if strings.Contains(f.Why, "eth0 comes first") {
			n++
		}
	}
	if n != 2 {
		t.Errorf("refused %+v", PlanFor(other, b.Options()).Refused)
	}
	r.must(r.m.Remove("eth0")) // without a word
	c := r.config(Options{})
	if got := Remains(c); !slices.Contains(got, "eth0") {
		t.Errorf("something is known of %q", got)
	}
	r.must(Forget("eth0", c))
	r.wholeIs("the first one gone", "crate Asia/Tokyo Asia/Tokyo")
	r.withdraw(b, lease.Lease{})
	r.wholeIs("in the end", "localhost Etc/UTC Etc/UTC")
	r.tidy("in the end")
}

func TestALinkInAnotherNamespaceHasNoSayInTheHostAsAWhole(t *testing.T) {
	r := wholeRig(t)
	c := r.config(everythingOfTheHost)
	c.Namespace = r.namespace()
	h, err := Open("eth0", c)
	r.must(err)
	r.must(h.Apply(t.Context(), wholeLease(nil)))
	r.wholeIs("with a lease", "localhost Etc/UTC Etc/UTC")
	p := PlanFor(wholeLease(nil), h.Options())
	if len(p.Refused) != 3 {
		t.Errorf("refused %+v", p.Refused)
	}
	for _, f := range p.Refused {
		if !strings.Contains(f.Why, "network namespace") {
			t.Errorf("refused %+v", f)
		}
	}
	r.must(h.Withdraw(t.Context(), lease.Lease{}))
}

func TestAHostThatCannotBeChangedStillGetsItsAddress(t *testing.T) {
	r := wholeRig(t)
	r.must(unix.Mount("", "/etc", "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	c := r.config(nameAndZone)
	var troubles []string
	c.Trouble = func(err error) { troubles = append(troubles, err.Error()) }
	h := r.openWith(c)
	for range 3 {
		r.must(r.apply(h, wholeLease(nil)))
	}
	r.wholeIs("with a lease", "box Etc/UTC Etc/UTC")
	if len(r.m.AddrsOf("eth0")) != 1 {
		t.Error("no address")
	}
	if len(troubles) != 1 || !strings.Contains(troubles[0], "time zone") || !strings.Contains(troubles[0], "read-only") {
		t.Errorf("told of %q, want it once", troubles)
	}
	r.must(unix.Mount("", "/etc", "", unix.MS_REMOUNT, ""))
	r.must(r.apply(h, wholeLease(nil)))
	r.wholeIs("once it is writable", "box Europe/Berlin Europe/Berlin")
	r.withdraw(h, lease.Lease{})
	r.wholeIs("in the end", "localhost Etc/UTC Etc/UTC")
}
