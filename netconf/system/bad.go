package system

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// FirstLabel returns what of a name from option 12 or 81 can be the name of a
// host: its first label. Both options may carry the domain as well (RFC 2132,
// section 3.14; RFC 4702), but the kernel's name has room for 64 bytes, into
// which every label fits and many a full name does not; and what belongs to
// the domain reaches the host by the resolver's search list.
func FirstLabel(name string) string {
	name, _, _ = strings.Cut(name, ".")
	return name
}

// BadName tells why no host should be called so; it is "" if the name is good.
// It takes one label of letters, digits, hyphens and underscores (RFC 1123,
// section 2.1; the underscore is used in practice).
func BadName(name string) string {
	isNumber := true
	for i := range len(name) {
		c := name[i]
		digit, letter := '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z'
		if !digit && !letter && c != '-' && c != '_' {
			return fmt.Sprintf("%q in a name", c)
		}
		isNumber = isNumber && digit
	}
	switch {
	case len(name) == 0 || len(name) > 63:
		return fmt.Sprintf("a name of %d bytes", len(name))
	case name[0] == '-' || name[len(name)-1] == '-':
		return "a name has no hyphen at its ends"
	case slices.Contains(blank, strings.ToLower(name)):
		return "it is the name of hosts that have none"
	case isNumber || len(name) > 2 && isHex(name):
		return "programs would take a number for an address"
	}
	return ""
}

// isHex reports whether inet_aton(3) takes a name for a hexadecimal number.
func isHex(name string) bool {
	digits, ok := strings.CutPrefix(strings.ToLower(name), "0x")
	return ok && strings.Trim(digits, "0123456789abcdef") == ""
}

// MaxServers is how many time servers of one lease are used. Programs ask every
// one of them every minute or so.
const MaxServers = 8

// BadServer tells why an address is no time server's; it is "" if it may be.
func BadServer(a netip.Addr) string {
	switch {
	case !a.Is4() || a.IsUnspecified() || a.As4()[0] == 0:
		return "no address of a host"
	case a.IsLoopback():
		return "a loopback address"
	case a.IsMulticast():
		return "a multicast address"
	case a.As4()[0] >= 240:
		return "a reserved or broadcast address"
	}
	return ""
}
