package dhcp4

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

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
func raw(least int) *form[[]byte] {
	return &form[[]byte]{
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
var codes = &form[[]Code]{
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

var messageType = &form[MessageType]{
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
