package system

import (
	"cmp"
	"slices"
)

// links are who says what, in the order in which they have their way: the
// lowest metric first.
type links[V any] []said[V]

// said is one link's say.
type said[V any] struct {
	Link   string `json:"link"`
	Metric int    `json:"metric"`
	Says   V      `json:"says"`
}

// give makes link say v, in place of what it said before.
func (l *links[V]) give(link string, metric int, v V) {
	l.take(link)
	*l = append(*l, said[V]{link, metric, v})
	slices.SortFunc(*l, func(a, b said[V]) int {
		return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Link, b.Link))
	})
}

// take takes link's say away, if it has one.
func (l *links[V]) take(link string) {
	*l = slices.DeleteFunc(slices.Clone(*l), func(s said[V]) bool { return s.Link == link })
}

// has reports whether link says anything.
func (l links[V]) has(link string) bool {
	return slices.ContainsFunc(l, func(s said[V]) bool { return s.Link == link })
}

// rename gives the say of one link to another, and the other's to it.
func (l links[V]) rename(from, to string) links[V] {
	var out links[V]
	for _, s := range l {
		name := s.Link
		switch name {
		case from:
			name = to
		case to:
			name = from
		}
		out.give(name, s.Metric, s.Says)
	}
	return out
}

// names are those who say anything.
func (l links[V]) names() (out []string) {
	for _, s := range l {
		out = append(out, s.Link)
	}
	return out
}
