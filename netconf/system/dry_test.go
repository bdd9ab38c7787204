package system

import (
	"strings"
	"testing"

	"github.com/lessee/lessee/client/nettest"
	"github.com/lessee/lessee/netconf/program"
)

// looks is what f, which only looks, would do to the host. Neither that nor what
// is noted of it changes.
func (b *box) looks(f func(Place) error) string {
	b.t.Helper()
	var told []string
	p := b.place(func(what string) { b.t.Errorf("it is only to look, and does: %s", what) })
	p.Dry = func(what string) { told = append(told, what) }
	was, noted := b.state(), b.notes()
	must(b.t, f(p))
	if now := b.state(); now != was {
		b.t.Errorf("looked at, the host is\n%s\nwas\n%s", now, was)
	}
	if now := b.notes(); now != noted {
		b.t.Errorf("looked at, noted is\n%s\nwas\n%s", now, noted)
	}
	return strings.Join(told, "; ")
}

// notes are the names and the contents of what is noted.
func (b *box) notes() string {
	b.t.Helper()
	out, err := program.Run(usually, "", nettest.Program(b.t, "sh"), "-c", "find /run/lessee "+b.dir+"/state -type f -exec md5sum {} + 2>/dev/null; true")
	must(b.t, err)
	return out
}

func TestWhatWouldBeDoneIsToldAndNothingElse(t *testing.T) {
	b := newBox(t)
	b.clocks()
	localtimes["a link"](b)
	name := func(p Place, s string) error { return (&HostName{p}).Set("eth0", Name{Name: s}) }
	zone := func(p Place, s string) error { return (&TimeZone{p}).Set("eth0", Zone{Name: s}) }
	clock := func(p Place, s string) error { return (&TimeServers{p}).Set("eth0", 0, servers(s)) }
	const clocks = "write /run/chrony-dhcp/lessee-eth0.sources; tell chrony; " +
		"write /run/systemd/timesyncd.conf.d/lessee-eth0.conf; tell systemd-timesyncd; write /run/ntpsec/ntp.conf.dhcp; tell ntpsec"
	for what, tc := range map[string]struct {
		set                      func(Place, string) error
		unset                    func(Place) error
		value, other             string
		first, change, gone, own string
	}{
		"name": {
			name, func(p Place) error { return (&HostName{p}).Unset("eth0") }, "box", "crate",
			"hostname box", "hostname crate", "hostname localhost", "localhost",
		},
		"zone": {
			zone, func(p Place) error { return (&TimeZone{p}).Unset("eth0") }, "Europe/Berlin", "Asia/Tokyo",
			"link /etc/localtime to /usr/share/zoneinfo/Europe/Berlin; write /etc/timezone",
			"link /etc/localtime to /usr/share/zoneinfo/Asia/Tokyo; write /etc/timezone",
			"link /etc/localtime to /usr/share/zoneinfo/Etc/UTC; write /etc/timezone", "Etc/UTC",
		},
		"clock": {
			clock, func(p Place) error { return (&TimeServers{p}).Unset("eth0") }, "192.0.2.1", "192.0.2.2",
			clocks, clocks, strings.ReplaceAll(clocks, "write", "remove"), "",
		},
	} {
		t.Run(what, func(t *testing.T) {
			is := func(when, got, want string) {
				t.Helper()
				if got != want {
					t.Errorf("%s: %q, want %q", when, got, want)
				}
			}
			is("the first lease", b.looks(func(p Place) error { return tc.set(p, tc.value) }), tc.first)
			is("nothing is held", b.looks(tc.unset), "")
			if tc.own != "" {
				is("it is so anyway", b.looks(func(p Place) error { return tc.set(p, tc.own) }), "")
			}
			must(t, tc.set(b.place(nil), tc.value))
			is("a renewal", b.looks(func(p Place) error { return tc.set(p, tc.value) }), "")
			is("another value", b.looks(func(p Place) error { return tc.set(p, tc.other) }), tc.change)
			is("the end", b.looks(tc.unset), tc.gone)
			must(t, tc.unset(b.place(nil)))
		})
	}
}
