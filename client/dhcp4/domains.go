package dhcp4

import (
	"fmt"
	"strings"
)

// maxDomains bounds what a list of names may swell to, in bytes: by compression
// two bytes say 250. It is far more than any host searches.
const maxDomains = 16 << 10

// domains is a list of names as RFC 1035, section 3.1 writes them, compressed
// or not (RFC 3397).
var domains = &form[[]string]{
	parse: func(b []byte) ([]string, string) {
		if len(b) == 0 {
			return nil, "empty"
		}
		var out []string
		size := 0
		for i := 0; i < len(b); {
			name, next, why := domain(b, i)
			if why != "" {
				return nil, why
			}
			if size += len(name); size > maxDomains {
				return nil, fmt.Sprintf("names of more than %d bytes", maxDomains)
			}
			out = append(out, name)
			i = next
		}
		return out, ""
	},
	write:   func(b []byte, v []string) ([]byte, string) { return writeEach(b, v, writeDomain) },
	show:    func(v []string) string { return join(v) },
	scan:    func(s string) ([]string, error) { return scanEach(s, freeText.scan) },
	example: "example.com,example.org",
}

// domain reads the name at b[i] and returns where the next one begins. A
// pointer is an offset into the whole value and must lead backwards; since
// each one does, none can loop.
func domain(b []byte, i int) (name string, next int, why string) {
	var out strings.Builder
	floor := i // pointers must lead before this
	next = -1
	for {
		if i >= len(b) {
			return "", 0, "a name runs past the end"
		}
		switch n := int(b[i]); {
		case n == 0:
			if next < 0 {
				next = i + 1
			}
			if out.Len() == 0 {
				return "", 0, "an empty name"
			}
			return out.String(), next, ""
		case n < 64:
			if i+1+n > len(b) {
				return "", 0, "a label runs past the end"
			}
			label := b[i+1 : i+1+n]
			if why := badLabel(label); why != "" {
				return "", 0, why
			}
			if out.Len() > 0 {
				out.WriteByte('.')
			}
			out.Write(label)
			if out.Len() > 253 {
				return "", 0, "a name of more than 255 bytes"
			}
			i += 1 + n
		case n >= 192:
			if i+2 > len(b) {
				return "", 0, "half a compression pointer"
			}
			to := n&63<<8 | int(b[i+1])
			if to >= floor {
				return "", 0, fmt.Sprintf("a compression pointer from %d to %d does not lead backwards", i, to)
			}
			if next < 0 {
				next = i + 2
			}
			i, floor = to, to
		default:
			return "", 0, fmt.Sprintf("label type %#x", n&192)
		}
	}
}

// writeDomain writes one name, uncompressed.
func writeDomain(b []byte, name string) ([]byte, string) {
	name = strings.TrimSuffix(name, ".")
	if why := badName(name); why != "" {
		return b, why
	}
	for label := range strings.SplitSeq(name, ".") {
		b = append(b, byte(len(label)))
		b = append(b, label...)
	}
	return append(b, 0), ""
}
