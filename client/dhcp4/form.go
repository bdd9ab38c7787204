package dhcp4

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A form is a way of writing values, shared by all options that are written
// so. parse and write tell in words why they cannot; an empty string is
// success.
type form[T any] struct {
	parse   func(b []byte) (v T, why string)
	write   func(b []byte, v T) (out []byte, why string)
	show    func(v T) string             // for people
	scan    func(text string) (T, error) // as people write it
	data    func(v T) any                // for JSON; nil: v itself
	example string                       // of what scan reads
}

// ---- addresses

var addr = form[netip.Addr]{
	parse: func(b []byte) (netip.Addr, string) {
		if len(b) != 4 {
			return netip.Addr{}, wantBytes(b, 4)
		}
		return netip.AddrFrom4([4]byte(b)), ""
	},
	write:   writeAddr,
	show:    netip.Addr.String,
	scan:    scanAddr,
	example: "192.0.2.1",
}

func writeAddr(b []byte, a netip.Addr) ([]byte, string) {
	if !a.Is4() {
		return b, fmt.Sprintf("%v is not an IPv4 address", a)
	}
	v := a.As4()
	return append(b, v[:]...), ""
}

func scanAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err == nil && !a.Is4() {
		err = fmt.Errorf("%v is not an IPv4 address", a)
	}
	return a, err
}

// addrs is one address or more.
var addrs = addrList(1)

// addrsOrNone may be empty (option 68).
var addrsOrNone = addrList(0)

func addrList(least int) form[[]netip.Addr] {
	return form[[]netip.Addr]{
		parse: func(b []byte) ([]netip.Addr, string) {
			if len(b)%4 != 0 || len(b) < 4*least {
				return nil, wantMultiple(b, 4)
			}
			out := make([]netip.Addr, len(b)/4)
			for i := range out {
				out[i] = netip.AddrFrom4([4]byte(b[4*i : 4*i+4]))
			}
			return out, ""
		},
		write: func(b []byte, v []netip.Addr) ([]byte, string) {
			return writeEach(b, v, writeAddr)
		},
		show:    func(v []netip.Addr) string { return join(v) },
		scan:    func(s string) ([]netip.Addr, error) { return scanEach(s, scanAddr) },
		example: "192.0.2.1,192.0.2.2",
	}
}

// mask is the length of a subnet mask; one with holes is malformed, and so is
// 0.0.0.0, with which every host would be a neighbour.
var mask = form[int]{
	parse: func(b []byte) (int, string) {
		if len(b) != 4 {
			return 0, wantBytes(b, 4)
		}
		m := binary.BigEndian.Uint32(b)
		n := bits.LeadingZeros32(^m)
		if n == 0 || n+bits.TrailingZeros32(m) < 32 {
			return 0, fmt.Sprintf("%v is no mask of leading ones", netip.AddrFrom4([4]byte(b)))
		}
		return n, ""
	},
	write: func(b []byte, n int) ([]byte, string) {
		if n < 1 || n > 32 {
			return b, fmt.Sprintf("a mask of %d bits", n)
		}
		return binary.BigEndian.AppendUint32(b, ^uint32(0)<<(32-n)), ""
	},
	show: func(n int) string {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-n)))).String()
	},
	scan: func(s string) (int, error) {
		if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
			b := a.As4()
			n := bits.LeadingZeros32(^binary.BigEndian.Uint32(b[:]))
			if n+bits.TrailingZeros32(binary.BigEndian.Uint32(b[:])) >= 32 {
				return n, nil
			}
		}
		return strconv.Atoi(strings.TrimPrefix(s, "/"))
	},
	example: "255.255.255.0",
}

// addrPair is what option 21 lists: an address and a mask.
var addrPairs = form[[]netip.Addr]{
	parse: func(b []byte) ([]netip.Addr, string) {
		if len(b) == 0 || len(b)%8 != 0 {
			return nil, wantMultiple(b, 8)
		}
		return addrs.parse(b)
	},
	write: addrs.write, show: addrs.show, scan: addrs.scan,
	example: "192.0.2.0,255.255.255.0",
}

// ---- numbers

type unsigned interface{ ~uint8 | ~uint16 | ~uint32 }

