package dhcp4

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// SIPServers is the value of option 120 (RFC 3361): names or addresses.
type SIPServers struct {
	Names []string     `json:"names,omitempty"`
	Addrs []netip.Addr `json:"addresses,omitempty"`
}

var sip = &form[SIPServers]{
	parse: func(b []byte) (v SIPServers, why string) {
		if len(b) < 1 {
			return v, wantMore(b, 1)
		}
		switch b[0] {
		case 0:
			v.Names, why = domains.parse(b[1:])
		case 1:
			v.Addrs, why = addrs.parse(b[1:])
		default:
			why = fmt.Sprintf("encoding %d", b[0])
		}
		return v, why
	},
	write: func(b []byte, v SIPServers) ([]byte, string) {
		if len(v.Names) > 0 {
			return domains.write(append(b, 0), v.Names)
		}
		return addrs.write(append(b, 1), v.Addrs)
	},
	show: func(v SIPServers) string {
		if len(v.Names) > 0 {
			return join(v.Names)
		}
		return join(v.Addrs)
	},
	scan: func(s string) (v SIPServers, err error) {
		if v.Addrs, err = addrs.scan(s); err != nil {
			v.Addrs = nil
			v.Names, err = domains.scan(s)
		}
		return v, err
	},
	example: "192.0.2.5",
}

// A Resolver is one entry of option 162 (RFC 9463): an encrypted DNS resolver.
type Resolver struct {
	Priority uint16       `json:"priority"`
	Name     string       `json:"name"` // authentication domain name
	Addrs    []netip.Addr `json:"addresses,omitempty"`
	ALPN     []string     `json:"alpn,omitempty"` // protocols it speaks: "dot", "doq", "h2", …; nil if it does not say
	Port     uint16       `json:"port,omitempty"` // 0: each protocol's usual one
	Params   []byte       `json:"-"`              // all service parameters as they came (RFC 9460)
}

// Speaks reports whether the resolver says that it speaks a protocol, by its
// ALPN identifier.
func (r Resolver) Speaks(alpn string) bool { return slices.Contains(r.ALPN, alpn) }

// String returns "1 dot.example.com 192.0.2.53".
func (r Resolver) String() string {
	text := fmt.Sprintf("%d %s", r.Priority, r.Name)
	for _, a := range r.Addrs {
		text += " " + a.String()
	}
	return text
}

// resolvers reads the entries of option 162; one that cannot be read is left
// out, unless none is left.
var resolvers = &form[[]Resolver]{
	parse: func(b []byte) (out []Resolver, why string) {
		why = "empty"
		for len(b) > 0 {
			if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
				why = "an entry is cut off at the end"
				break
			}
			end := 2 + int(binary.BigEndian.Uint16(b))
			r, bad := resolver(b[2:end:end])
			if bad == "" {
				out = append(out, r)
			} else {
				why = bad
			}
			b = b[end:]
		}
		if len(out) > 0 {
			return out, ""
		}
		return nil, why
	},
	write: func(b []byte, v []Resolver) ([]byte, string) { return writeEach(b, v, writeResolver) },
	show:  func(v []Resolver) string { return join(v) },
	scan: func(s string) ([]Resolver, error) {
		return scanEach(s, func(s string) (r Resolver, err error) {
			words := strings.Fields(s)
			if len(words) < 2 {
				return r, fmt.Errorf("%q: a priority and a name are needed", s)
			}
			if r.Priority, err = u16.scan(words[0]); err != nil {
				return r, err
			}
			r.Name = words[1]
			for _, w := range words[2:] {
				a, err := scanAddr(w)
				if err != nil {
					return r, err
				}
				r.Addrs = append(r.Addrs, a)
			}
			return r, nil
		})
	},
	data: func(v []Resolver) any { return v },
	// Name only: the addresses are to be looked up.
	example: "1 dot.example.com 192.0.2.53",
}

func resolver(b []byte) (r Resolver, why string) {
	if len(b) < 3 || len(b) < 3+int(b[2]) {
		return r, "an entry without a whole name"
	}
	r.Priority = binary.BigEndian.Uint16(b)
	name, rest := b[3:3+int(b[2])], b[3+int(b[2]):]
	var end int
	if r.Name, end, why = domain(name, 0); why != "" {
		return r, why
	}
	if end != len(name) {
		return r, "bytes after the name"
	}
	if len(rest) == 0 {
		return r, "" // by name alone (RFC 9463, section 5.1)
	}
	n := int(rest[0])
	if len(rest) < 1+n {
		return r, "the addresses are cut off"
	}
	if r.Addrs, why = addrs.parse(rest[1 : 1+n]); why != "" {
		return r, why
	}
	r.Params = rest[1+n:]
	return r, r.readParams()
}

