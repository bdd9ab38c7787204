package resolv

import (
	"net/netip"
	"slices"
	"strings"
)

// linkState is all of it.
type linkState struct {
	linkNames
	modes linkModes
	asks  bool // it can ask its servers now
}

// guess tells what somebody has said of the default route. The property is
// what is in effect: by itself, a link answers for all names if it has servers
// that can be asked and no domain that is for routing only.
func (s *linkState) guess() {
	switch {
	case s.Default == s.implied():
	case s.Default:
		s.Set = yes
	case s.asks:
		s.Set = no
	}
}

// implied reports whether the link answers for all names by itself.
func (s *linkState) implied() bool {
	return s.asks && !slices.ContainsFunc(s.Domains, func(d linkDomain) bool { return d.Route })
}

// The words of linkNames.Set.
const (
	yes = "yes"
	no  = "no"
)

// property reads one property. Versions before 246 have no DNSEx.
func (s *linkState) property(name string, value any) {
	switch name {
	case "DNSEx":
		s.Servers = nil
		eachStruct(value, 4, func(f []any) { s.addServer(f) })
	case "DNS":
		if s.Servers == nil {
			eachStruct(value, 2, func(f []any) { s.addServer(f) })
		}
	case "Domains":
		eachStruct(value, 2, func(f []any) {
			d, _ := f[0].(string)
			only, _ := f[1].(bool)
			s.Domains = append(s.Domains, linkDomain{d, only})
		})
	case "ScopesMask":
		mask, _ := value.(uint64)
		s.asks = mask&1 != 0 // SD_RESOLVED_DNS
	case "DefaultRoute":
		s.Default, _ = value.(bool)
	case modeNegative:
		var names []string
		list, _ := value.([]any)
		for _, n := range list {
			name, _ := n.(string)
			names = append(names, name)
		}
		slices.Sort(names) // it is a set there
		s.modes[name] = strings.Join(names, " ")
	default:
		if mode, ok := value.(string); ok && slices.Contains(modeNames(), name) {
			s.modes[name] = mode
		}
	}
}

func eachStruct(value any, fields int, f func([]any)) {
	list, _ := value.([]any)
	for _, e := range list {
		if s, _ := e.([]any); len(s) == fields {
			f(s)
		}
	}
}

func (s *linkState) addServer(f []any) {
	raw, _ := f[1].([]byte)
	a, ok := netip.AddrFromSlice(raw)
	if !ok {
		return
	}
	server := linkServer{Addr: a}
	if len(f) == 4 {
		server.Port, _ = f[2].(uint16)
		server.Name, _ = f[3].(string)
	}
	s.Servers = append(s.Servers, server)
}
