package resolv

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Config is what one link's lease says of names.
type Config struct {
	Servers []netip.Addr `json:"servers,omitempty"` // option 6, the preferred first
	Domain  string       `json:"domain,omitempty"`  // option 15
	Search  []string     `json:"search,omitempty"`  // option 119

	// Encrypted are those resolvers of option 162 that speak DNS over TLS
	// and came with addresses, the preferred first.
	Encrypted []Encrypted `json:"encrypted,omitempty"`

	// Metric is that of the link's routes: of several links, the one with
	// the lowest is asked first.
	Metric int `json:"metric,omitempty"`
}

// An Encrypted is a resolver that speaks DNS over TLS (RFC 7858), and the name
// that its certificate must be for.
type Encrypted struct {
	Name  string       `json:"name"`
	Addrs []netip.Addr `json:"addresses"`
	Port  uint16       `json:"port,omitempty"` // 0: 853
}

// IsZero reports whether c says nothing.
func (c Config) IsZero() bool {
	return len(c.Servers) == 0 && c.Domain == "" && len(c.Search) == 0 && len(c.Encrypted) == 0
}

// Equal reports whether c and o say the same.
func (c Config) Equal(o Config) bool {
	same := func(a, b Encrypted) bool {
		return a.Name == b.Name && a.Port == b.Port && slices.Equal(a.Addrs, b.Addrs)
	}
	return slices.Equal(c.Servers, o.Servers) && c.Domain == o.Domain && slices.Equal(c.Search, o.Search) &&
		slices.EqualFunc(c.Encrypted, o.Encrypted, same) && c.Metric == o.Metric
}

// search is the list of domains to search: option 119, and 15 where that is not
// among them.
func (c Config) search() (out []string) {
	for _, d := range append(slices.Clone(c.Search), c.Domain) {
		d = strings.TrimSuffix(d, ".")
		if d != "" && !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, d) }) {
			out = append(out, d)
		}
	}
	return out
}

// check refuses what could say more, in a file, to a program, or on a bus, than
// the name of a domain. Names out of messages have been checked when those were
// read; these may come from settings, or from a disk.
func (c Config) check() error {
	names := append(slices.Clone(c.Search), c.Domain)
	for _, e := range c.Encrypted {
		names = append(names, e.Name)
	}
	for _, n := range names {
		if n != "" && !isDomain(n) {
			return &NameError{n}
		}
	}
	for _, a := range c.Servers {
		if !a.IsValid() || a.Zone() != "" {
			return fmt.Errorf("%v is no address of a name server", a)
		}
	}
	return nil
}

// A NameError says that something is not the name of a domain, and that the
// resolver was left as it is.
type NameError struct{ Name string }

// Error quotes at most the beginning of the name.
func (e *NameError) Error() string {
	const most = 80
	name, more := e.Name, ""
	if len(name) > most {
		name, more = name[:most], "…"
	}
	return fmt.Sprintf("%q%s is not the name of a domain: want letters, digits, hyphens, underscores and dots, 253 bytes at most", name, more)
}

// isDomain tells by RFC 1035, section 2.3.4; the underscore is used in practice.
func isDomain(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if len(name) == 0 || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-') {
				return false
			}
		}
	}
	return true
}
