package system

import (
	"fmt"
	"net/netip"
	"slices"
)

// said is one link's say.
type said struct {
	Link    string       `json:"link"`
	Metric  int          `json:"metric"`
	Name    string       `json:"name,omitempty"` // of the host, or of the zone
	Always  bool         `json:"always,omitempty"`
	Servers []netip.Addr `json:"servers,omitempty"`
}

// links are who says what, in the order in which they have their way: the
// lowest metric first.
type links []said

// give makes a link say s, in place of what it said before.
func (l *links) give(s said) {
	l.take(s.Link)
	all := append(*l, s)
	for i := len(all) - 1; i > 0 && all[i].before(&all[i-1]); i-- {
		all[i], all[i-1] = all[i-1], all[i]
	}
	*l = all
}

// before reports whether s has its way against o.
func (s *said) before(o *said) bool {
	return s.Metric < o.Metric || s.Metric == o.Metric && s.Link < o.Link
}

// take takes link's say away, if it has one.
func (l *links) take(link string) {
	var out links
	for _, s := range *l {
		if s.Link != link {
			out = append(out, s)
		}
	}
	*l = out
}

// has reports whether link says anything.
func (l links) has(link string) bool {
	return slices.Contains(l.names(), link)
}

// rename gives the say of one link to another, and the other's to it.
func (l links) rename(from, to string) (out links) {
	for _, s := range l {
		switch s.Link {
		case from:
			s.Link = to
		case to:
			s.Link = from
		}
		out.give(s)
	}
	return out
}

// names are those who say anything.
func (l links) names() (out []string) {
	for _, s := range l {
		out = append(out, s.Link)
	}
	return out
}

// hasItsWay tells a link that does not who does.
func (s *said) hasItsWay() string {
	return fmt.Sprintf("%s comes first, by its lower metric, and says %q", s.Link, s.Name)
}