// number is a big-endian integer of the size of T, no less than least.
func number[T unsigned](least T) form[T] {
	size := 4
	switch {
	case ^T(0) == T(1<<8-1):
		size = 1
	case uint64(^T(0)) == 1<<16-1:
		size = 2
	}
	return form[T]{
		parse: func(b []byte) (T, string) {
			if len(b) != size {
				return 0, wantBytes(b, size)
			}
			var n uint64
			for _, c := range b {
				n = n<<8 | uint64(c)
			}
			if T(n) < least {
				return 0, fmt.Sprintf("%d, want %d or more", n, least)
			}
			return T(n), ""
		},
		write: func(b []byte, v T) ([]byte, string) {
			for i := size - 1; i >= 0; i-- {
				b = append(b, byte(uint64(v)>>(8*i)))
			}
			return b, ""
		},
		show: func(v T) string { return strconv.FormatUint(uint64(v), 10) },
		scan: func(s string) (T, error) {
			n, err := strconv.ParseUint(s, 0, 8*size)
			return T(n), bare(err)
		},
		example: strconv.Itoa(max(int(least), 64)),
	}
}

var (
	u8      = number[uint8](0)
	u16     = number[uint16](0)
	u32     = number[uint32](0)
	mtu     = number[uint16](68)  // RFC 2132, section 5.1
	maxSize = number[uint16](576) // RFC 2132, sections 4.4 and 9.10
)

// seconds32 is a signed number, as in option 2.
var seconds32 = form[int32]{
	parse: func(b []byte) (int32, string) {
		n, why := u32.parse(b)
		return int32(n), why
	},
	write:   func(b []byte, v int32) ([]byte, string) { return u32.write(b, uint32(v)) },
	show:    func(v int32) string { return strconv.Itoa(int(v)) },
	scan:    func(s string) (int32, error) { n, err := strconv.ParseInt(s, 10, 32); return int32(n), bare(err) },
	example: "3600",
}

// u16s is a list of numbers.
var u16s = form[[]uint16]{
	parse: func(b []byte) ([]uint16, string) {
		if len(b) == 0 || len(b)%2 != 0 {
			return nil, wantMultiple(b, 2)
		}
		out := make([]uint16, len(b)/2)
		for i := range out {
			out[i] = binary.BigEndian.Uint16(b[2*i:])
		}
		return out, ""
	},
	write:   func(b []byte, v []uint16) ([]byte, string) { return writeEach(b, v, u16.write) },
	show:    func(v []uint16) string { return join(v) },
	scan:    func(s string) ([]uint16, error) { return scanEach(s, u16.scan) },
	example: "68,296,1492",
}

// boolean is a byte of 0 or 1.
var boolean = form[bool]{
	parse: func(b []byte) (bool, string) {
		if len(b) != 1 || b[0] > 1 {
			return false, fmt.Sprintf("% x, want 00 or 01", b)
		}
		return b[0] == 1, ""
	},
	write: func(b []byte, v bool) ([]byte, string) {
		if v {
			return append(b, 1), ""
		}
		return append(b, 0), ""
	},
	show:    strconv.FormatBool,
	scan:    func(s string) (bool, error) { v, err := strconv.ParseBool(s); return v, bare(err) },
	example: "true",
}

// flag is an option that says all by being there.
var flag = form[struct{}]{
	parse: func(b []byte) (struct{}, string) {
		if len(b) != 0 {
			return struct{}{}, wantBytes(b, 0)
		}
		return struct{}{}, ""
	},
	write:   func(b []byte, _ struct{}) ([]byte, string) { return b, "" },
	show:    func(struct{}) string { return "yes" },
	scan:    func(string) (struct{}, error) { return struct{}{}, nil },
	data:    func(struct{}) any { return true },
	example: "yes",
}

// ---- times

// Lifetime is a time in seconds as DHCP counts it; all ones is for ever (RFC
// 2131, section 3.3).
type Lifetime uint32

// Infinite is the lifetime that never ends.
const Infinite Lifetime = 0xffffffff

// Duration returns the lifetime, and false if it never ends.
func (l Lifetime) Duration() (d time.Duration, finite bool) {
	if l == Infinite {
		return 0, false
	}
	return time.Duration(l) * time.Second, true
}

// String returns the lifetime as "1h0m0s" or "infinite".
func (l Lifetime) String() string {
	if d, finite := l.Duration(); finite {
		return d.String()
	}
	return "infinite"
}

// ParseLifetime reads "3600", "1h30m" or "infinite".
func ParseLifetime(s string) (Lifetime, error) {
	if s == "infinite" {
		return Infinite, nil
	}
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		return Lifetime(n), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d >= time.Duration(Infinite)*time.Second {
		return 0, fmt.Errorf("%q is no time in whole seconds", s)
	}
	return Lifetime(d / time.Second), nil
}

