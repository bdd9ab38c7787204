package dhcptest_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

func TestRulesDecideWhoIsAnswered(t *testing.T) {
	const silence = dhcp4.MessageType(0)
	for _, test := range []struct {
		name  string
		rules []dhcptest.Rule
		want  []dhcp4.MessageType // to one DHCPDISCOVER after the other
	}{
		{"none", nil, []dhcp4.MessageType{dhcp4.Offer, dhcp4.Offer}},
		{"Ignore", []dhcptest.Rule{dhcptest.Ignore}, []dhcp4.MessageType{silence, silence}},
		{"First", []dhcptest.Rule{dhcptest.First(2, dhcptest.Ignore)}, []dhcp4.MessageType{silence, silence, dhcp4.Offer, dhcp4.Offer}},
		{"After", []dhcptest.Rule{dhcptest.After(1, dhcptest.Ignore)}, []dhcp4.MessageType{dhcp4.Offer, silence, silence}},
		{"InTurn", []dhcptest.Rule{dhcptest.InTurn(dhcptest.Ignore, dhcptest.Pass, dhcptest.NAK("no"))}, []dhcp4.MessageType{silence, dhcp4.Offer, dhcp4.NAK, dhcp4.Offer}},
		{"Ignore, then NAK", []dhcptest.Rule{dhcptest.Ignore, dhcptest.NAK("no")}, []dhcp4.MessageType{dhcp4.NAK}},
		{"All", []dhcptest.Rule{dhcptest.InTurn(dhcptest.All(dhcptest.NAK("no"), dhcptest.Lose))}, []dhcp4.MessageType{silence, dhcp4.Offer}},
		{"When", []dhcptest.Rule{dhcptest.When(func(x *dhcptest.Exchange) bool { return x.Request.Secs > 0 }, dhcptest.Ignore)}, []dhcp4.MessageType{silence}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := dhcptest.New(t, dhcptest.Config{})
			s.On(dhcp4.Discover, test.rules...)
			for i, want := range test.want {
				got := silence
				if replies := s.Handle(noon, msg(dhcp4.Discover, alice)); len(replies) > 0 {
					got = one(t, replies).Message.Type()
				}
				if got != want {
					t.Errorf("request %d: %v, want %v", i+1, got, want)
				}
			}
			if m := one(t, s.Handle(noon, msg(dhcp4.Inform, alice, ciaddr(other)))).Message; m.Type() != dhcp4.ACK {
				t.Errorf("rules for DHCPDISCOVER touched a DHCPINFORM: %v", m)
			}
			s.Reset()
			if m := one(t, s.Handle(noon, msg(dhcp4.Discover, alice))).Message; m.Type() != dhcp4.Offer {
				t.Errorf("after Reset: %v", m)
			}
		})
	}
}

// Delays are exact: time is virtual.
func TestRepliesComeInTheirTime(t *testing.T) {
	bubble(t, func(t *testing.T, srv *dhcptest.Server, c *dhcptest.Conn) {
		srv.On(dhcp4.Discover, dhcptest.Repeat(3, time.Minute), dhcptest.Delay(3*time.Second))
		send(t, c, msg(dhcp4.Discover, alice))
		wantNext(t, c, dhcp4.Offer, 3*time.Second)
		wantNext(t, c, dhcp4.Offer, time.Minute)
		wantNext(t, c, dhcp4.Offer, time.Minute)
		wantSilence(t, c)
		srv.Reset()
		srv.On(dhcp4.Discover, dhcptest.Twice)
		send(t, c, msg(dhcp4.Discover, alice))
		wantNext(t, c, dhcp4.Offer, 0)
		wantNext(t, c, dhcp4.Offer, 0)
		wantSilence(t, c)
		if e := srv.Log()[1]; !e.Sent || e.Time.Sub(srv.Log()[0].Time) != 3*time.Second {
			t.Errorf("logged %v", e)
		}
	})
}

func TestALostReplyIsWrittenIntoTheBookAndARefusalIsNot(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{})
	a := one(t, s.Handle(noon, msg(dhcp4.Discover, alice))).Message.YIAddr
	request := func(server netip.Addr) []dhcptest.Reply {
		return s.Handle(noon, msg(dhcp4.Request, alice, with(dhcp4.RequestedAddr, a), with(dhcp4.ServerID, server)))
	}
	s.On(dhcp4.Request, dhcptest.NAK("wrong net"))
	nak := one(t, request(us)).Message
	if text, err := dhcp4.MessageText.Get(nak.Options); nak.Type() != dhcp4.NAK || err != nil || text != "wrong net" || len(s.Leases()) != 0 {
		t.Errorf("%v: %q, %v; leases %v", nak, text, err, s.Leases())
	}
	if got := request(other); got != nil {
		t.Errorf("refused what is for another server: %v", got[0].Message)
	}
	s.Reset()
	s.On(dhcp4.Request, dhcptest.Lose)
	if got := request(us); got != nil || len(s.Leases()) != 1 {
		t.Errorf("replies %v, leases %v", got, s.Leases())
	}
}