// The service parameters that are read, and the two that must not come by DHCP:
// addresses are in the option itself (RFC 9463, section 3.1.8).
const (
	paramALPN     = 1
	paramPort     = 3
	paramIPv4Hint = 4
	paramIPv6Hint = 6
)

// readParams walks the keys of RFC 9460, section 2.2.
func (r *Resolver) readParams() string {
	for b := r.Params; len(b) > 0; {
		if len(b) < 4 || len(b) < 4+int(binary.BigEndian.Uint16(b[2:])) {
			return "the service parameters are cut off"
		}
		end := 4 + int(binary.BigEndian.Uint16(b[2:]))
		value, why := b[4:end], ""
		switch binary.BigEndian.Uint16(b) {
		case paramALPN:
			r.ALPN, why = alpn(value)
		case paramPort:
			if len(value) != 2 {
				return "a port that is no number"
			}
			r.Port = binary.BigEndian.Uint16(value)
		case paramIPv4Hint, paramIPv6Hint:
			why = "address hints among the service parameters"
		}
		if why != "" {
			return why
		}
		b = b[end:]
	}
	return ""
}

// alpn reads a list of protocols (RFC 9460, section 7.1.1). The registered ones
// are words, and only words are safe to hand on.
func alpn(b []byte) (out []string, why string) {
	for len(b) > 0 {
		n := int(b[0])
		if n == 0 || len(b) < 1+n {
			return nil, "the list of protocols is cut off"
		}
		id := string(b[1 : 1+n])
		if strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\"'`$\\", c) }) {
			return nil, fmt.Sprintf("%q is no protocol", id)
		}
		out, b = append(out, id), b[1+n:]
	}
	return out, ""
}

func writeResolver(b []byte, r Resolver) ([]byte, string) {
	start := len(b)
	b = append(b, 0, 0) // length, below
	b = binary.BigEndian.AppendUint16(b, r.Priority)
	b = append(b, 0)
	name := len(b)
	b, why := writeDomain(b, r.Name)
	if why != "" {
		return b[:start], why
	}
	b[name-1] = byte(len(b) - name)
	if len(r.Addrs) > 0 {
		b = append(b, byte(4*len(r.Addrs)))
		if b, why = writeEach(b, r.Addrs, writeAddr); why != "" {
			return b[:start], why
		}
		b = append(b, r.Params...)
	}
	binary.BigEndian.PutUint16(b[start:], uint16(len(b)-start-2))
	return b, ""
}

// SixRD is the value of option 212 (RFC 5969, section 7.1.1).
type SixRD struct {
	IPv4MaskLen int          `json:"ipv4_mask_length"`
	Prefix      netip.Prefix `json:"prefix"`
	Relays      []netip.Addr `json:"relays"` // border relays
}

var sixRD = &form[SixRD]{
	parse: func(b []byte) (v SixRD, why string) {
		if len(b) < 22 || (len(b)-18)%4 != 0 {
			return v, fmt.Sprintf("%d bytes, want 18 and a multiple of 4", len(b))
		}
		v.IPv4MaskLen = int(b[0])
		bits := int(b[1])
		if v.IPv4MaskLen > 32 || bits > 128 || 32-v.IPv4MaskLen+bits > 128 {
			return v, fmt.Sprintf("mask lengths %d and %d", v.IPv4MaskLen, bits)
		}
		v.Prefix = netip.PrefixFrom(netip.AddrFrom16([16]byte(b[2:18])), bits).Masked()
		v.Relays, why = addrs.parse(b[18:])
		return v, why
	},
	write: func(b []byte, v SixRD) ([]byte, string) {
		if !v.Prefix.Addr().Is6() {
			return b, fmt.Sprintf("%v is no IPv6 prefix", v.Prefix)
		}
		p := v.Prefix.Addr().As16()
		b = append(b, byte(v.IPv4MaskLen), byte(v.Prefix.Bits()))
		return addrs.write(append(b, p[:]...), v.Relays)
	},
	show: func(v SixRD) string { return fmt.Sprintf("%d %v %s", v.IPv4MaskLen, v.Prefix, join(v.Relays)) },
	scan: func(s string) (v SixRD, err error) {
		words := strings.Fields(s)
		if len(words) != 3 {
			return v, fmt.Errorf("%q: a mask length, a prefix and relays are needed", s)
		}
		n, err := u8.scan(words[0])
		if err != nil {
			return v, err
		}
		v.IPv4MaskLen = int(n)
		if v.Prefix, err = netip.ParsePrefix(words[1]); err != nil {
			return v, err
		}
		v.Relays, err = addrs.scan(words[2])
		return v, err
	},
	example: "14 2001:db8::/32 192.0.2.1",
}

func wantMore(b []byte, n int) string {
	return fmt.Sprintf("%d bytes, want %d or more", len(b), n)
}
