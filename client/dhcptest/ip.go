package dhcptest

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/lessee/lessee/client/dhcp4"
)

// The lengths of the headers, and the places of the fields that rules change
// (RFC 791, section 3.1; RFC 768).
const (
	ipHeader    = 20
	udpHeader   = 8
	ipLength    = 2
	ipFragment  = 6
	ipChecksum  = 10
	udpLength   = 4
	udpChecksum = 6

	protocolUDP   = 17
	moreFragments = 0x2000
	notWhole      = 0x3fff // more fragments, or not the first
)

// A datagram is a UDP datagram with the addresses around it.
type datagram struct {
	src, dst netip.AddrPort
	payload  []byte
}

// append appends the datagram from its IP header on to b.
func (d datagram) append(b []byte) []byte {
	start := len(b)
	b = append(b, make([]byte, ipHeader+udpHeader)...)
	b = append(b, d.payload...)
	ip, udp := b[start:start+ipHeader], b[start+ipHeader:]
	ip[0] = 4<<4 | ipHeader/4
	ip[8], ip[9] = 64, protocolUDP // TTL: the default of RFC 1700
	src, dst := d.src.Addr().As4(), d.dst.Addr().As4()
	copy(ip[12:], src[:])
	copy(ip[16:], dst[:])
	binary.BigEndian.PutUint16(ip[ipLength:], uint16(ipHeader+len(udp)))
	sumIP(b[start:])
	binary.BigEndian.PutUint16(udp[0:], d.src.Port())
	binary.BigEndian.PutUint16(udp[2:], d.dst.Port())
	binary.BigEndian.PutUint16(udp[udpLength:], uint16(len(udp)))
	sum := ^fold(checksum(pseudo(ip, len(udp)), udp))
	if sum == 0 {
		sum = 0xffff // 0 would say that there is none (RFC 768)
	}
	binary.BigEndian.PutUint16(udp[udpChecksum:], sum)
	return b
}

// sumIP writes the checksum of the IP header of frame anew.
func sumIP(frame []byte) {
	binary.BigEndian.PutUint16(frame[ipChecksum:], 0)
	binary.BigEndian.PutUint16(frame[ipChecksum:], ^fold(checksum(0, frame[:ipHeader])))
}

// pseudo is the sum of the pseudo header before a UDP datagram of n bytes.
func pseudo(ip []byte, n int) uint32 {
	return checksum(uint32(protocolUDP)+uint32(n), ip[12:20])
}

// checksum adds b to a sum of RFC 1071 that is not folded yet.
func checksum(sum uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

func fold(sum uint32) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

// Why a host drops a datagram.
var (
	errLength    = errors.New("lengths do not fit the frame")
	errNotUDP    = errors.New("not a whole IPv4 datagram with UDP in it")
	errIPSum     = errors.New("wrong checksum of the IP header")
	errUDPSum    = errors.New("wrong UDP checksum")
	errDirection = errors.New("not a reply to a client")
	errBacklog   = errors.New("nobody reads: the backlog is full")
)

// parseDatagram reads a frame from its IP header on and checks everything that
// a careful host checks. The payload is part of frame.
func parseDatagram(frame []byte) (d datagram, err error) {
	if len(frame) < ipHeader+udpHeader {
		return d, errLength
	}
	header, total := int(frame[0]&15)*4, int(binary.BigEndian.Uint16(frame[ipLength:]))
	switch {
	case frame[0]>>4 != 4, frame[9] != protocolUDP, binary.BigEndian.Uint16(frame[ipFragment:])&notWhole != 0:
		return d, errNotUDP
	case header < ipHeader, total < header+udpHeader, total > len(frame):
		return d, errLength
	case fold(checksum(0, frame[:header])) != 0xffff:
		return d, errIPSum
	}
	udp := frame[header:total]
	n := int(binary.BigEndian.Uint16(udp[udpLength:]))
	if n < udpHeader || n > len(udp) {
		return d, errLength
	}
	udp = udp[:n]
	if !udpSumFits(frame, udp) {
		return d, errUDPSum
	}
	port := func(i int) uint16 { return binary.BigEndian.Uint16(udp[i:]) }
	d.src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(frame[12:16])), port(0))
	d.dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(frame[16:20])), port(2))
	d.payload = udp[udpHeader:]
	return d, nil
}

// udpSumFits accepts the sum of the pseudo header alone too: that is what the
// kernel leaves to hardware that a virtual link does not have.
func udpSumFits(ip, udp []byte) bool {
	sum := binary.BigEndian.Uint16(udp[udpChecksum:])
	header := pseudo(ip, len(udp))
	return sum == 0 || fold(checksum(header, udp)) == 0xffff || sum == fold(header)
}

// encode returns the frame of a reply, with all edits; nothing to send is nil.
func (r Reply) encode() ([]byte, error) {
	b, err := r.Message.Append(nil)
	if err != nil {
		return nil, err
	}
	if r.EditPayload != nil {
		b = r.EditPayload(b)
	}
	if !r.From.Is4() || !r.To.Addr.Is4() {
		return nil, errors.New("reply without the IPv4 addresses it goes from and to")
	}
	b = datagram{netip.AddrPortFrom(r.From, serverPort), netip.AddrPortFrom(r.To.Addr, r.To.Port), b}.append(nil)
	if r.EditFrame != nil {
		b = r.EditFrame(b)
	}
	return b, nil
}

// event is the line in the log for a reply.
func (r Reply) event(frame []byte, err error) Event {
	return Event{Sent: true, Message: r.Message, Src: r.From, Dst: r.To.Addr, Peer: r.To.Hardware, Frame: frame, Err: err}
}

// request returns the event of a frame that came to the server's link.
func request(frame []byte) (Event, error) {
	d, err := parseDatagram(frame)
	if err != nil {
		return Event{}, err
	}
	e := Event{Src: d.src.Addr(), Dst: d.dst.Addr(), Frame: frame}
	e.Message, e.Err = dhcp4.Parse(d.payload)
	if e.Err != nil {
		e.Message = nil
	}
	return e, nil
}
