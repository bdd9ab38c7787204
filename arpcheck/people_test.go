package arpcheck

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/mdlayher/arp"
)

// The people of the tests.
var (
	addr   = netip.MustParseAddr("192.0.2.7")
	other  = netip.MustParseAddr("192.0.2.99")
	nobody = netip.IPv4Unspecified()

	us      = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	ours    = net.HardwareAddr{2, 0, 0, 0, 0, 2} // another interface of this host
	them    = net.HardwareAddr{2, 0, 0, 0, 0, 3}
	third   = net.HardwareAddr{2, 0, 0, 0, 0, 4}
	zeroMAC = net.HardwareAddr{0, 0, 0, 0, 0, 0}
)

// epoch is when the stories begin.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func testSubject() subject {
	return subject{addr: addr, mac: us, own: func(mac net.HardwareAddr) bool { return bytes.Equal(mac, ours) }}
}

// makeARP returns an ARP packet.
func makeARP(op arp.Operation, sha net.HardwareAddr, spa netip.Addr, tha net.HardwareAddr, tpa netip.Addr) *arp.Packet {
	p := request(sha, spa, tpa)
	p.Operation = op
	p.TargetHardwareAddr = tha
	return p
}

// heard returns p as received in a frame from the hardware address it names.
func heard(p *arp.Packet) received { return received{packet: p, from: p.SenderHardwareAddr} }

// replyFrom is what a holder of addr sends to who probes for it.
func replyFrom(mac net.HardwareAddr) *arp.Packet {
	return makeARP(arp.OperationReply, mac, addr, us, nobody)
}

func marshalARP(t testing.TB, p *arp.Packet) []byte {
	t.Helper()
	b, err := p.MarshalBinary()
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	return b
}
