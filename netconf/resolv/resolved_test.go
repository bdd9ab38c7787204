package resolv

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/lessee/lessee/netconf/dbus"
)

// with is a part with domains, and a metric.
func with(p part, metric int, domain string, search ...string) part {
	p.Config.Metric, p.Config.Domain, p.Config.Search = metric, domain, search
	return p
}

// operator are the settings that an operator may have made with resolvectl.
var operator = map[string][]string{
	"nothing": nil,
	"servers and domains": {
		"dns eth0 203.0.113.53 203.0.113.54:8053#dot.example", "domain eth0 corp.example ~lab.example",
	},
	"all there is": {
		"dns eth0 203.0.113.53", "domain eth0 corp.example", "default-route eth0 no", "llmnr eth0 no", "mdns eth0 resolve",
		"dnsovertls eth0 opportunistic", "nta eth0 b.example", "dns eth1 203.0.113.55",
	},
	"servers and modes":    {"dns eth0 203.0.113.53", "domain eth0 corp.example", "llmnr eth0 no", "mdns eth0 resolve", "nta eth0 b.example"},
	"only a default route": {"default-route eth0 yes", "llmnr eth0 resolve"},
}

func (r *rig) prepare(settings []string) string {
	r.t.Helper()
	for _, s := range settings {
		r.Resolvectl(s)
	}
	return r.State()
}

func TestResolvedIsAsItWasAfterALife(t *testing.T) {
	r := newRig(t)
	r.Resolved("")
	for name, settings := range operator {
		before := r.prepare(settings)
		b := r.backend()
		first := with(one, 100, "example.com", "a.example", "example.com.")
		must(t, r.Do(func() error { return b.Set("eth0", first.Config) }))
		r.wants(name, "eth0", "192.0.2.53", "a.example example.com", "*")
		b.Step = func(what string) { t.Errorf("%s: a renewal that changes nothing: %s", name, what) }
		must(t, r.Do(func() error { return b.Set("eth0", first.Config) }))
		b.Step = nil
		must(t, r.Do(func() error { return b.Set("eth0", changed.Config) }))
		r.wants(name, "eth0", "192.0.2.54 192.0.2.55", "", "*")
		must(t, r.Do(func() error { return r.backend().Unset("eth0") })) // another process
		if after := r.State(); after != before {
			t.Errorf("%s: before\n%s\nafter\n%s", name, before, after)
		}
		r.unnoted(name)
		r.Resolvectl("revert eth0")
		r.Resolvectl("revert eth1")
	}
}

// The first by metric answers for all names, whoever came first.
func TestTwoLinksMergeInResolved(t *testing.T) {
	r := newRig(t)
	r.Resolved("")
	for _, leaves := range [][2]string{{"eth0", "eth1"}, {"eth1", "eth0"}} {
		for name, settings := range operator {
			before := r.prepare(settings)
			do := func(f func(*Resolved) error) { must(t, r.Do(func() error { return f(r.backend()) })) }
			wifi, wire := with(one, 600, "one.example"), with(two, 100, "two.example")
			do(func(b *Resolved) error { return b.Set("eth0", wifi.Config) })
			do(func(b *Resolved) error { return b.Set("eth1", wire.Config) })
			r.wants(name, "eth0", "192.0.2.53", "one.example", "no")
			r.wants(name, "eth1", "198.51.100.53", "two.example", "yes")
			do(func(b *Resolved) error { return b.Set("eth0", with(one, 50, "one.example").Config) })
			r.wants(name+", metrics changed", "eth0", "192.0.2.53", "one.example", "yes")
			r.wants(name+", metrics changed", "eth1", "198.51.100.53", "two.example", "no")
			do(func(b *Resolved) error { return b.Unset(leaves[0]) })
			r.wants(name+", one is left", leaves[1], "*", "*", "yes")
			do(func(b *Resolved) error { return b.Unset(leaves[1]) })
			if after := r.State(); after != before {
				t.Errorf("%s: before\n%s\nafter\n%s", name, before, after)
			}
			r.unnoted(name)
			r.Resolvectl("revert eth0")
			r.Resolvectl("revert eth1")
		}
	}
}

