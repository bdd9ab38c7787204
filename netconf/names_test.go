package netconf

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/nettest"
)

// over puts a new file system over a directory, for as long as the test lasts.
func (r *rig) over(dir string, flags uintptr) {
	r.t.Helper()
	r.must(unix.Mount("tmpfs", dir, "tmpfs", flags, ""))
	r.t.Cleanup(func() { r.must(unix.Unmount(dir, unix.MNT_DETACH)) })
}

func TestAResolverThatFailsIsNoReasonToHaveNoAddress(t *testing.T) {
	for _, tc := range []struct {
		name, resolver string
		prepare        func(r *rig, c *Config)
		says           string
	}{
		{"a bus that never answers", "resolved", func(r *rig, _ *Config) {
			r.must(os.Mkdir("/run/dbus", 0o755))
			l, err := net.Listen("unix", "/run/dbus/system_bus_socket")
			r.must(err)
			r.t.Cleanup(func() { l.Close() })
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() { _, _ = io.Copy(io.Discard, c) }()
				}
			}()
		}, "does not answer"},
		{"no bus", "resolved", func(*rig, *Config) {}, "there is no D-Bus"},
		{"no resolvconf", "resolvconf", func(r *rig, _ *Config) {
			for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin"} { // what this machine has is not to be run
				path := dir + "/resolvconf"
				if _, err := os.Stat(path); err == nil {
					r.must(nettest.PutFile("/dev/null", path))
					r.t.Cleanup(func() { r.must(unix.Unmount(path, unix.MNT_DETACH)) })
				}
			}
		}, "there is no resolvconf program"},
		{"a directory that is read-only", "file", func(r *rig, c *Config) {
			dir := filepath.Join(r.dir, "etc")
			r.must(os.Mkdir(dir, 0o755))
			r.over(dir, unix.MS_RDONLY)
			c.ResolvConf = filepath.Join(dir, "resolv.conf")
		}, "read-only file system (--resolv-conf names another file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t)
			r.over("/run", 0)
			c := r.config(Options{})
			tc.prepare(r, &c)
			c.Resolver = tc.resolver
			var troubles []string
			c.Trouble = func(err error) { troubles = append(troubles, err.Error()) }
			before := r.state()
			h := r.openWith(c)
			r.must(r.apply(h, fullLease()))
			if len(r.m.AddrsOf("eth0")) != 1 {
				t.Errorf("%+v", r.m.AddrsOf("eth0"))
			}
			if len(troubles) != 1 || !strings.Contains(troubles[0], tc.says) {
				t.Errorf("told of %q, want %q", troubles, tc.says)
			}
			r.withdraw(h, lease.Lease{})
			if after := r.state(); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
			if r.leftover(r.openWith(c)) {
				t.Error("there is something left")
			}
		})
	}
}

// ack is a DHCPACK with options as they come from the network.
func ack(options map[dhcp4.Code]string) *dhcp4.Message {
	m := &dhcp4.Message{Op: dhcp4.OpReply, YIAddr: netip.MustParseAddr("192.0.2.77")}
	m.Options.Put(dhcp4.SubnetMask.Code, []byte{255, 255, 255, 0})
	m.Options.Put(dhcp4.ServerID.Code, []byte{192, 0, 2, 1})
	m.Options.Put(dhcp4.LeaseTime.Code, []byte{0, 0, 14, 16})
	m.Options.Put(dhcp4.DNS.Code, []byte{192, 0, 2, 53})
	for code, value := range options {
		m.Options.Put(code, []byte(value))
	}
	return m
}

