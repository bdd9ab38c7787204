package dhcptest

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
)

// offer returns what alice's host makes of the offer under these rules, and
// the frame.
func offer(t *testing.T, rules ...Rule) (m *dhcp4.Message, frame []byte, dropped error) {
	t.Helper()
	s := New(t, Config{Options: MustOptions("routers=192.0.2.1")})
	s.Always(rules...)
	wire := NewWire(s)
	defer wire.Close()
	c := wire.Conn(dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1})
	req := &dhcp4.Message{Op: dhcp4.OpRequest, HType: 1, CHAddr: c.addr, XID: 7}
	req.Options.Put(dhcp4.MsgType.Code, []byte{byte(dhcp4.Discover)})
	if err := c.Send(t.Context(), req, netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	frame = s.Log()[1].Frame
	select {
	case m := <-c.replies:
		return m, frame, nil
	default:
		if dropped = c.take(frame); dropped == nil {
			t.Fatal("the wire dropped what the host takes")
		}
		return nil, frame, dropped
	}
}

func TestDamagedFramesAreDroppedForTheirReason(t *testing.T) {
	for _, test := range []struct {
		name string
		rule Rule
		want error
	}{
		{"A16", BadIPChecksum, errIPSum},
		{"A17", BadUDPChecksum, errUDPSum},
		{"A18 IP header cut", Truncate(19), errLength},
		{"A18 UDP header cut", Truncate(27), errLength},
		{"A18 payload cut", Truncate(200), errLength},
		{"A18 empty UDP", All(UDPLength(8)), dhcp4.ErrShort},
		{"A18 UDP length below its header", UDPLength(7), errLength},
		{"A18 UDP length beyond the IP datagram", UDPLength(2000), errLength},
		{"A18 IP length below its header", IPLength(19), errLength},
		{"A18 IP length without UDP", IPLength(27), errLength},
		{"A18 IP length beyond the frame", IPLength(0xffff), errLength},
		{"A19", Fragment, errNotUDP},
		{"A6 another port", ToPort(1068), errDirection},
		{"A1 op 1", Mutate(func(m *dhcp4.Message) { m.Op = dhcp4.OpRequest }), errDirection},
		{"A2 no cookie", Payload(func(b []byte) []byte { b[236] = 0; return b }), dhcp4.ErrCookie},
		{"A3 no type", Without(53), dhcp4.ErrNoType},
	} {
		t.Run(test.name, func(t *testing.T) {
			if m, _, err := offer(t, test.rule); !errors.Is(err, test.want) {
				t.Errorf("dropped because of %v, want %v; got %v", err, test.want, m)
			}
		})
	}
}

func TestHarmlessFramesArrive(t *testing.T) {
	for name, rule := range map[string]Rule{
		"A17 no checksum":     NoUDPChecksum,
		"A18 trailing bytes":  Trail(18),
		"a checksum of zeros": Payload(zeroSum),
	} {
		t.Run(name, func(t *testing.T) {
			if m, frame, err := offer(t, rule); err != nil || m.Type() != dhcp4.Offer {
				t.Errorf("%v, %v: % x", m, err, frame[:28])
			}
		})
	}
}

// zeroSum changes a payload such that its UDP checksum is 0, which has to go
// out as 0xffff (RFC 768).
func zeroSum(b []byte) []byte {
	d := datagram{netip.MustParseAddrPort("192.0.2.1:67"), netip.MustParseAddrPort("192.0.2.2:68"), b}
	b[len(b)-2], b[len(b)-1] = 0, 0
	frame := d.append(nil)
	b[len(b)-2], b[len(b)-1] = frame[ipHeader+udpChecksum], frame[ipHeader+udpChecksum+1]
	return b
}

func TestAChecksumOfZeroIsSentAsOnes(t *testing.T) {
	if _, frame, _ := offer(t, Payload(zeroSum)); !bytes.Equal(frame[ipHeader+udpChecksum:ipHeader+udpHeader], []byte{0xff, 0xff}) {
		t.Errorf("checksum % x", frame[ipHeader+udpChecksum:ipHeader+udpHeader])
	}
}

