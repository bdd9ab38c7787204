package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// The ports of DHCP (RFC 2131, section 4.1).
const (
	serverPort = 67
	clientPort = 68
)

const (
	ipHeaderLen  = 20 // without options; we send none
	udpHeaderLen = 8
	headersLen   = ipHeaderLen + udpHeaderLen

	maxDatagram = 65535 // the length field of IPv4 has 16 bits

	protocolUDP = 17

	// ttl is the default that IANA recommends, and the kernel's. Only
	// unicasts pass routers, and those the kernel writes.
	ttl = 64

	// tos is the class selector of network control (CS6, RFC 2474): a
	// congested link should not cost the lease, and some providers take
	// DHCP in this class only.
	tos = 0xc0

	dontFragment  = 0x4000
	fragmentation = 0x3fff // more fragments, and the offset
)

// Why a frame is dropped, for [Config].Dropped and errors.Is. What
// dhcp4.Parse refuses has that package's errors.
var (
	// ErrLength: the frame, the IPv4 header, the IPv4 total length and the
	// UDP length contradict each other.
	ErrLength = errors.New("lengths contradict each other")
	// ErrIPChecksum: the IPv4 header is damaged (RFC 1122, section 3.2.1.2).
	ErrIPChecksum = errors.New("wrong IPv4 header checksum")
	// ErrUDPChecksum: the datagram is damaged (RFC 1122, section 4.1.3.4).
	ErrUDPChecksum = errors.New("wrong UDP checksum")
	// ErrNotOurs: not a whole IPv4 UDP datagram to port 68. The filter in
	// the kernel keeps such frames away.
	ErrNotOurs = errors.New("no whole UDP datagram to port 68")
	// ErrNotReply: a DHCP message that another client sent.
	ErrNotReply = errors.New("no reply of a server")
)

// parseUDP takes an IPv4 packet apart and returns its source and the UDP
// payload, a part of b. The packet may be followed by padding. If partial, the
// sender is this machine itself and left the UDP checksum to a device that the
// packet never came to (A17). The errors are those above, with what was found.
func parseUDP(b []byte, partial bool) (src netip.AddrPort, payload []byte, err error) {
	b, header, err := trimIP(b)
	if err != nil {
		return netip.AddrPort{}, nil, err
	}
	be := binary.BigEndian
	udp := b[header:]
	length := int(be.Uint16(udp[4:]))
	switch {
	case be.Uint16(b[6:])&fragmentation != 0, b[9] != protocolUDP, be.Uint16(udp[2:]) != clientPort:
		return netip.AddrPort{}, nil, ErrNotOurs
	case length < udpHeaderLen || length > len(udp):
		return netip.AddrPort{}, nil, fmt.Errorf("%w: UDP says %d, IPv4 leaves %d bytes", ErrLength, length, len(udp))
	}
	udp = udp[:length:length]
	if sent := be.Uint16(udp[6:]); sent != 0 && !partial && sumUDP(b, udp) != 0xffff {
		return netip.AddrPort{}, nil, fmt.Errorf("%w %#04x", ErrUDPChecksum, sent)
	}
	from := netip.AddrFrom4([4]byte(b[12:16]))
	return netip.AddrPortFrom(from, be.Uint16(udp)), udp[udpHeaderLen:], nil
}

// trimIP checks the IPv4 header of b and returns the packet without padding,
// which has room for a UDP header, and the length of its IPv4 header.
func trimIP(b []byte) (pkt []byte, header int, err error) {
	if len(b) < headersLen {
		return nil, 0, fmt.Errorf("%w: %d bytes in all", ErrLength, len(b))
	}
	if b[0]>>4 != 4 {
		return nil, 0, fmt.Errorf("%w: IP version %d", ErrNotOurs, b[0]>>4)
	}
	header, total := int(b[0]&0xf)*4, int(binary.BigEndian.Uint16(b[2:]))
	if header < ipHeaderLen || total < header+udpHeaderLen || total > len(b) {
		return nil, 0, fmt.Errorf("%w: frame %d, IPv4 header %d, IPv4 total %d bytes", ErrLength, len(b), header, total)
	}
	if fold(sum(0, b[:header])) != 0xffff {
		return nil, 0, ErrIPChecksum
	}
	return b[:total:total], header, nil
}

// putHeaders writes the IPv4 and UDP headers into the first 28 bytes of b; the
// rest of b is the payload.
func putHeaders(b []byte, src, dst netip.Addr) {
	be := binary.BigEndian
	ip, udp := b[:ipHeaderLen], b[ipHeaderLen:]
	clear(b[:headersLen])
	ip[0], ip[1] = 0x40|ipHeaderLen/4, tos
	be.PutUint16(ip[2:], uint16(len(b)))
	// A datagram that must not be fragmented needs no identification (RFC
	// 6864, section 4.1).
	be.PutUint16(ip[6:], dontFragment)
	ip[8], ip[9] = ttl, protocolUDP
	s, d := src.As4(), dst.As4()
	copy(ip[12:], s[:])
	copy(ip[16:], d[:])
	be.PutUint16(ip[10:], ^fold(sum(0, ip)))

	be.PutUint16(udp, clientPort)
	be.PutUint16(udp[2:], serverPort)
	be.PutUint16(udp[4:], uint16(len(udp)))
	check := ^sumUDP(ip, udp)
	if check == 0 {
		check = 0xffff // zero would say "not computed" (RFC 768)
	}
	be.PutUint16(udp[6:], check)
}

// sumUDP returns the sum over a UDP datagram and its pseudo-header (RFC 768);
// with a correct checksum in the datagram it is 0xffff.
func sumUDP(ip, udp []byte) uint16 {
	return fold(sum(sum(protocolUDP+uint32(len(udp)), ip[12:20]), udp))
}

// sum adds the 16-bit words of b to n. At most 64 KiB are ever added up, so 32
// bits hold all carries.
func sum(n uint32, b []byte) uint32 {
	for len(b) >= 2 {
		n += uint32(b[0])<<8 | uint32(b[1])
		b = b[2:]
	}
	if len(b) == 1 {
		n += uint32(b[0]) << 8
	}
	return n
}

// fold makes a sum a 16-bit one's complement sum (RFC 1071).
func fold(n uint32) uint16 {
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return uint16(n)
}
