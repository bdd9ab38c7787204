package hook

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// checkEnv fails if anything in an environment means something to a shell.
func checkEnv(t *testing.T, e env) {
	t.Helper()
	seen := map[string]bool{}
	for _, v := range e {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" || seen[name] {
			t.Errorf("a variable %q", v)
		}
		seen[name] = true
		if value == "" || strings.ContainsAny(value, "\n\r\t\v\f\x00`$'\"\\;&|<>(){}[]*?!#~%^") || value[0] == '-' || strings.Contains(value, " -") {
			t.Errorf("%s has the value %q", name, value)
		}
		for i := range len(value) {
			if value[i] < ' ' || value[i] > '~' {
				t.Errorf("%s has the value %q", name, value)
			}
		}
	}
}

// checkCalls makes calls of every kind for a lease.
func checkCalls(t *testing.T, l *lease.Lease, text string) {
	t.Helper()
	for _, style := range []Style{UDHCPC, DHClient} {
		for _, reason := range []Reason{ReasonRenew, ReasonTimeout, ReasonExpire, ReasonNAK} {
			c := &call{style: style, reason: reason, link: "eth0", old: l, new: l, mtu: true, now: start, text: text}
			args, e := c.program()
			checkEnv(t, e)
			if len(args) > 1 || len(args) == 1 && strings.Trim(args[0], "abcdefghijklmnopqrstuvwxyz") != "" {
				t.Errorf("arguments %q", args)
			}
		}
	}
	e := &Event{Name: Bound, Interface: "eth0", State: text, Text: text, Lease: l, Former: l, Holder: text}
	checkEnv(t, e.environment())
	if line, err := e.JSON(); err != nil || strings.Count(string(line), "\n") != 1 {
		t.Errorf("%q, %v", line, err)
	}
}

// Whatever a server sends, nothing in the environment means anything to a shell.
func FuzzNothingForAShellFromAServer(f *testing.F) {
	m := &dhcp4.Message{Op: dhcp4.OpReply, YIAddr: netip.MustParseAddr("192.0.2.77"), Options: sampleLease().Options}
	good, err := m.Append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, uint8(0), []byte(nil))
	for _, c := range []uint8{12, 15, 17, 40, 43, 56, 60, 66, 67, 100, 114, 119, 121, 209, 224, 249, 252} {
		f.Add(good, c, []byte("x'; $(touch pwned)`\n-rf\x00\xff\\"))
		f.Add(good, c, []byte("-rf"))
		f.Add(good, c, []byte("a -b"))
		for _, sign := range "\n;$`'\"\\&|<>(){}[]*?!#~%^" {
			f.Add(good, c, []byte("a"+string(sign)+"b"))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, code uint8, value []byte) {
		m, err := dhcp4.Parse(b)
		if err != nil {
			return
		}
		m.Options.Put(dhcp4.Code(code), value)
		l, _, err := lease.FromACK(m, start)
		if err != nil {
			return
		}
		checkCalls(t, &l, string(value))
	})
}

// The same for a lease that nobody has checked, as a mistake of ours might let
// one through.
func FuzzNothingForAShellFromALease(f *testing.F) {
	f.Add("example.com", "host-1", "a.example", uint32(3600), uint8(24))
	f.Add("$(reboot)", "a;b", "x\ny", uint32(0), uint8(0))
	f.Add("-rf", "`id`", "a -b", ^uint32(0), uint8(255))
	f.Fuzz(func(t *testing.T, domain, host, search string, seconds uint32, bits uint8) {
		l := *sampleLease()
		l.Domain, l.HostName, l.Search = domain, host, []string{search, domain, "good.example"}
		l.Addr = netip.PrefixFrom(l.Addr.Addr(), int(bits%33))
		l.Expiry = l.Start.Add(time.Duration(seconds) * time.Second)
		if seconds == 0 {
			l.Expiry = time.Time{}
		}
		checkCalls(t, &l, domain+host+search)
	})
}
