package hook

import (
	"net/netip"
	"slices"
	"strings"
)

// An env is the environment of a program, in the making. What reaches it comes
// from the network in the end, and goes to shells: each value has to pass
// [safe], whoever made it.
type env []string

// path is where programs find others.
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// newEnv is what every program gets. Nothing is inherited.
func newEnv() env { return env{"PATH=" + path, "LANG=C.UTF-8"} }

// set sets a variable, unless its value is empty or not safe to hand on.
func (e *env) set(name, value string) {
	if value != "" && safe(value) && !slices.ContainsFunc(*e, func(s string) bool { return strings.HasPrefix(s, name+"=") }) {
		*e = append(*e, name+"="+value)
	}
}

// maxValue bounds a value. A DHCP option has 255 bytes, a long one a few times
// that.
const maxValue = 4096

// safe tells whether a value means nothing to a shell, quoted or not, but
// itself and others after a space; nor a flag to a program.
func safe(value string) bool {
	if len(value) > maxValue || strings.HasPrefix(value, "-") || strings.Contains(value, " -") {
		return false
	}
	for i := range len(value) {
		switch c := value[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte(" ._-/:@+,=", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// list joins addresses by spaces.
func list(v []netip.Addr) string {
	out := make([]string, len(v))
	for i, a := range v {
		out[i] = a.String()
	}
	return strings.Join(out, " ")
}

// names joins those names that are some (B16). The others are dropped one by
// one: a search list is as good without them.
func names(v []string) string {
	var out []string
	for _, s := range v {
		if name(s) != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}

// name returns a host or domain name, or nothing if it is none: letters, digits,
// dots, hyphens and underscores.
func name(s string) string {
	if len(s) > 253 || strings.ContainsAny(s, " /:@+,=") || !safe(s) {
		return ""
	}
	return s
}

// one returns an address, or nothing if there is none.
func one(a netip.Addr) string {
	if !a.IsValid() || a.IsUnspecified() {
		return ""
	}
	return a.String()
}

// netmask is a prefix length as people of old wrote it.
func netmask(p netip.Prefix) string {
	return masked(netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), p.Bits())).String()
}

// masked is the address of p with no host bits set.
func masked(p netip.Prefix) netip.Addr { return p.Masked().Addr() }

// lastOf is the address of p with all host bits set.
func lastOf(p netip.Prefix) netip.Addr {
	if !p.Addr().Is4() {
		return netip.Addr{}
	}
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}
