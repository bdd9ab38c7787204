package dhcptest_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

// The actors of these tests.
var (
	alice = dhcp4.HardwareAddr{2, 0, 0, 0, 0, 0xa}
	bob   = dhcp4.HardwareAddr{2, 0, 0, 0, 0, 0xb}
	us    = netip.MustParseAddr("192.0.2.1")
	other = netip.MustParseAddr("192.0.2.250")
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// msg returns a client's message; edits fill it in.
func msg(t dhcp4.MessageType, who dhcp4.HardwareAddr, edits ...func(*dhcp4.Message)) *dhcp4.Message {
	m := &dhcp4.Message{Op: dhcp4.OpRequest, HType: dhcp4.HTypeEthernet, XID: 0x1234, Secs: 7, CHAddr: who}
	m.Options.Put(dhcp4.MsgType.Code, []byte{byte(t)})
	for _, edit := range edits {
		edit(m)
	}
	return m
}

// with sets an option.
func with[T any](opt dhcp4.Option[T], v T) func(*dhcp4.Message) {
	return func(m *dhcp4.Message) {
		if err := opt.Put(&m.Options, v); err != nil {
			panic(err)
		}
	}
}

func ciaddr(a netip.Addr) func(*dhcp4.Message) { return func(m *dhcp4.Message) { m.CIAddr = a } }
func giaddr(a netip.Addr) func(*dhcp4.Message) { return func(m *dhcp4.Message) { m.GIAddr = a } }
func wantsBroadcast(m *dhcp4.Message)          { m.Flags = dhcp4.FlagBroadcast }

// one returns the only reply.
func one(t *testing.T, replies []dhcptest.Reply) dhcptest.Reply {
	t.Helper()
	if len(replies) != 1 {
		t.Fatalf("%d replies, want 1", len(replies))
	}
	return replies[0]
}

// lease takes who through DISCOVER and REQUEST at now.
func lease(t *testing.T, s *dhcptest.Server, who dhcp4.HardwareAddr, now time.Time) netip.Addr {
	t.Helper()
	a := one(t, s.Handle(now, msg(dhcp4.Discover, who))).Message.YIAddr
	ack := one(t, s.Handle(now, msg(dhcp4.Request, who, with(dhcp4.RequestedAddr, a), with(dhcp4.ServerID, us)))).Message
	if ack.Type() != dhcp4.ACK || ack.YIAddr != a {
		t.Fatalf("%v, want a DHCPACK of %v", ack, a)
	}
	return a
}

func TestALeaseIsOfferedThenGranted(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{})
	a := lease(t, s, alice, noon)
	b := lease(t, s, bob, noon)
	if a == b || a == us || b == us {
		t.Errorf("alice has %v, bob %v, the server %v", a, b, us)
	}
	got := s.Leases()
	if len(got) != 2 || got[0].Addr != a || !got[0].Expiry.Equal(noon.Add(time.Hour)) || got[0].HardwareAddr.String() != alice.String() {
		t.Errorf("leases: %+v", got)
	}
}

// RFC 2131, section 4.3.1: the current address, then the one it had before,
// then the one it asks for, then a new one.
func TestTheOfferedAddressIsTheOneTheClientKnows(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{})
	wanted := netip.MustParseAddr("192.0.2.77")
	ask := with(dhcp4.RequestedAddr, wanted)
	if got := one(t, s.Handle(noon, msg(dhcp4.Discover, alice, ask))).Message.YIAddr; got != wanted {
		t.Errorf("asked for %v, offered %v", wanted, got)
	}
	if got := one(t, s.Handle(noon, msg(dhcp4.Discover, bob, ask))).Message.YIAddr; got == wanted {
		t.Error("bob was offered what waits for alice")
	}
	a := lease(t, s, bob, noon)
	later := noon.Add(2 * time.Hour) // expired
	if got := one(t, s.Handle(later, msg(dhcp4.Discover, bob, ask))).Message.YIAddr; got != a {
		t.Errorf("bob had %v, is offered %v", a, got)
	}
}

