package dhcptest_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

var template = dhcptest.MustOptions("routers=192.0.2.1", "domain-name-servers=192.0.2.53,192.0.2.54", "interface-mtu=1400")

// RFC 2131, table 3: fields and options used by DHCP servers.
func TestRepliesKeepTable3(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{Options: template, T1: 1800, T2: 3150})
	a := lease(t, s, alice, noon)
	relay := netip.MustParseAddr("192.0.2.99")
	list := with(dhcp4.ParameterList, []dhcp4.Code{6, 1, 3})
	asked := with(dhcp4.RequestedAddr, a)
	for _, test := range []struct {
		name           string
		request        *dhcp4.Message
		reply          dhcp4.MessageType
		ciaddr, yiaddr netip.Addr
		options        []dhcp4.Code
	}{
		{"DHCPOFFER", msg(dhcp4.Discover, alice, list), dhcp4.Offer, netip.Addr{}, a, []dhcp4.Code{53, 54, 51, 58, 59, 6, 1, 3}},
		{"DHCPACK, selecting", msg(dhcp4.Request, alice, list, asked, with(dhcp4.ServerID, us)), dhcp4.ACK, netip.Addr{}, a, []dhcp4.Code{53, 54, 51, 58, 59, 6, 1, 3}},
		{"DHCPACK, renewing", msg(dhcp4.Request, alice, list, ciaddr(a)), dhcp4.ACK, a, a, []dhcp4.Code{53, 54, 51, 58, 59, 6, 1, 3}},
		{"DHCPACK of DHCPINFORM", msg(dhcp4.Inform, bob, list, ciaddr(other)), dhcp4.ACK, other, netip.Addr{}, []dhcp4.Code{53, 54, 6, 1, 3}},
		{"DHCPNAK", msg(dhcp4.Request, alice, list, with(dhcp4.RequestedAddr, other)), dhcp4.NAK, netip.Addr{}, netip.Addr{}, []dhcp4.Code{53, 54, 56}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.request.Flags, test.request.GIAddr, test.request.Hops = dhcp4.FlagBroadcast, relay, 3
			m := one(t, s.Handle(noon, test.request)).Message
			if m.Op != dhcp4.OpReply || m.HType != 1 || m.Hops != 0 || m.Secs != 0 || m.XID != 0x1234 ||
				m.Flags != dhcp4.FlagBroadcast || m.GIAddr != relay || m.CHAddr.String() != alice.String() && test.name != "DHCPACK of DHCPINFORM" {
				t.Errorf("fields: %+v", m)
			}
			if m.Type() != test.reply || m.CIAddr != test.ciaddr || m.YIAddr != test.yiaddr || m.SIAddr.IsValid() {
				t.Errorf("%v with ciaddr %v, yiaddr %v, siaddr %v", m.Type(), m.CIAddr, m.YIAddr, m.SIAddr)
			}
			if got := codes(m); !slices.Equal(got, test.options) {
				t.Errorf("options %v, want %v", got, test.options)
			}
		})
	}
}

func codes(m *dhcp4.Message) (out []dhcp4.Code) {
	for _, o := range m.Options {
		out = append(out, o.Code)
	}
	return out
}

func TestOptionsAreThoseAskedFor(t *testing.T) {
	for _, test := range []struct {
		name  string
		cfg   dhcptest.Config
		edits []func(*dhcp4.Message)
		want  []dhcp4.Code
	}{
		{"a list", dhcptest.Config{Options: template}, []func(*dhcp4.Message){with(dhcp4.ParameterList, []dhcp4.Code{26, 12, 3})}, []dhcp4.Code{53, 54, 51, 26, 3}},
		{"no list", dhcptest.Config{Options: template}, nil, []dhcp4.Code{53, 54, 51, 1, 3, 6, 26}},
		{"forced", dhcptest.Config{Options: template, ForceOptions: true}, []func(*dhcp4.Message){with(dhcp4.ParameterList, []dhcp4.Code{26})}, []dhcp4.Code{53, 54, 51, 26, 1, 3, 6}},
		{"identifier and relay", dhcptest.Config{}, []func(*dhcp4.Message){
			with(dhcp4.ParameterList, []dhcp4.Code{1}), with(dhcp4.RelayAgent, []byte{1, 1, 7}), with(dhcp4.ClientIdentifier, dhcp4.ClientID{0, 1}),
		}, []dhcp4.Code{53, 54, 51, 1, 61, 82}},
		{"identifier left out", dhcptest.Config{OmitClientID: true}, []func(*dhcp4.Message){
			with(dhcp4.ParameterList, []dhcp4.Code{1}), with(dhcp4.ClientIdentifier, dhcp4.ClientID{0, 1}),
		}, []dhcp4.Code{53, 54, 51, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := one(t, dhcptest.New(t, test.cfg).Handle(noon, msg(dhcp4.Discover, alice, test.edits...))).Message
			if got := codes(m); !slices.Equal(got, test.want) {
				t.Errorf("options %v, want %v", got, test.want)
			}
		})
	}
}

func TestTheSubnetMaskIsThePrefixes(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{Prefix: netip.MustParsePrefix("198.51.96.0/21")})
	m := one(t, s.Handle(noon, msg(dhcp4.Discover, alice))).Message
	if bits, err := dhcp4.SubnetMask.Get(m.Options); err != nil || bits != 21 {
		t.Errorf("mask /%d, %v", bits, err)
	}
}

