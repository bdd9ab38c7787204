package netconf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/nettest"
	"github.com/lessee/lessee/netconf/resolvtest"
)

// A dweller is a host with a resolver that auto is to find, and two links.
type dweller struct {
	*resolvtest.Host
	t   *testing.T
	cfg Config
}

// resolvers are the kinds of hosts, by what auto finds there.
var resolvers = map[string]func(h *resolvtest.Host, t *testing.T){
	"file /etc/resolv.conf": func(*resolvtest.Host, *testing.T) {},
	"systemd-resolved": func(h *resolvtest.Host, t *testing.T) {
		h.Resolved("")
		h.Resolvectl("domain eth0 ~corp.example")
		if err := errors.Join(os.Remove("/etc/resolv.conf"), os.Symlink("../run/systemd/resolve/stub-resolv.conf", "/etc/resolv.conf")); err != nil {
			t.Fatal(err)
		}
	},
	"openresolv": func(h *resolvtest.Host, _ *testing.T) { h.Resolvconf("openresolv") },
	"Debian's":   func(h *resolvtest.Host, _ *testing.T) { h.Resolvconf("resolvconf") },
}

func newDweller(t *testing.T, resolver string) *dweller {
	t.Helper()
	n := nettest.New(t)
	m, peer := n.Host("host"), n.Host("peer")
	for _, link := range []string{"eth0", "eth1"} {
		n.Connect(m, link, peer, link)
	}
	d := &dweller{Host: resolvtest.New(t, m, "eth0", "eth1"), t: t}
	resolvers[resolver](d.Host, t)
	d.cfg = Config{RunDir: "/run/lessee", StateDir: "/run/state", ResolvConf: "/etc/resolv.conf", Resolver: "auto", Options: Options{MTU: true, Metric: AutoMetric}}
	return d
}

