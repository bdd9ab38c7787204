package resolv

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// badNames are none that a message can bring: it would have been refused. They
// may come from settings, or from a lease that somebody has edited.
func badNames() map[string]string {
	return map[string]string{
		"a newline": "a.example\nnameserver 203.0.113.66", "a space": "a b", "quotes": `a".example`, "a command": "$(id).example",
		"300 bytes": strings.Repeat("a.", 150), "a lone dot": ".", "two dots": "a..example", "an option": "-d",
		"a label of 64 bytes": strings.Repeat("a", 64) + ".example", "not ASCII": "grüße.example", "a NUL": "a\x00",
	}
}

func TestNamesThatAreNoneReachNoResolver(t *testing.T) {
	p := newPlace(t, places["a file"])
	backends := []Backend{p.file(), NewResolved("/nowhere", p.dir), NewResolvconf(p.dir)}
	for what, name := range badNames() {
		for _, c := range []Config{{Domain: name}, {Search: []string{"a.example", name}}, {Encrypted: []Encrypted{{Name: name}}}} {
			for _, b := range backends {
				var bad *NameError
				if err := b.Set("eth0", c); !errors.As(err, &bad) || strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 300 {
					t.Errorf("%s, %v: %v", what, b, err)
				}
				if b.Holds("eth0") {
					t.Errorf("%s, %v: something is noted", what, b)
				}
			}
		}
	}
	p.clean("in the end")
	if err := p.file().Set("eth0", Config{Servers: []netip.Addr{netip.MustParseAddr("fe80::1%eth9")}}); err == nil {
		t.Error("an address with a zone is taken")
	}
}

// A pipe that nobody writes into would be waited for, for ever.
func TestAPipeIsNoResolvConfAndIsNotWaitedFor(t *testing.T) {
	r := newRig(t)
	for what, make := range map[string]func() error{
		"a pipe":           func() error { return unix.Mkfifo(Usual, 0o644) },
		"a link to a pipe": func() error { return errors.Join(unix.Mkfifo("/run/pipe", 0o644), os.Symlink("/run/pipe", Usual)) },
	} {
		must(t, errors.Join(os.RemoveAll(Usual), make()))
		before, err := os.Lstat(Usual)
		must(t, err)
		b, why := r.setup().Choose("eth0")
		if b.String() != "file /etc/resolv.conf" {
			t.Errorf("%s: %v: %s", what, b, why)
		}
		if err := b.Set("eth0", one.Config); err == nil || what == "a pipe" && !strings.Contains(err.Error(), "--resolv-conf names another file") {
			t.Errorf("%s: it is taken for a resolv.conf: %v", what, err)
		}
		must(t, b.Unset("eth0"))
		if now, err := os.Lstat(Usual); err != nil || now.Mode() != before.Mode() {
			t.Errorf("%s: is another thing now: %v, %v", what, now, err)
		}
	}
}

func TestTheLinkWithTheLowestMetricComesFirstInTheFile(t *testing.T) {
	p := newPlace(t, places["a file"])
	set := func(link string, metric int, search, domain string, addrs ...string) {
		t.Helper()
		c := servers(addrs...)
		c.Metric, c.Domain = metric, domain
		c.Search = strings.Fields(search)
		must(t, p.file().Set(link, c))
	}
	set("wlan0", 100000, "wifi.example both.example", "", "203.0.113.1", "203.0.113.2")
	set("eth1", 1003, "", "wire.example", "198.51.100.1")
	set("eth0", 1003, "both.example", "wire.example.", "192.0.2.1", "198.51.100.1")
	const want = header + `search wire.example both.example wifi.example
nameserver 198.51.100.1
nameserver 192.0.2.1
nameserver 203.0.113.1
# glibc reads the first 3 name servers; these are for other resolvers.
nameserver 203.0.113.2
`
	if got := read(t, p.path); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	set("wlan0", 10, "", "", "203.0.113.1")
	if got := read(t, p.path); !strings.HasPrefix(got, header+"search wire.example both.example\nnameserver 203.0.113.1\n") {
		t.Errorf("with another metric: %s", got)
	}
	for _, link := range []string{"eth1", "wlan0", "eth0"} {
		must(t, p.file().Unset(link))
	}
	p.clean("in the end")
}
