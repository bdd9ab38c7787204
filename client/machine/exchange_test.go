package machine

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
)

// Hosts that begin at the same instant differ in nothing but their randomness,
// and an exchange tells nothing of the next one.
func TestA14XIDsAreAsRandomAsTheSource(t *testing.T) {
	seen := map[uint32]bool{}
	for seed := range uint64(samples) {
		m := seeded(t, seed)
		for range 2 {
			for _, out := range m.Step(epoch, Reacquire{}) {
				if s, ok := out.(Send); ok {
					seen[s.Message.XID] = true
				}
			}
			m.Step(epoch, Stop{})
		}
	}
	if len(seen) < 2*samples-10 {
		t.Errorf("%d different xids in %d exchanges", len(seen), 2*samples)
	}
}

func TestH6AnIdentifierThatWasNotSentIsNotOurs(t *testing.T) {
	m := seeded(t, 1, func(c *Config) { c.ClientID = nil })
	m.Step(epoch, Start{})
	msg := &dhcp4.Message{Op: dhcp4.OpReply, XID: m.xid, CHAddr: m.cfg.Link.CHAddr}
	put(dhcp4.MsgType, msg, dhcp4.Offer)
	if got := m.refuse(msg); got != "" {
		t.Errorf("without an identifier: %s", got)
	}
	put(dhcp4.ClientIdentifier, msg, dhcp4.ClientID{1, 2})
	if got := m.refuse(msg); got != WrongClientID {
		t.Errorf("with somebody's identifier: %q, want %q", got, WrongClientID)
	}
	msg.Options.Put(dhcp4.ClientIdentifier.Code, []byte{1})
	if got := m.refuse(msg); got != WrongClientID {
		t.Errorf("with half an identifier: %q, want %q", got, WrongClientID)
	}
}

func TestB12G1TheMaskAndClasslessRoutesAreAskedForFirst(t *testing.T) {
	m := seeded(t, 1, func(c *Config) { c.Parameters = []dhcp4.Code{33, 3, 6, 121, 3, 1, 42} })
	m.Step(epoch, Start{})
	got, err := dhcp4.ParameterList.Get(m.compose(dhcp4.Discover).Options)
	if want := []dhcp4.Code{1, 121, 33, 3, 6, 42}; err != nil || !slices.Equal(got, want) {
		t.Errorf("list %d, %v, want %d", got, err, want)
	}
}

// What was remembered had the option.
func TestC11AConfirmationWithoutARequiredOptionIsNone(t *testing.T) {
	s := at(t, Idle, "config require=ntp-servers\n")
	l := s.lease(strings.Fields("192.0.2.77/24 from 192.0.2.1 -1m 1h"))
	if err := dhcp4.NTPServers.Put(&l.Options, []netip.Addr{l.Server}); err != nil {
		t.Fatal(err)
	}
	s.step(epoch, Start{Remembered: l})
	const ack = "192.0.2.77/24 from 192.0.2.1 dhcp-lease-time=3600"
	for _, tc := range []struct {
		ack  string
		want State
	}{{ack, Rebooting}, {ack + " ntp-servers=192.0.2.1", Checking}} {
		s.step(epoch, Received{Message: s.message("ack", strings.Fields(tc.ack))})
		if got := s.m.State(); got != tc.want {
			t.Errorf("after %q: %v, want %v\n%s", tc.ack, got, tc.want, s.out.String())
		}
	}
	if !strings.Contains(s.out.String(), string(LacksOption)) {
		t.Errorf("no word of why:\n%s", s.out.String())
	}
}

// An answer may come when what it answers is over.
func TestAnswersOfThePastChangeNothing(t *testing.T) {
	s := at(t, Checking, checking)
	if out := s.m.Step(epoch, Probed{Addr: netip.MustParseAddr("192.0.2.78")}); len(out) > 0 || s.m.State() != Checking {
		t.Errorf("a verdict about another address: %v, %v", s.m.State(), out)
	}
	s = at(t, Applying, applying)
	old := s.m.lease
	old.Start = old.Start.Add(-1)
	if out := s.m.Step(epoch, Applied{Lease: old}); len(out) > 0 || s.m.State() != Applying {
		t.Errorf("the end of an earlier Apply: %v, %v", s.m.State(), out)
	}
}

func TestH8NoHostNameBesideAnFQDN(t *testing.T) {
	m := seeded(t, 1, func(c *Config) {
		c.HostName = "host"
		if err := dhcp4.FQDN.Put(&c.Options, dhcp4.ClientFQDN{Flags: dhcp4.FQDNEncoded, Name: "host.example"}); err != nil {
			t.Fatal(err)
		}
	})
	m.Step(epoch, Start{})
	msg := m.compose(dhcp4.Discover)
	if _, both := msg.Options.Lookup(dhcp4.HostName.Code); both {
		t.Errorf("option 12 beside 81: %v", msg.Dump())
	}
	if _, err := dhcp4.FQDN.Get(msg.Options); err != nil {
		t.Errorf("option 81: %v", err)
	}
}