// life runs f with a link, as a process that ends after it.
func (d *dweller) life(link string, step func(string), f func(*Host) error) {
	d.t.Helper()
	err := d.Do(func() error {
		c := d.cfg
		c.step = step
		h, err := Open(link, c)
		if err != nil {
			return err
		}
		return f(h)
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// everything is what leases may change.
func (d *dweller) everything() string {
	d.t.Helper()
	text := d.State() + strings.Join(d.RoutesOf(), "\n") + d.Files("/run/lessee", "/run/state")
	for _, link := range []string{"eth0", "eth1"} {
		mtu, err := d.MTU(link)
		if err != nil {
			d.t.Fatal(err)
		}
		text += fmt.Sprintf("\n%s mtu %d %+v", link, mtu, d.AddrsOf(link))
	}
	return text
}

func apply(l lease.Lease) func(*Host) error {
	return func(h *Host) error { return h.Apply(context.Background(), l) }
}

func withdraw(h *Host) error { return h.Withdraw(context.Background(), lease.Lease{}) }

func TestEveryResolverIsAsItWasAfterAWholeLife(t *testing.T) {
	other := testLease(func(l *lease.Lease) {
		l.Addr, l.Routers = netip.MustParsePrefix("198.51.100.7/24"), []netip.Addr{netip.MustParseAddr("198.51.100.1")}
		l.DNS, l.Search = []netip.Addr{netip.MustParseAddr("198.51.100.53")}, []string{"other.example"}
	})
	renewed := fullLease()
	renewed.DNS, renewed.Domain, renewed.MTU = []netip.Addr{netip.MustParseAddr("192.0.2.54")}, "", 0
	for name := range resolvers {
		t.Run(name, func(t *testing.T) {
			d := newDweller(t, name)
			before := d.everything()
			same := func(when string) {
				t.Helper()
				d.Await(when, func() error { // systemd-resolved hears of addresses by and by
					if after := d.everything(); after != before {
						return fmt.Errorf("before\n%s\nafter\n%s", before, after)
					}
					return nil
				})
			}
			d.looksAt(fullLease())
			same("looked at")
			d.life("eth0", nil, func(h *Host) error {
				return errors.Join(apply(fullLease())(h), apply(renewed)(h), apply(renewed)(h), withdraw(h))
			})
			same("acquired, renewed with other options, released")

			d.life("eth0", nil, apply(fullLease())) // and killed
			d.life("eth1", nil, apply(other))
			if d.everything() == before {
				t.Fatal("two leases, and nobody was told of names")
			}
			d.life("eth0", nil, func(h *Host) error {
				if !h.Leftover() {
					t.Error("nothing is left of a process that was killed")
				}
				return errors.Join(apply(renewed)(h), withdraw(h))
			})
			d.life("eth1", nil, withdraw)
			same("two links, killed, started, stopped")
			d.killed(fullLease(), same)
		})
	}
}

// looksAt makes a dry run, which is to tell of names and to leave no trace.
func (d *dweller) looksAt(l lease.Lease) {
	d.t.Helper()
	before := d.Files("/etc", "/run/resolvconf", "/run/lessee", "/run/state")
	err := d.Do(func() error {
		h, err := Look("eth0", d.cfg)
		if err != nil {
			return err
		}
		steps, err := h.Difference(context.Background(), l)
		if !slices.ContainsFunc(steps, func(s Step) bool { return s.Kind == KindServer && strings.Contains(s.Do, "192.0.2.53") }) {
			d.t.Errorf("nothing is told of name servers: %v", steps)
		}
		for _, dir := range []string{d.cfg.RunDir, d.cfg.StateDir} {
			if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
				d.t.Errorf("%s is there: %v", dir, err)
			}
		}
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	if now := d.Files("/etc", "/run/resolvconf", "/run/lessee", "/run/state"); now != before {
		d.t.Errorf("files\n%s\nwere\n%s", now, before)
	}
}

// killed kills a process before each of its steps, the first of which are a
// record's, and has the next one withdraw.
func (d *dweller) killed(l lease.Lease, same func(string)) {
	d.t.Helper()
	for n, died := 1, true; died; n++ {
		died = false
		steps := 0
		step := func(string) {
			if steps++; steps == n {
				panic(errKilled)
			}
		}
		d.life("eth0", step, func(h *Host) error {
			defer func() {
				if p := recover(); p != nil {
					if p != errKilled {
						panic(p)
					}
					died = true
				}
			}()
			return apply(l)(h)
		})
		d.life("eth0", nil, withdraw)
		same(fmt.Sprintf("killed before step %d", n))
	}
}

var errKilled = errors.New("killed")

// Nobody resolves names where the choice was not made, and it is told why.
func TestTheChoiceOfAResolverIsExplained(t *testing.T) {
	d := newDweller(t, "systemd-resolved")
	if got := d.cfg.NamesOn("eth0"); got != "names go to systemd-resolved: /etc/resolv.conf is a link to /run/systemd/resolve/stub-resolv.conf" {
		t.Error(got)
	}
	d.cfg.ResolvConf = "none"
	if got := d.cfg.NamesOn("eth0"); got != "names go to nobody: names are left alone, as was asked for" {
		t.Error(got)
	}
}

// What the resolver makes of a lease is known once it was told, or looked at.
func TestWhatTheResolverDoesNotDoIsRefused(t *testing.T) {
	sent := fullLease()
	sent.Routers, sent.StaticRoutes = nil, nil
	sent.Encrypted = []dhcp4.Resolver{{Name: "dot.example", Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.99")}, ALPN: []string{"dot"}}}
	for _, tc := range []struct {
		name, resolver string
		prepare        func(d *dweller)
		is             string   // who is told, and why he
		servers        string   // that are on the host
		refused        []string // each the beginning of one
	}{
		{"a file", "file /etc/resolv.conf", nil, "file /etc/resolv.conf: /etc/resolv.conf is in no other hands", "[192.0.2.53]", []string{"162 encrypted resolver dot.example: resolv.conf has no words for DNS over TLS"}},
		{"a file in other hands", "file /etc/resolv.conf", func(d *dweller) {
			d.must(os.WriteFile("/etc/resolv.conf", []byte("# Generated by NetworkManager\nnameserver 203.0.113.1\n"), 0o644))
		}, "file /etc/resolv.conf: nobody else can be told, and /etc/resolv.conf belongs to NetworkManager", "[]", []string{
			"6 name servers 192.0.2.53: /etc/resolv.conf belongs to NetworkManager, which is left to do its work",
			"15 domain example.com: /etc/resolv.conf belongs", "162 encrypted resolver dot.example: /etc/resolv.conf belongs",
		}},
		{"nobody", "file /etc/resolv.conf", func(d *dweller) { d.cfg.Resolver = "none" }, "nobody: names are left alone, as was asked for", "[]", []string{
			"6 name servers 192.0.2.53: names are left alone", "15 domain", "162 encrypted",
		}},
		{"no resolver", "file /etc/resolv.conf", func(d *dweller) { d.cfg.Resolver = "resolved" }, "systemd-resolved: it was asked for", "[]", []string{
			"6 name servers 192.0.2.53: there is no D-Bus", "15 domain", "162 encrypted",
		}},
		{"openresolv", "openresolv", nil, "resolvconf: openresolv manages /etc/resolv.conf", "[192.0.2.53]", []string{"162 encrypted"}},
		{"resolved that asks in clear", "systemd-resolved", func(d *dweller) { d.Resolvectl("dnsovertls eth0 no") },
			"systemd-resolved: /etc/resolv.conf is a link to /run/systemd/resolve/stub-resolv.conf", "[192.0.2.53]",
			[]string{"162 encrypted resolver dot.example: systemd-resolved asks in clear there (resolvectl dnsovertls eth0 opportunistic"}},
		{"resolved that asks by TLS", "systemd-resolved", func(d *dweller) { d.Resolvectl("dnsovertls eth0 yes") },
			"systemd-resolved: /etc/resolv.conf is a link to /run/systemd/resolve/stub-resolv.conf", "[dot.example]",
			[]string{"6 name servers 192.0.2.53: systemd-resolved is to ask by TLS alone"}},
		{"resolved that does either", "systemd-resolved", func(d *dweller) { d.Resolvectl("dnsovertls eth0 opportunistic") },
			"systemd-resolved: /etc/resolv.conf is a link to /run/systemd/resolve/stub-resolv.conf", "[192.0.2.53 dot.example]", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDweller(t, tc.resolver)
			if tc.prepare != nil {
				tc.prepare(d)
			}
			known := func(h *Host) error {
				p := PlanFor(sent, h.Options())
				var is string
				servers := []string{}
				for _, r := range p.Reasons {
					switch r.Kind {
					case KindResolver:
						is = r.What + ": " + r.From
					case KindServer:
						servers = append(servers, r.What)
					}
				}
				if is != tc.is || fmt.Sprint(servers) != tc.servers {
					t.Errorf("%s, %v; want %s, %s", is, servers, tc.is, tc.servers)
				}
				ok := len(p.Refused) == len(tc.refused)
				for i := range min(len(p.Refused), len(tc.refused)) {
					r := p.Refused[i]
					ok = ok && strings.HasPrefix(fmt.Sprintf("%d %s: %s", r.Option, r.What, r.Why), tc.refused[i])
				}
				if !ok {
					t.Errorf("%+v\nwant %q", p.Refused, tc.refused)
				}
				return nil
			}
			d.life("eth0", nil, func(h *Host) error {
				_, err := h.Difference(t.Context(), sent)
				return errors.Join(err, known(h))
			})
			d.life("eth0", nil, func(h *Host) error {
				err := errors.Join(apply(sent)(h), known(h), withdraw(h))
				if h.names != nil || h.Options().found.names != nil {
					t.Error("something is known of a resolver that nobody tells anything")
				}
				return err
			})
		})
	}
}

func (d *dweller) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}