func TestAnOfferThatNobodyTakesIsFreeAgain(t *testing.T) {
	two := netip.MustParseAddr("192.0.2.2")
	s := dhcptest.New(t, dhcptest.Config{First: two, Last: two})
	s.Handle(noon, msg(dhcp4.Discover, alice))
	if got := s.Handle(noon.Add(59*time.Second), msg(dhcp4.Discover, bob)); got != nil {
		t.Fatalf("bob was offered %v, which waits for alice", got[0].Message)
	}
	one(t, s.Handle(noon.Add(time.Minute), msg(dhcp4.Discover, bob)))
	r := one(t, s.Handle(noon.Add(time.Minute), msg(dhcp4.Request, alice, with(dhcp4.RequestedAddr, two), with(dhcp4.ServerID, us))))
	if r.Message.Type() != dhcp4.NAK {
		t.Errorf("alice, too late, got %v", r.Message)
	}
}

func TestAClientThatChoosesAnotherServerFreesTheOffer(t *testing.T) {
	two := netip.MustParseAddr("192.0.2.2")
	s := dhcptest.New(t, dhcptest.Config{First: two, Last: two})
	s.Handle(noon, msg(dhcp4.Discover, alice))
	if got := s.Handle(noon, msg(dhcp4.Request, alice, with(dhcp4.RequestedAddr, two), with(dhcp4.ServerID, other))); got != nil {
		t.Fatalf("answered what is for another server: %v", got[0].Message)
	}
	one(t, s.Handle(noon, msg(dhcp4.Discover, bob)))
}

// RFC 2131, section 4.3.2.
func TestAClientThatBelievesItHasAnAddress(t *testing.T) {
	const silence = dhcp4.MessageType(0)
	right, wrong := netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	elsewhere := netip.MustParseAddr("198.51.100.9")
	for _, test := range []struct {
		name          string
		who           dhcp4.HardwareAddr
		addr          netip.Addr
		authoritative bool
		want          dhcp4.MessageType
	}{
		{"the right address", alice, right, false, dhcp4.ACK},
		{"another address", alice, wrong, false, dhcp4.NAK},
		{"the wrong network", alice, elsewhere, false, dhcp4.NAK},
		{"an unknown client", bob, wrong, false, silence},
		{"an unknown client with another's address", bob, right, false, silence},
		{"an unknown client, authoritative", bob, wrong, true, dhcp4.NAK},
		{"an unknown client of the wrong network", bob, elsewhere, false, dhcp4.NAK},
	} {
		for state, fill := range map[string]func(*dhcp4.Message){
			"INIT-REBOOT": with(dhcp4.RequestedAddr, test.addr), "RENEWING": ciaddr(test.addr),
		} {
			t.Run(state+" "+test.name, func(t *testing.T) {
				s := dhcptest.New(t, dhcptest.Config{Authoritative: test.authoritative})
				lease(t, s, alice, noon)
				got := silence
				if replies := s.Handle(noon.Add(30*time.Minute), msg(dhcp4.Request, test.who, fill)); len(replies) > 0 {
					got = one(t, replies).Message.Type()
				}
				if got != test.want {
					t.Errorf("got %v, want %v", got, test.want)
				}
				if got == dhcp4.ACK && !s.Leases()[0].Expiry.Equal(noon.Add(90*time.Minute)) {
					t.Errorf("not extended: %+v", s.Leases())
				}
			})
		}
	}
}

func TestDeclineTakesTheAddressOutOfThePool(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{})
	a := lease(t, s, alice, noon)
	if got := s.Handle(noon, msg(dhcp4.Decline, bob, with(dhcp4.RequestedAddr, a), with(dhcp4.ServerID, us))); got != nil || len(s.Declined()) != 0 {
		t.Fatal("bob declined alice's address")
	}
	if got := s.Handle(noon, msg(dhcp4.Decline, alice, with(dhcp4.RequestedAddr, a), with(dhcp4.ServerID, us))); got != nil {
		t.Errorf("answered: %v", got[0].Message)
	}
	if !slices.Equal(s.Declined(), []netip.Addr{a}) || len(s.Leases()) != 0 {
		t.Errorf("declined: %v, leases: %v", s.Declined(), s.Leases())
	}
	if b := lease(t, s, alice, noon); b == a {
		t.Errorf("%v is given again", a)
	}
}

