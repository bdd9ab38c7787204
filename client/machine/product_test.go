package machine

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lessee/lessee/client/dhcp4"
)

// paths lead to every state, as a story would.
var paths = []struct {
	state State
	story string
}{
	{Idle, ""},
	{Init, "config initial-delay=10s\n0s start"},
	{Selecting, "0s start"},
	{Requesting, requesting},
	{InitReboot, "config initial-delay=10s\n0s remember 192.0.2.77/24 from 192.0.2.1 -1m 1h"},
	{Rebooting, "0s remember 192.0.2.77/24 from 192.0.2.1 -1m 1h"},
	{Checking, checking},
	{Applying, applying},
	{Bound, bound},
	{Renewing, bound + "2s renew\n"},
	{Rebinding, bound + "2s rebind\n"},
	{Informing, "0s inform 192.0.2.9/24"},
}

const (
	requesting = "0s start\n0s offer 192.0.2.77/24 from 192.0.2.1 dhcp-lease-time=3600\n"
	checking   = requesting + "0s ack 192.0.2.77/24 from 192.0.2.1 dhcp-lease-time=3600\n"
	applying   = checking + "1s probed 192.0.2.77\n"
	bound      = applying + "1s applied\n"
)

// productInputs are one of each input; messages are such as the state could
// believe.
func productInputs(s *story) []struct {
	name string
	in   Input
} {
	addr := netip.MustParseAddr("192.0.2.77")
	message := func(verb, args string) Input {
		if s.last == nil {
			s.last = &dhcp4.Message{CHAddr: s.cfg.Link.CHAddr}
		}
		return Received{Message: s.message(verb, strings.Fields(args))}
	}
	remembered := s.lease(strings.Fields("192.0.2.77/24 from 192.0.2.1 -1m 1h"))
	holder := dhcp4.HardwareAddr{2, 0, 0, 0, 0, 9}
	return []struct {
		name string
		in   Input
	}{
		{"start", Start{}},
		{"start remembered", Start{Remembered: remembered}},
		{"start held", Start{Remembered: remembered, Held: true}},
		{"adopt", Adopt{Lease: remembered}},
		{"inform", Inform{Addr: netip.MustParsePrefix("192.0.2.9/24")}},
		{"timeout", Timeout{}},
		{"offer", message("offer", "192.0.2.77/24 from 192.0.2.1 dhcp-lease-time=3600")},
		{"ack", message("ack", "192.0.2.77/24 from 192.0.2.1 dhcp-lease-time=3600")},
		{"nak", message("nak", "- from 192.0.2.1")},
		{"probed free", Probed{Addr: addr}},
		{"probed conflict", Probed{Addr: addr, Holder: holder}},
		{"probed error", Probed{Addr: addr, Err: errors.New("no ARP")}},
		{"applied", Applied{Lease: s.m.lease}},
		{"applied error", Applied{Lease: s.m.lease, Err: errors.New("no room")}},
		{"conflicted", Conflicted{Addr: addr, Holder: holder}},
		{"link down", LinkChanged{Up: false}},
		{"link up", LinkChanged{Up: true}},
		{"renew", Renew{}},
		{"rebind", Rebind{}},
		{"reacquire", Reacquire{}},
		{"reapply", Reapply{}},
		{"pause", Pause{}},
		{"resume", Resume{}},
		{"release", Release{}},
		{"leave", Leave{}},
		{"stop", Stop{}},
	}
}

