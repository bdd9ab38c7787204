package dhcp4

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"
)

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

var lifetime = &form[Lifetime]{
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