func TestReleaseFreesTheAddressButRemembersTheClient(t *testing.T) {
	two := netip.MustParseAddr("192.0.2.2")
	s := dhcptest.New(t, dhcptest.Config{First: two, Last: two})
	lease(t, s, alice, noon)
	s.Handle(noon, msg(dhcp4.Release, alice, ciaddr(two), with(dhcp4.ServerID, other)))
	if len(s.Leases()) != 1 {
		t.Fatal("released at another server")
	}
	if got := s.Handle(noon, msg(dhcp4.Release, alice, ciaddr(two), with(dhcp4.ServerID, us))); got != nil || len(s.Leases()) != 0 {
		t.Fatalf("replies: %v, leases: %v", got, s.Leases())
	}
	if got := s.Handle(noon, msg(dhcp4.Request, alice, with(dhcp4.RequestedAddr, two))); got != nil {
		t.Errorf("INIT-REBOOT with a released address: %v", got[0].Message)
	}
	lease(t, s, bob, noon)
}

func TestAServerThatForgetsKnowsNobody(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{})
	a := lease(t, s, alice, noon)
	s.Forget()
	if got := s.Handle(noon, msg(dhcp4.Request, alice, ciaddr(a))); got != nil {
		t.Errorf("got %v", got[0].Message)
	}
}

func TestARenumberedNetworkRefusesOldAddresses(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{})
	a := lease(t, s, alice, noon)
	err := s.Change(func(c *dhcptest.Config) {
		*c = dhcptest.Config{ID: c.ID, Prefix: netip.MustParsePrefix("198.51.100.0/24")}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := one(t, s.Handle(noon, msg(dhcp4.Request, alice, ciaddr(a)))).Message; got.Type() != dhcp4.NAK {
		t.Errorf("got %v", got)
	}
	if got := lease(t, s, alice, noon); got != netip.MustParseAddr("198.51.100.1") {
		t.Errorf("new address %v", got)
	}
	if err := s.Change(func(c *dhcptest.Config) { c.Last = us }); err == nil {
		t.Error("a pool outside of the network was accepted")
	}
}

func TestFixedAddressesBelongToTheirClient(t *testing.T) {
	hers := netip.MustParseAddr("192.0.2.2")
	s := dhcptest.New(t, dhcptest.Config{Fixed: map[string]netip.Addr{alice.String(): hers}})
	if got := lease(t, s, bob, noon); got == hers {
		t.Errorf("bob got %v", got)
	}
	if got := lease(t, s, alice, noon); got != hers {
		t.Errorf("alice got %v", got)
	}
}

func TestClientsAreToldApartByIdentifier(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{})
	id := func(n byte) func(*dhcp4.Message) { return with(dhcp4.ClientIdentifier, dhcp4.ClientID{0, n}) }
	offer := func(who dhcp4.HardwareAddr, n byte) netip.Addr {
		return one(t, s.Handle(noon, msg(dhcp4.Discover, who, id(n)))).Message.YIAddr
	}
	if offer(alice, 1) != offer(bob, 1) {
		t.Error("one identifier, two addresses")
	}
	if offer(alice, 1) == offer(alice, 2) {
		t.Error("two identifiers, one address")
	}
}

func TestConfigThatMakesNoSenseIsRefused(t *testing.T) {
	for name, cfg := range map[string]dhcptest.Config{
		"no hosts":      {Prefix: netip.MustParsePrefix("192.0.2.0/31")},
		"IPv6":          {Prefix: netip.MustParsePrefix("2001:db8::/64")},
		"IPv6 server":   {ID: netip.MustParseAddr("2001:db8::1")},
		"pool reversed": {First: other, Last: us},
		"pool outside":  {First: netip.MustParseAddr("198.51.100.1")},
	} {
		if _, err := dhcptest.NewServer(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