// RFC 6842, section 3: DHCPNAK too.
func TestANAKEchoesTheClientIdentifier(t *testing.T) {
	id := dhcp4.ClientID{255, 1, 2, 3, 4}
	m := one(t, dhcptest.New(t, dhcptest.Config{Authoritative: true}).Handle(noon,
		msg(dhcp4.Request, alice, with(dhcp4.RequestedAddr, other), with(dhcp4.ClientIdentifier, id)))).Message
	if got, err := dhcp4.ClientIdentifier.Get(m.Options); err != nil || got.String() != id.String() {
		t.Errorf("%v: identifier %v, %v", m, got, err)
	}
}

// RFC 2131, section 4.1: how replies are addressed.
func TestRepliesGoWhereTheProtocolSays(t *testing.T) {
	var (
		all   = netip.MustParseAddr("255.255.255.255")
		relay = netip.MustParseAddr("192.0.2.99")
		first = netip.MustParseAddr("192.0.2.2")
		nak   = with(dhcp4.RequestedAddr, netip.MustParseAddr("198.51.100.9"))
	)
	for _, test := range []struct {
		name    string
		request *dhcp4.Message
		want    dhcptest.Destination
	}{
		{"by the relay", msg(dhcp4.Discover, alice, giaddr(relay), wantsBroadcast), dhcptest.Destination{Addr: relay, Port: 67}},
		{"NAK by the relay", msg(dhcp4.Request, alice, giaddr(relay), nak), dhcptest.Destination{Addr: relay, Port: 67}},
		{"NAK to all", msg(dhcp4.Request, alice, ciaddr(netip.MustParseAddr("198.51.100.9"))), dhcptest.Destination{Addr: all, Port: 68}},
		{"to ciaddr", msg(dhcp4.Inform, alice, ciaddr(other), wantsBroadcast), dhcptest.Destination{Addr: other, Port: 68}},
		{"broadcast by the flag", msg(dhcp4.Discover, alice, wantsBroadcast), dhcptest.Destination{Addr: all, Port: 68}},
		{"to chaddr and yiaddr", msg(dhcp4.Discover, alice), dhcptest.Destination{Addr: first, Port: 68, Hardware: alice}},
		{"no chaddr (H7)", msg(dhcp4.Discover, nil, with(dhcp4.ClientIdentifier, dhcp4.ClientID{0, 1})), dhcptest.Destination{Addr: all, Port: 68}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := one(t, dhcptest.New(t, dhcptest.Config{}).Handle(noon, test.request))
			if r.To.Addr != test.want.Addr || r.To.Port != test.want.Port || r.To.Hardware.String() != test.want.Hardware.String() {
				t.Errorf("to %+v, want %+v", r.To, test.want)
			}
			if relayed := test.request.GIAddr.IsValid(); r.Message.Type() == dhcp4.NAK && relayed != (r.Message.Flags&dhcp4.FlagBroadcast != 0) {
				t.Errorf("flags of the DHCPNAK are %#x", r.Message.Flags)
			}
		})
	}
}

func TestLeaseTimesAreTheServersAndNotLonger(t *testing.T) {
	for asked, want := range map[dhcp4.Lifetime]dhcp4.Lifetime{60: 60, 7200: 3600, dhcp4.Infinite: 3600, 0: 3600} {
		s := dhcptest.New(t, dhcptest.Config{})
		m := one(t, s.Handle(noon, msg(dhcp4.Discover, alice, with(dhcp4.LeaseTime, asked)))).Message
		if got, err := dhcp4.LeaseTime.Get(m.Options); err != nil || got != want {
			t.Errorf("asked for %v: %v, %v", asked, got, err)
		}
	}
	s := dhcptest.New(t, dhcptest.Config{LeaseTime: dhcp4.Infinite})
	lease(t, s, alice, noon)
	if got := s.Leases()[0].Expiry; !got.IsZero() {
		t.Errorf("an infinite lease ends at %v", got)
	}
	if got := lease(t, s, bob, noon.Add(1e6*time.Hour)); got == s.Leases()[0].Addr {
		t.Error("an infinite lease was given away")
	}
}

// RFC 4039, section 3.1.
func TestRapidCommitSkipsTheOffer(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{RapidCommit: true})
	m := one(t, s.Handle(noon, msg(dhcp4.Discover, alice, with(dhcp4.RapidCommit, struct{}{})))).Message
	if _, err := dhcp4.RapidCommit.Get(m.Options); m.Type() != dhcp4.ACK || err != nil || len(s.Leases()) != 1 {
		t.Errorf("%v, option 80: %v, leases %v", m, err, s.Leases())
	}
	m = one(t, s.Handle(noon, msg(dhcp4.Discover, bob))).Message
	if _, err := dhcp4.RapidCommit.Get(m.Options); m.Type() != dhcp4.Offer || !errors.Is(err, dhcp4.ErrUnset) {
		t.Errorf("without option 80: %v, %v", m, err)
	}
}

func TestAForeignRelayIsNotServed(t *testing.T) {
	s := dhcptest.New(t, dhcptest.Config{})
	if got := s.Handle(noon, msg(dhcp4.Discover, alice, giaddr(netip.MustParseAddr("198.51.100.1")))); got != nil {
		t.Errorf("got %v", got[0].Message)
	}
}
