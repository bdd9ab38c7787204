package dhcp4

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

type unsigned interface{ ~uint8 | ~uint16 | ~uint32 }

// number is a big-endian integer of the size of T, no less than least.
func number[T unsigned](least T) *form[T] {
	size := 4
	switch {
	case ^T(0) == T(1<<8-1):
		size = 1
	case uint64(^T(0)) == 1<<16-1:
		size = 2
	}
	return &form[T]{
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
var seconds32 = &form[int32]{
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
var u16s = &form[[]uint16]{
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
var boolean = &form[bool]{
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
var flag = &form[struct{}]{
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
