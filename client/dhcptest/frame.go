package dhcptest

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/lessee/lessee/client/dhcp4"
)

// The places in a DHCP message where options may hide (RFC 2131, figure 1).
const (
	offSName = 44
	offFile  = 108
	lenSName = 64
	lenFile  = 128
)

// Payload lets f change the bytes of the DHCP message; lengths and checksums
// are made after it.
func Payload(f func(payload []byte) []byte) Rule {
	return Edit(func(r *Reply) { r.EditPayload = after(r.EditPayload, f) })
}

// Raw lets f change the datagram from the IP header on, as the last step
// before the wire.
func Raw(f func(frame []byte) []byte) Rule {
	return Edit(func(r *Reply) { r.EditFrame = after(r.EditFrame, f) })
}

func after(first, then func([]byte) []byte) func([]byte) []byte {
	if first == nil {
		return then
	}
	return func(b []byte) []byte { return then(first(b)) }
}

// whole makes a Rule of an edit that needs both headers. A frame that another
// rule cut shorter is left alone.
func whole(f func(ip, udp []byte)) Rule {
	return Raw(func(frame []byte) []byte {
		if len(frame) >= ipHeader+udpHeader {
			f(frame, frame[ipHeader:])
		}
		return frame
	})
}

// BadIPChecksum is the rule of a network that damages IP headers (A16).
func BadIPChecksum(next Handler) Handler {
	return whole(func(ip, _ []byte) { ip[ipChecksum] ^= 0xff })(next)
}

// BadUDPChecksum is the rule of a network that damages datagrams (A17).
func BadUDPChecksum(next Handler) Handler {
	return whole(func(_, udp []byte) {
		sum := binary.BigEndian.Uint16(udp[udpChecksum:]) ^ 0x5a5a
		if sum == 0 {
			sum = 1 // 0 would be right again: not computed
		}
		binary.BigEndian.PutUint16(udp[udpChecksum:], sum)
	})(next)
}

// NoUDPChecksum is the rule of a server that computes no UDP checksum, which is
// its right (A17; RFC 768).
func NoUDPChecksum(next Handler) Handler {
	return whole(func(_, udp []byte) { udp[udpChecksum], udp[udpChecksum+1] = 0, 0 })(next)
}

// Fragment marks datagrams as the first fragment of a larger one that never
// comes (A19).
func Fragment(next Handler) Handler {
	return whole(func(ip, _ []byte) {
		binary.BigEndian.PutUint16(ip[ipFragment:], moreFragments)
		sumIP(ip)
	})(next)
}

// IPLength writes n as the total length into the IP header, whose checksum is
// right (A18).
func IPLength(n uint16) Rule {
	return whole(func(ip, _ []byte) {
		binary.BigEndian.PutUint16(ip[ipLength:], n)
		sumIP(ip)
	})
}

// UDPLength writes n as the length into the UDP header (A18). The checksum is
// taken off, so that the length alone is wrong.
func UDPLength(n uint16) Rule {
	return whole(func(_, udp []byte) {
		binary.BigEndian.PutUint16(udp[udpLength:], n)
		udp[udpChecksum], udp[udpChecksum+1] = 0, 0
	})
}

// Truncate cuts datagrams to n bytes, counted from the IP header on; the
// headers do not know of it (A18).
func Truncate(n int) Rule {
	return Raw(func(frame []byte) []byte { return frame[:min(n, len(frame))] })
}

// Trail adds n bytes after the IP datagram, as Ethernet does to short frames
// (A18). They are not zero, so that reading them shows.
func Trail(n int) Rule {
	return Raw(func(frame []byte) []byte { return append(frame, slices.Repeat([]byte{0xee}, n)...) })
}

// Overload puts options into the file and sname fields and says so in option
// 52 (RFC 2132, section 9.3). They come on top of those in the options field,
// so that a value in pieces (RFC 3396) can lie across all three. It panics if
// they do not fit.
func Overload(file, sname dhcp4.Options) Rule {
	var bits byte
	for i, f := range []struct {
		options dhcp4.Options
		room    int
	}{{file, lenFile}, {sname, lenSName}} {
		if f.options != nil {
			bits |= 1 << i
		}
		if n := len(appendOptions(nil, f.options)); n > f.room {
			panic(fmt.Sprintf("dhcptest: Overload: options of %d bytes for a field of %d", n, f.room))
		}
	}
	return Edit(func(r *Reply) {
		r.Message.Options.Put(dhcp4.Overload.Code, []byte{bits})
		r.EditPayload = after(r.EditPayload, func(b []byte) []byte {
			fill(b[offFile:offFile+lenFile], file)
			fill(b[offSName:offSName+lenSName], sname)
			return b
		})
	})
}

func fill(field []byte, o dhcp4.Options) {
	if o != nil {
		clear(field[copy(field, appendOptions(nil, o)):])
	}
}

// appendOptions writes options of up to 255 bytes each, and the end option.
func appendOptions(b []byte, o dhcp4.Options) []byte {
	for _, r := range o {
		b = append(b, byte(r.Code), byte(len(r.Value)))
		b = append(b, r.Value...)
	}
	return append(b, 255)
}