func TestWhatSomebodyTellsResolvedAfterUsIsLeft(t *testing.T) {
	r := newRig(t)
	r.Resolved("")
	b := r.backend()
	must(t, r.Do(func() error { return b.Set("eth0", one.Config) }))
	r.Resolvectl("dns eth0 203.0.113.99")
	theirs := r.State()
	var managed *ManagedError
	if err := r.Do(func() error { return b.Set("eth0", one.Config) }); !errors.As(err, &managed) {
		t.Errorf("a renewal with nothing new: %v", err)
	}
	if err := r.Do(func() error { return b.Unset("eth0") }); !errors.As(err, &managed) {
		t.Errorf("Unset: %v", err)
	}
	if now := r.State(); now != theirs {
		t.Errorf("%s\nwant\n%s", now, theirs)
	}
	r.unnoted("in the end")
}

// Which link answers for all names is our word until the end, whoever sets
// servers meanwhile.
func TestTheDefaultRouteIsTakenBackFromALinkThatSomebodyChanged(t *testing.T) {
	r := newRig(t)
	r.Resolved("")
	for _, tc := range []struct {
		name, before, change string
		news                 *Config
		is                   string // in the end, by commands
		left                 bool
	}{
		{"somebody's servers", "llmnr eth0 no", "dns eth0 203.0.113.99", nil, "dns eth0 203.0.113.99", true},
		{"somebody's servers, and news", "llmnr eth0 no", "dns eth0 203.0.113.99", &changed.Config, "dns eth0 203.0.113.99", false},
		{"those from before us", "dns eth0 203.0.113.99", "dns eth0 203.0.113.99", nil, "dns eth0 203.0.113.99", false},
		{"none", "dns eth0 203.0.113.99", "revert eth0", nil, "revert eth0", false},
	} {
		r.prepare([]string{tc.before, tc.is})
		theirs := r.State()
		r.prepare([]string{"revert eth0", tc.before})
		must(t, r.Do(func() error {
			return errors.Join(r.backend().Set("eth0", with(one, 600, "").Config), r.backend().Set("eth1", with(two, 100, "").Config))
		}))
		r.wants(tc.name, "eth0", "192.0.2.53", "", "no")
		r.Resolvectl(tc.change)
		if tc.news != nil {
			must(t, r.Do(func() error { return r.backend().Set("eth0", with(part{Config: *tc.news}, 600, "").Config) }))
		}
		var managed *ManagedError
		if err := r.Do(func() error { return r.backend().Unset("eth0") }); (err != nil) != tc.left || err != nil && !errors.As(err, &managed) {
			t.Errorf("%s: %v", tc.name, err)
		}
		must(t, r.Do(func() error { return r.backend().Unset("eth1") }))
		if now := r.State(); now != theirs {
			t.Errorf("%s: %s\nwant\n%s", tc.name, now, theirs)
		}
		r.unnoted(tc.name)
		r.Resolvectl("revert eth0")
	}
}

func TestALinkThatIsGoneTakesItsPartAlong(t *testing.T) {
	r := newRig(t)
	r.Resolved("")
	must(t, r.Do(func() error { return r.backend().Set("eth0", one.Config) }))
	must(t, r.Remove("eth0"))
	must(t, r.Do(func() error { return r.backend().Unset("eth0") })) // which may not have heard of it yet
	r.unnoted("in the end")
}