// The numbers of a datagram computed by hand (RFC 1071): sums can not be
// tested against themselves.
func TestChecksumsAreThoseOfTheRFCs(t *testing.T) {
	d := datagram{netip.MustParseAddrPort("192.0.2.1:67"), netip.MustParseAddrPort("192.0.2.2:68"), []byte{1, 2, 3}}
	f := d.append(nil)
	// 4500 + 001f + 4011 + c000 + 0201 + c000 + 0202 = 20933 → 0935, complement f6ca.
	if !bytes.Equal(f[ipChecksum:ipChecksum+2], []byte{0xf6, 0xca}) {
		t.Errorf("IP % x", f[ipChecksum:ipChecksum+2])
	}
	// c000+0201+c000+0202 + 0011+000b + 0043+0044+000b + 0102+0300 = 188b3 → 88b4, complement 774b.
	if !bytes.Equal(f[ipHeader+udpChecksum:ipHeader+udpHeader], []byte{0x77, 0x4b}) {
		t.Errorf("UDP % x", f[ipHeader+udpChecksum:ipHeader+udpHeader])
	}
}

// What the kernel leaves to hardware that a virtual link does not have.
func TestAPartialChecksumIsAccepted(t *testing.T) {
	_, frame, _ := offer(t, Raw(func(b []byte) []byte {
		sum := fold(pseudo(b, len(b)-ipHeader))
		b[ipHeader+udpChecksum], b[ipHeader+udpChecksum+1] = byte(sum>>8), byte(sum)
		return b
	}))
	if _, err := parseDatagram(frame); err != nil {
		t.Error(err)
	}
}

// B1, B5: options in file and sname, one of them in three pieces.
func TestOptionsMayHideInOtherFields(t *testing.T) {
	m, frame, err := offer(t, PutRaw(121, []byte{24, 10}), Overload(
		dhcp4.Options{{Code: 121, Value: []byte{0, 0}}, {Code: 6, Value: []byte{192, 0, 2, 53}}},
		dhcp4.Options{{Code: 121, Value: []byte{192, 0, 2, 1}}},
	))
	if err != nil {
		t.Fatal(err)
	}
	routes, err := dhcp4.ClasslessRoutes.Get(m.Options)
	if err != nil || len(routes) != 1 || routes[0].Dest.String() != "10.0.0.0/24" {
		t.Errorf("routes %v, %v", routes, err)
	}
	if dns, err := dhcp4.DNS.Get(m.Options); err != nil || len(dns) != 1 {
		t.Errorf("DNS %v, %v", dns, err)
	}
	payload := frame[ipHeader+udpHeader:]
	if !bytes.HasPrefix(payload[offFile:], []byte{121, 2, 0, 0, 6, 4}) || !bytes.HasPrefix(payload[offSName:], []byte{121, 4}) {
		t.Errorf("file % x, sname % x", payload[offFile:offFile+8], payload[offSName:offSName+8])
	}
	defer func() {
		if s, ok := recover().(string); !ok || !strings.Contains(s, "field of 64") {
			t.Errorf("Overload of too much: %v", s)
		}
	}()
	Overload(nil, dhcp4.Options{{Code: 12, Value: make([]byte, 64)}})
}

func TestAFrameWithoutBytesIsNotSent(t *testing.T) {
	s := New(t, Config{})
	s.Always(Raw(func([]byte) []byte { return nil }))
	wire := NewWire(s)
	defer wire.Close()
	req := &dhcp4.Message{Op: dhcp4.OpRequest, HType: 1, CHAddr: dhcp4.HardwareAddr{2}}
	req.Options.Put(dhcp4.MsgType.Code, []byte{byte(dhcp4.Discover)})
	if err := wire.Conn(req.CHAddr).Send(t.Context(), req, netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	if log := s.Log(); len(log) != 1 {
		t.Errorf("log: %v", log)
	}
}

func TestAReplyThatCannotBeWrittenIsLogged(t *testing.T) {
	s := New(t, Config{})
	s.Always(Mutate(func(m *dhcp4.Message) { m.SName = strings.Repeat("x", 64) }))
	wire := NewWire(s)
	defer wire.Close()
	req := &dhcp4.Message{Op: dhcp4.OpRequest, HType: 1, CHAddr: dhcp4.HardwareAddr{2}}
	req.Options.Put(dhcp4.MsgType.Code, []byte{byte(dhcp4.Discover)})
	if err := wire.Conn(req.CHAddr).Send(t.Context(), req, netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	if log := s.Log(); len(log) != 2 || log[1].Err == nil || !strings.Contains(log[1].String(), "sname") {
		t.Errorf("log: %v", log)
	}
}
