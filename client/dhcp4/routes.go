package dhcp4

import (
	"fmt"
	"net/netip"
	"strings"
)

// A Route is a destination and the router on the way to it. The gateway
// 0.0.0.0 says that the destination is on the link itself (RFC 3442).
type Route struct {
	Dest    netip.Prefix `json:"destination"`
	Gateway netip.Addr   `json:"gateway"`
}

// String returns "10.0.0.0/8 via 192.0.2.1", or "10.0.0.0/8 on-link".
func (r Route) String() string {
	if r.Gateway.IsUnspecified() {
		return r.Dest.String() + " on-link"
	}
	return r.Dest.String() + " via " + r.Gateway.String()
}

// classless is the form of options 121 and 249 (RFC 3442): the length of the
// destination's prefix, as many of its bytes as that needs, and the gateway.
// A list counts as a whole or not at all.
var classless = &form[[]Route]{
	parse: func(b []byte) ([]Route, string) {
		if len(b) == 0 {
			return nil, "empty"
		}
		out := make([]Route, 0, len(b)/5)
		for len(b) > 0 {
			bits := int(b[0])
			if bits > 32 {
				return nil, fmt.Sprintf("a prefix of %d bits", bits)
			}
			n := (bits + 7) / 8
			if len(b) < 1+n+4 {
				return nil, "a route is cut off at the end"
			}
			var dest [4]byte
			copy(dest[:], b[1:1+n])
			out = append(out, Route{
				// Bits beyond the prefix are cleared, as the RFC asks.
				Dest:    netip.PrefixFrom(netip.AddrFrom4(dest), bits).Masked(),
				Gateway: netip.AddrFrom4([4]byte(b[1+n : 5+n])),
			})
			b = b[5+n:]
		}
		return out, ""
	},
	write: func(b []byte, v []Route) ([]byte, string) {
		return writeEach(b, v, func(b []byte, r Route) ([]byte, string) {
			if !r.Dest.Addr().Is4() {
				return b, fmt.Sprintf("%v is no IPv4 prefix", r.Dest)
			}
			dest := r.Dest.Masked().Addr().As4()
			b = append(b, byte(r.Dest.Bits()))
			b = append(b, dest[:(r.Dest.Bits()+7)/8]...)
			return writeAddr(b, r.Gateway)
		})
	},
	show:    func(v []Route) string { return join(v) },
	scan:    func(s string) ([]Route, error) { return scanEach(s, scanRoute) },
	example: "10.0.0.0/8 via 192.0.2.1",
}

// classful is the form of option 33 (RFC 2132, section 5.8): pairs of a
// destination and a router. It has no masks: a destination that is the number
// of its class's network means that network, any other one a host. A default
// route is not to be had this way.
var classful = &form[[]Route]{
	parse: func(b []byte) ([]Route, string) {
		if len(b) == 0 || len(b)%8 != 0 {
			return nil, wantMultiple(b, 8)
		}
		out := make([]Route, len(b)/8)
		for i := range out {
			dest := netip.AddrFrom4([4]byte(b[8*i : 8*i+4]))
			if dest.IsUnspecified() {
				return nil, "destination 0.0.0.0"
			}
			out[i] = Route{classPrefix(dest), netip.AddrFrom4([4]byte(b[8*i+4 : 8*i+8]))}
		}
		return out, ""
	},
	write: func(b []byte, v []Route) ([]byte, string) {
		return writeEach(b, v, func(b []byte, r Route) ([]byte, string) {
			if r.Dest != classPrefix(r.Dest.Addr()) {
				return b, fmt.Sprintf("%v is neither a host nor a network of its class", r.Dest)
			}
			b, why := writeAddr(b, r.Dest.Addr())
			if why != "" {
				return b, why
			}
			return writeAddr(b, r.Gateway)
		})
	},
	show:    func(v []Route) string { return join(v) },
	scan:    func(s string) ([]Route, error) { return scanEach(s, scanRoute) },
	example: "10.0.0.0/8 via 192.0.2.1",
}

// classPrefix is a as a network of its class, or as a host.
func classPrefix(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is4() {
		switch b := a.As4()[0]; {
		case b < 128:
			bits = 8
		case b < 192:
			bits = 16
		case b < 224:
			bits = 24
		}
	}
	if p := netip.PrefixFrom(a, bits); p.Masked() == p {
		return p
	}
	return netip.PrefixFrom(a, 32)
}

// scanRoute reads "10.0.0.0/8 via 192.0.2.1" and "10.0.0.0/8 on-link".
func scanRoute(s string) (Route, error) {
	words := strings.Fields(s)
	if len(words) < 2 {
		return Route{}, fmt.Errorf("%q is no route", s)
	}
	dest, err := netip.ParsePrefix(words[0])
	if a, errAddr := netip.ParseAddr(words[0]); errAddr == nil {
		dest, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	if err != nil {
		return Route{}, err
	}
	switch {
	case len(words) == 2 && words[1] == "on-link":
		return Route{dest.Masked(), netip.IPv4Unspecified()}, nil
	case len(words) == 3 && words[1] == "via":
		gw, err := scanAddr(words[2])
		return Route{dest.Masked(), gw}, err
	}
	return Route{}, fmt.Errorf("%q is no route", s)
}