func TestARenamedLinkKeepsItsPartInResolved(t *testing.T) {
	r := newRig(t)
	r.Resolved("")
	before := r.State()
	must(t, r.Do(func() error {
		return errors.Join(r.backend().Set("eth0", one.Config), r.backend().Rename("eth0", "lan0"), r.backend().Unset("lan0"))
	}))
	if after := r.State(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	r.unnoted("in the end")
}

func TestLinksThatResolvedDoesNotKnowAreLeftAlone(t *testing.T) {
	r := newRig(t)
	r.Resolved("")
	before := r.State()
	if err := r.Do(func() error { return r.backend().Set("eth0@blue", one.Config) }); !errors.Is(err, ErrNamespace) {
		t.Errorf("of another namespace: %v", err)
	}
	if err := r.peer.Do(func() error { return r.backend().Set("eth0", one.Config) }); !errors.Is(err, ErrNamespace) {
		t.Errorf("in another namespace: %v", err)
	}
	if after := r.State(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	r.unnoted("in the end")
}

func TestABusThatRefusesIsSaidSo(t *testing.T) {
	r := newRig(t)
	r.Resolved(`<deny send_destination="org.freedesktop.resolve1" send_interface="org.freedesktop.resolve1.Manager" send_member="SetLinkDomains"/>`)
	before := r.State()
	err := r.Do(func() error { return r.backend().Set("eth0", with(one, 0, "example.com").Config) })
	if !dbus.Is(err, "org.freedesktop.DBus.Error.AccessDenied") || !strings.Contains(err.Error(), "SetLinkDomains") {
		t.Errorf("%v", err)
	}
	must(t, r.Do(func() error { return r.backend().Unset("eth0") }))
	if after := r.State(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	r.unnoted("in the end")
}

// N8, N9: whether names are asked by TLS is the operator's to say.
func TestEncryptedResolversAreUsedWhereTheOperatorWantsTLS(t *testing.T) {
	r := newRig(t)
	r.Resolved("")
	c := one.Config
	c.Encrypted = []Encrypted{{Name: "dot.example", Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.99")}, Port: 8853}}
	for _, tc := range []struct{ mode, want string }{
		{"no", "192.0.2.53"},
		{"opportunistic", "192.0.2.99:8853#dot.example 192.0.2.53"},
		{"yes", "192.0.2.99:8853#dot.example"},
	} {
		r.Resolvectl("dnsovertls eth0 " + tc.mode)
		before := r.State()
		must(t, r.Do(func() error { return r.backend().Set("eth0", c) }))
		r.wants(tc.mode, "eth0", tc.want, "", "*")
		must(t, r.Do(func() error { return r.backend().Unset("eth0") }))
		if after := r.State(); after != before {
			t.Errorf("%s: before\n%s\nafter\n%s", tc.mode, before, after)
		}
	}
}

func TestAutoFindsResolved(t *testing.T) {
	r := newRig(t)
	choose := func() (Backend, string) { return r.setup().Choose("eth0") }
	link := func() {
		must(t, errors.Join(os.Remove("/etc/resolv.conf"), os.Symlink("../run/systemd/resolve/stub-resolv.conf", "/etc/resolv.conf")))
	}
	if b, why := choose(); b.String() != "file /etc/resolv.conf" || !strings.Contains(why, "no other hands") {
		t.Errorf("nobody is there: %v: %s", b, why)
	}
	link()
	b, why := choose()
	if b.String() != "file /etc/resolv.conf" || !strings.Contains(why, "does not answer") {
		t.Errorf("nobody is there, but a link to him: %v: %s", b, why)
	}
	var managed *ManagedError
	if err := b.Set("eth0", one.Config); !errors.As(err, &managed) || !strings.Contains(err.Error(), "/run/systemd/resolve") {
		t.Errorf("a dangling link: %v", err)
	}
	must(t, os.Remove("/etc/resolv.conf"))
	r.Resolved("")
	if b, why := choose(); b.String() != "file /etc/resolv.conf" {
		t.Errorf("he is there, and nothing leads to him: %v: %s", b, why)
	}
	must(t, os.WriteFile("/etc/resolv.conf", []byte("# mine\noptions edns0\nnameserver 127.0.0.53\n"), 0o644))
	if b, why := choose(); b.String() != resolvedName || !strings.Contains(why, "names 127.0.0.53") {
		t.Errorf("a file that names him: %v: %s", b, why)
	}
	link()
	if b, why := choose(); b.String() != resolvedName || !strings.Contains(why, "is a link to") {
		t.Errorf("a link to him: %v: %s", b, why)
	}
	// What a lease names leads nowhere.
	must(t, errors.Join(os.Remove("/etc/resolv.conf"), r.setup().file(Usual).Set("eth0", servers("127.0.0.53"))))
	if b, why := choose(); b.String() != "file /etc/resolv.conf" {
		t.Errorf("our own file: %v: %s", b, why)
	}
}