// TestEveryStateAnswersEveryInput walks the whole product of states and inputs
// and compares the answers with a table that a person has read.
func TestEveryStateAnswersEveryInput(t *testing.T) {
	const file = "testdata/product.golden"
	var b strings.Builder
	for _, p := range paths {
		fmt.Fprintf(&b, "%v\n", p.state)
		for i := range productInputs(at(t, p.state, p.story)) {
			s := at(t, p.state, p.story)
			in := productInputs(s)[i]
			var kinds []string
			for _, out := range s.m.Step(epoch.Add(3e9), in.in) {
				kinds = append(kinds, kind(out))
			}
			if len(kinds) == 0 {
				kinds = []string{"nothing"}
			}
			fmt.Fprintf(&b, "    %-17s %-11v %s\n", in.name, s.m.State(), strings.Join(kinds, ", "))
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("-%s +machine\n%s", file, diff)
	}
}

// at returns a story that has come to the given state.
func at(t *testing.T, state State, path string) *story {
	s := newStory(t)
	for line := range strings.Lines(path) {
		words := strings.Fields(line)
		if words[0] == "config" {
			s.config(words[1:])
			continue
		}
		s.input(words)
	}
	if s.m == nil {
		m, err := New(s.cfg)
		if err != nil {
			t.Fatal(err)
		}
		s.m = m
	}
	if s.m.State() != state {
		t.Fatalf("the path to %v leads to %v", state, s.m.State())
	}
	return s
}

// kind is an output in a word or two.
func kind(out Output) string {
	switch out := out.(type) {
	case Send:
		return out.Message.Type().String()
	case Drop:
		return "drop (" + string(out.Reason) + ")"
	case Report:
		return "report (" + string(out.Cause) + ")"
	default:
		return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", out), "machine."))
	}
}

// TestC10TheOrderOfOffersDoesNotMatter gives the same offers in every order.
func TestC10TheOrderOfOffersDoesNotMatter(t *testing.T) {
	offers := []string{
		"192.0.2.50/24 from 192.0.2.4 dhcp-lease-time=3600",
		"192.0.2.77/24 from 192.0.2.3 dhcp-lease-time=3600", // the former address
		"192.0.2.51/24 from 192.0.2.1 dhcp-lease-time=3600", // the former server
		"192.0.2.52/24 from 192.0.2.2 dhcp-lease-time=0",
		"192.0.2.53/24 from 192.0.2.1 dhcp-lease-time=3600",
	}
	var permute func(done, left []string)
	permute = func(done, left []string) {
		if len(left) == 0 {
			s := at(t, Selecting, "config offer-wait=1s\n0s remember 192.0.2.77/24 from 192.0.2.1 -2h 1h\n")
			for _, o := range done {
				s.m.Step(epoch, Received{Message: s.message("offer", strings.Fields(o))})
			}
			s.m.Step(s.m.Deadline(), Timeout{})
			if got := s.m.chosen.Addr.Addr().String(); got != "192.0.2.77" {
				t.Fatalf("%q: chosen %s", done, got)
			}
		}
		for i := range left {
			rest := append(append([]string(nil), left[:i]...), left[i+1:]...)
			permute(append(done[:len(done):len(done)], left[i]), rest)
		}
	}
	permute(nil, offers)
}

func TestConfigurationThatCannotWorkIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no randomness":      func(c *Config) { c.Rand = nil },
		"H7":                 func(c *Config) { c.Link.CHAddr, c.ClientID = nil, nil },
		"H5":                 func(c *Config) { c.ClientID = dhcp4.ClientID{1} },
		"B19":                func(c *Config) { c.Options.Put(82, []byte{1}) },
		"rapid commit":       func(c *Config) { c.Options.Put(80, nil) },
		"a host name":        func(c *Config) { c.HostName = "a b" },
		"an empty class":     func(c *Config) { c.UserClass = [][]byte{{}} },
		"an empty list":      func(c *Config) { c.Parameters = []dhcp4.Code{} },
		"an IPv6 address":    func(c *Config) { c.RequestAddr = netip.MustParseAddr("2001:db8::1") },
		"a wait below 0":     func(c *Config) { c.OfferWait = -time.Second },
		"another one":        func(c *Config) { c.NoServerAfter = -1 },
		"a hardware address": func(c *Config) { c.Link.CHAddr = make(dhcp4.HardwareAddr, 17) },
	} {
		cfg := testConfig()
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