func TestHostileNamesReachNoResolver(t *testing.T) {
	const domain, search = 15, 119
	for name, tc := range map[string]struct {
		code  dhcp4.Code
		value string
	}{
		"a newline":            {domain, "example.com\nnameserver 203.0.113.66"},
		"a quote":              {domain, `example.com"; reboot; "`},
		"a command":            {domain, "$(reboot).example.com"},
		"300 bytes":            {domain, strings.Repeat("a23456789.", 30)},
		"a lone dot":           {domain, "."},
		"an option of a tool":  {domain, "-d"},
		"a search list's loop": {search, "\x03foo\xc0\x00"},
		"a pointer past it":    {search, "\x03foo\xc0\x7f"},
		"a newline in a label": {search, "\x05a\nb.c\x00"},
		"a command in a label": {search, "\x05$(id)\x00"},
		"an empty name":        {search, "\x00"},
		"a label of 64 bytes":  {search, "\x40" + strings.Repeat("a", 64) + "\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			l, notes, err := lease.FromACK(ack(map[dhcp4.Code]string{tc.code: tc.value}), time.Now())
			r.must(err)
			if len(l.Search) != 0 || l.Domain != "" || !strings.Contains(errors.Join(notes...).Error(), fmt.Sprintf("option %d ", uint8(tc.code))) {
				t.Errorf("%q, %q, %v", l.Search, l.Domain, notes)
			}
			before := r.state()
			h := r.open(Options{})
			r.must(r.apply(h, l))
			text, err := os.ReadFile(r.resolvConf())
			r.must(err)
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			if got := lines[len(lines)-1]; got != "nameserver 192.0.2.53" || !strings.HasPrefix(lines[len(lines)-2], "#") {
				t.Errorf("%q", lines)
			}
			r.withdraw(h, l)
			if after := r.state(); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

// N6, N7, N8, N9.
func TestServicesOfTheNetworkAreCarried(t *testing.T) {
	params := "\x00\x01\x00\x04\x03dot" + "\x00\x03\x00\x02\x22\x95"
	entry := func(priority byte, name, rest string) string {
		body := "\x00" + string(priority) + string(byte(len(name)+2)) + string(byte(len(name))) + name + "\x00" + rest
		return "\x00" + string(byte(len(body))) + body
	}
	for name, tc := range map[string]struct {
		options   map[dhcp4.Code]string
		portal    string
		encrypted string // as the resolver is told
		note      string
	}{
		"a portal":            {options: map[dhcp4.Code]string{114: "https://portal.example/api"}, portal: "https://portal.example/api"},
		"no portal":           {options: map[dhcp4.Code]string{114: "urn:ietf:params:capport:unrestricted"}},
		"a portal in clear":   {options: map[dhcp4.Code]string{114: "http://portal.example"}, portal: "http://portal.example", note: "not an https URI"},
		"a portal, a command": {options: map[dhcp4.Code]string{114: "https://x/`reboot`"}, note: "is no URI"},
		"a portal, a path":    {options: map[dhcp4.Code]string{114: "/etc/passwd"}, note: "is no URI"},
		"the old number":      {options: map[dhcp4.Code]string{160: "https://portal.example"}},
		"by priority": {options: map[dhcp4.Code]string{162: entry(2, "b", "\x04\xc0\x00\x02\x02"+params) + entry(1, "a", "\x04\xc0\x00\x02\x01"+params)},
			encrypted: "[{a [192.0.2.1] 8853} {b [192.0.2.2] 8853}]"},
		"by name alone":     {options: map[dhcp4.Code]string{162: entry(1, "a", "")}},
		"another protocol":  {options: map[dhcp4.Code]string{162: entry(1, "a", "\x04\xc0\x00\x02\x01"+"\x00\x01\x00\x03\x02h2")}},
		"a protocol's name": {options: map[dhcp4.Code]string{162: entry(1, "a", "\x04\xc0\x00\x02\x01"+"\x00\x01\x00\x04\x03\x1b[m")}, note: "option 162"},
		"hints":             {options: map[dhcp4.Code]string{162: entry(1, "a", "\x04\xc0\x00\x02\x01"+"\x00\x04\x00\x04\xc0\x00\x02\x09")}, note: "option 162"},
	} {
		t.Run(name, func(t *testing.T) {
			l, notes, err := lease.FromACK(ack(tc.options), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if l.CaptivePortal != tc.portal {
				t.Errorf("portal %q, want %q", l.CaptivePortal, tc.portal)
			}
			if text := fmt.Sprint(notes); !strings.Contains(text, tc.note) || tc.note == "" && len(notes) > 0 && !strings.Contains(text, "T1") {
				t.Errorf("notes %v, want %q", notes, tc.note)
			}
			if got := fmt.Sprint(PlanFor(l, Options{}).Resolv.Encrypted); got != tc.encrypted && (tc.encrypted != "" || got != "[]") {
				t.Errorf("%s, want %s", got, tc.encrypted)
			}
		})
	}
}
