package klibc

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

var start = time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)

// full is a lease with everything that the file can hold.
func full(t *testing.T) lease.Lease {
	l := lease.Lease{
		Addr: netip.MustParsePrefix("192.0.2.118/23"), Server: netip.MustParseAddr("192.0.2.1"),
		Start: start, T1: start.Add(300 * time.Second), T2: start.Add(500 * time.Second), Expiry: start.Add(600 * time.Second),
		Routers: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")},
		DNS:     []netip.Addr{netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("192.0.2.54"), netip.MustParseAddr("192.0.2.55")},
		Domain:  "example.org", Search: []string{"a.example", "b.example."}, HostName: "hosty",
		NextServer: netip.MustParseAddr("192.0.2.9"), BootFile: "pxe.0",
	}
	put(t, &l, dhcp4.NISDomain, "nis.example")
	put(t, &l, dhcp4.RootPath, "/srv/root it's")
	return l
}

func put(t *testing.T, l *lease.Lease, o dhcp4.Option[string], v string) {
	t.Helper()
	if err := o.Put(&l.Options, v); err != nil {
		t.Fatal(err)
	}
}

// The text is what ipconfig 2.0.12 wrote for the same answer of a server.
func TestTheFileIsAsIpconfigWritesIt(t *testing.T) {
	want := `DEVICE='eth0'
PROTO='dhcp'
IPV4ADDR='192.0.2.118'
IPV4BROADCAST='192.0.3.255'
IPV4NETMASK='255.255.254.0'
IPV4GATEWAY='192.0.2.1'
IPV4DNS0='192.0.2.53'
IPV4DNS1='192.0.2.54'
HOSTNAME='hosty'
DNSDOMAIN='example.org'
NISDOMAIN='nis.example'
ROOTSERVER='192.0.2.9'
ROOTPATH='/srv/root it'\''s'
filename='pxe.0'
UPTIME='15790'
DHCPLEASETIME='600'
DOMAINSEARCH='a.example. b.example.'
`
	if got := string(Conf("eth0", full(t), 15790*time.Second+999*time.Millisecond)); got != want {
		t.Errorf("%s", got)
	}
	want = `DEVICE='eth0'
PROTO='dhcp'
IPV4ADDR='192.0.2.105'
IPV4BROADCAST='192.0.2.255'
IPV4NETMASK='255.255.255.0'
IPV4GATEWAY='0.0.0.0'
IPV4DNS0='0.0.0.0'
IPV4DNS1='0.0.0.0'
HOSTNAME=''
DNSDOMAIN=''
NISDOMAIN=''
ROOTSERVER='192.0.2.1'
ROOTPATH=''
filename=''
UPTIME='3'
DHCPLEASETIME='4294967295'
DOMAINSEARCH=''
`
	bare := lease.Lease{Addr: netip.MustParsePrefix("192.0.2.105/24"), Server: netip.MustParseAddr("192.0.2.1"), Start: start}
	if got := string(Conf("eth0", bare, 3*time.Second)); got != want {
		t.Errorf("%s", got)
	}
}

func TestTheGatewayIsThatOfTheDefaultRoute(t *testing.T) {
	l := full(t)
	l.ClasslessRoutes = []dhcp4.Route{
		{Dest: netip.MustParsePrefix("198.51.100.0/24"), Gateway: netip.MustParseAddr("192.0.2.7")},
		{Dest: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.0.2.8")},
	}
	if got := string(Conf("eth0", l, 0)); !strings.Contains(got, "IPV4GATEWAY='192.0.2.8'\n") {
		t.Errorf("%s", got)
	}
	l.ClasslessRoutes = l.ClasslessRoutes[:1]
	if got := string(Conf("eth0", l, 0)); !strings.Contains(got, "IPV4GATEWAY='0.0.0.0'\n") {
		t.Errorf("%s", got)
	}
}

// read sources the file by a POSIX shell, and returns what it then prints.
func read(t *testing.T, text []byte, then string) string {
	t.Helper()
	dir := t.TempDir()
	if err := Write(dir, "eth0", text); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(Path(dir, "eth0")); err != nil || info.Mode().Perm() != 0o644 { // scripts need not be root's
		t.Errorf("%v, %v", info.Mode(), err)
	}
	cmd := exec.Command("/bin/sh", "-euc", `. "$1"; `+then, "sh", Path(dir, "eth0"))
	cmd.Dir, cmd.Env = dir, []string{}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s\n%s", err, out, text)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("reading the file made files: %v, %v\n%s", entries, err, text)
	}
	return string(out)
}

func TestAShellReadsWhateverAServerSends(t *testing.T) {
	for _, tc := range []struct{ sent, read string }{
		{"/srv/root", "/srv/root"},
		{"it's", "it's"},
		{"$(touch owned)`touch owned`", "$(touch owned)`touch owned`"},
		{"'; touch owned; '", "'; touch owned; '"},
		{`\'; touch owned; \'`, `\'; touch owned; \'`},
		{`"$HOME" \ * ~ & | > x`, `"$HOME" \ * ~ & | > x`},
		{"größe", "größe"},
		{"a\ntouch owned", ""},
		{"a\rb", ""},
		{"a\x1b[2Jb", ""},
		{"a\x00b", ""},
		{"a\xffb", ""},
		{"a\u202eb", ""}, // turns the direction of writing
		{strings.Repeat("x", maxValue+1), ""},
	} {
		l := full(t)
		l.BootFile, l.HostName, l.Domain = tc.sent, tc.sent, tc.sent
		if got := read(t, Conf("eth0", l, 0), `printf %s "$filename|$HOSTNAME|$DNSDOMAIN|$UPTIME"`); got != tc.read+"|"+tc.read+"|"+tc.read+"|0" {
			t.Errorf("%.40q is read as %.80q", tc.sent, got)
		}
	}
	l := full(t)
	put(t, &l, dhcp4.RootPath, "x\nIPV4ADDR=1.2.3.4")
	if got := read(t, Conf("$(touch owned)", l, 0), `printf %s "$DEVICE|$IPV4ADDR|$ROOTPATH"`); got != "$(touch owned)|192.0.2.118|" {
		t.Errorf("%q", got)
	}
}

func FuzzAShellReadsOneValueALine(f *testing.F) {
	f.Add("it's", "$(x)", "a\nb=c")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		l := lease.Lease{Addr: netip.MustParsePrefix("192.0.2.105/24"), Start: start, BootFile: a, HostName: b, Domain: c, Search: []string{a, b, c}}
		lines := strings.Split(strings.TrimSuffix(string(Conf(c, l, 0)), "\n"), "\n")
		if len(lines) != 17 {
			t.Fatalf("%d lines: %q", len(lines), lines)
		}
		for _, line := range lines {
			name, value, _ := strings.Cut(line, "=")
			// What is between quotes has none; quotes that are meant stand
			// outside, after a backslash.
			parts := strings.Split(strings.ReplaceAll(value, `'\''`, ""), "'")
			if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ4filenam01") != "" || len(parts) != 3 || parts[0]+parts[2] != "" {
				t.Errorf("%q", line)
			}
		}
	})
}

func TestAFileIsReplacedWholeAndTakenAway(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"A='1'\n", "A='2'\n"} {
		if err := Write(dir, "eth0", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "net-eth0.conf")); string(got) != text || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	for range 2 {
		if err := Remove(dir, "eth0"); err != nil {
			t.Error(err)
		}
	}
	if err := Write(filepath.Join(dir, "none"), "eth0", nil); err == nil || !strings.Contains(err.Error(), "eth0") {
		t.Errorf("%v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}