var lifetime = form[Lifetime]{
	parse: func(b []byte) (Lifetime, string) {
		if len(b) != 4 {
			return 0, wantBytes(b, 4)
		}
		return Lifetime(binary.BigEndian.Uint32(b)), ""
	},
	write:   func(b []byte, v Lifetime) ([]byte, string) { return binary.BigEndian.AppendUint32(b, uint32(v)), "" },
	show:    Lifetime.String,
	scan:    ParseLifetime,
	example: "1h",
}

// ---- bytes

// hex is bytes that JSON and people see as hexadecimal digits.
type hex []byte

// MarshalText returns two digits a byte.
func (h hex) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%x", []byte(h)), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *hex) UnmarshalText(b []byte) error {
	v, err := scanHex(string(b))
	*h = v
	return err
}

// raw is bytes whose meaning is not for us, at least so many.
func raw(least int) form[[]byte] {
	return form[[]byte]{
		parse: func(b []byte) ([]byte, string) {
			if len(b) < least {
				return nil, fmt.Sprintf("%d bytes, want %d or more", len(b), least)
			}
			return b, ""
		},
		write:   func(b, v []byte) ([]byte, string) { return append(b, v...), "" },
		show:    func(v []byte) string { return fmt.Sprintf("0x%x", v) },
		scan:    scanHex,
		data:    func(v []byte) any { return hex(v) },
		example: "0x" + strings.Repeat("01", max(least, 4)),
	}
}

// scanHex reads "0xdeadbeef", "deadbeef" or "de:ad:be:ef".
func scanHex(s string) ([]byte, error) {
	s = strings.ReplaceAll(strings.TrimPrefix(s, "0x"), ":", "")
	if len(s)%2 != 0 {
		return nil, errors.New("an odd number of hexadecimal digits")
	}
	out := make([]byte, 0, len(s)/2)
	for i := 0; i < len(s); i += 2 {
		n, err := strconv.ParseUint(s[i:i+2], 16, 8)
		if err != nil {
			return nil, fmt.Errorf("%q is not hexadecimal", s[i:i+2])
		}
		out = append(out, byte(n))
	}
	return out, nil
}

// codes is a list of option codes; people may write names.
var codes = form[[]Code]{
	parse: func(b []byte) ([]Code, string) {
		if len(b) == 0 {
			return nil, "empty"
		}
		out := make([]Code, len(b))
		for i, c := range b {
			out[i] = Code(c)
		}
		return out, ""
	},
	write: func(b []byte, v []Code) ([]byte, string) {
		for _, c := range v {
			b = append(b, byte(c))
		}
		return b, ""
	},
	show: func(v []Code) string {
		var n []uint8
		for _, c := range v {
			n = append(n, uint8(c))
		}
		return join(n)
	},
	scan: func(s string) ([]Code, error) {
		return scanEach(s, func(s string) (Code, error) { n, err := u8.scan(s); return Code(n), err })
	},
	example: "1,3,6",
}

var messageType = form[MessageType]{
	parse: func(b []byte) (MessageType, string) {
		if len(b) != 1 {
			return 0, wantBytes(b, 1)
		}
		if b[0] == 0 {
			return 0, "0 is no message type"
		}
		return MessageType(b[0]), ""
	},
	write:   func(b []byte, v MessageType) ([]byte, string) { return append(b, byte(v)), "" },
	show:    MessageType.String,
	scan:    func(s string) (MessageType, error) { n, err := u8.scan(s); return MessageType(n), err },
	data:    func(v MessageType) any { return v.String() },
	example: "1",
}

// ---- helpers

func wantBytes(b []byte, n int) string { return fmt.Sprintf("%d bytes, want %d", len(b), n) }

func wantMultiple(b []byte, n int) string {
	return fmt.Sprintf("%d bytes, want a multiple of %d", len(b), n)
}

// bare takes the name of strconv's function out of its error.
func bare(err error) error {
	var n *strconv.NumError
	if errors.As(err, &n) {
		return fmt.Errorf("%q: %w", n.Num, n.Err)
	}
	return err
}

func join[T any](v []T) string {
	var b strings.Builder
	for i, e := range v {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, e)
	}
	return b.String()
}

func writeEach[T any](b []byte, v []T, write func([]byte, T) ([]byte, string)) ([]byte, string) {
	for _, e := range v {
		var why string
		if b, why = write(b, e); why != "" {
			return b, why
		}
	}
	return b, ""
}

func scanEach[T any](s string, scan func(string) (T, error)) ([]T, error) {
	var out []T
	for part := range strings.SplitSeq(s, ",") {
		v, err := scan(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