// ack returns the DHCPACK that alice gets under these rules.
func ack(t *testing.T, rules ...dhcptest.Rule) dhcptest.Reply {
	t.Helper()
	s := dhcptest.New(t, dhcptest.Config{T1: 1800})
	a := one(t, s.Handle(noon, msg(dhcp4.Discover, alice))).Message.YIAddr
	s.On(dhcp4.Request, rules...)
	r := one(t, s.Handle(noon, msg(dhcp4.Request, alice, with(dhcp4.RequestedAddr, a), with(dhcp4.ServerID, us))))
	if got := s.Leases(); len(got) != 1 || got[0].Addr != a || !got[0].Expiry.Equal(noon.Add(time.Hour)) {
		t.Errorf("a rule changed the book: %v", got)
	}
	return r
}

func TestRulesMakeServersLie(t *testing.T) {
	if r := ack(t, dhcptest.YIAddr(other)); r.Message.YIAddr != other || r.To.Addr != other {
		t.Errorf("YIAddr: %v to %v", r.Message, r.To)
	}
	if r := ack(t, dhcptest.WrongXID); r.Message.XID == 0x1234 || r.To.Hardware.String() != alice.String() {
		t.Errorf("WrongXID: %v to %v", r.Message, r.To)
	}
	if r := ack(t, dhcptest.WrongCHAddr); r.Message.CHAddr.String() == alice.String() || r.To.Hardware.String() != alice.String() {
		t.Errorf("WrongCHAddr: chaddr %v to %v", r.Message.CHAddr, r.To)
	}
	id := func(r dhcptest.Reply) netip.Addr {
		v, err := dhcp4.ServerID.Get(r.Message.Options)
		if err != nil {
			t.Error(err)
		}
		return v
	}
	if r := ack(t, dhcptest.From(other)); r.From != other || id(r) != other {
		t.Errorf("From: %v from %v", id(r), r.From)
	}
	if r := ack(t, dhcptest.WrongServerID(other)); r.From != us || id(r) != other {
		t.Errorf("WrongServerID: %v from %v", id(r), r.From)
	}
	r := ack(t, dhcptest.Put(dhcp4.LeaseTime, 0), dhcptest.Without(dhcp4.T1.Code), dhcptest.PutRaw(3, []byte{1, 2, 3}))
	if got, err := dhcp4.LeaseTime.Get(r.Message.Options); got != 0 || err != nil {
		t.Errorf("Put: %v, %v", got, err)
	}
	if _, err := dhcp4.T1.Get(r.Message.Options); !errors.Is(err, dhcp4.ErrUnset) {
		t.Errorf("Without: %v", err)
	}
	var malformed *dhcp4.MalformedError
	if _, err := dhcp4.Routers.Get(r.Message.Options); !errors.As(err, &malformed) {
		t.Errorf("PutRaw: %v", err)
	}
	if r := ack(t, dhcptest.ToAll, dhcptest.ToPort(1068)); r.To.Addr != netip.MustParseAddr("255.255.255.255") || r.To.Hardware != nil || r.To.Port != 1068 {
		t.Errorf("ToAll, ToPort: %+v", r.To)
	}
}

// A rule that changes one copy must leave the other alone.
func TestRepeatedRepliesAreChangedOneByOne(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{})
	var n uint32
	s.Always(dhcptest.Twice, dhcptest.Mutate(func(m *dhcp4.Message) { n++; m.XID = n }))
	got := s.Handle(noon, msg(dhcp4.Discover, alice))
	if len(got) != 2 || got[0].Message.XID != 1 || got[1].Message.XID != 2 {
		t.Errorf("got %v", got)
	}
}

func TestATestMayAnswerByItself(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{})
	s.On(dhcp4.Discover, dhcptest.Answer(func(x *dhcptest.Exchange) []dhcptest.Reply {
		return []dhcptest.Reply{x.NAK("first"), x.Reply(dhcp4.Offer)}
	}))
	got := s.Handle(noon, msg(dhcp4.Discover, alice))
	if len(got) != 2 || got[0].Message.Type() != dhcp4.NAK || got[1].Message.Type() != dhcp4.Offer {
		t.Errorf("got %v", got)
	}
}
