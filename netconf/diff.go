package netconf

import (
	"net/netip"
	"slices"
)

// A change is one request to the kernel about a route.
type change struct {
	op    op
	route Route
	old   Route // of opReplace: what it takes the place of
}

type op uint8

const (
	opAdd     op = iota + 1
	opReplace    // in one step, so that no packet finds a gap
	opDelete
)

// key is what the kernel tells routes apart by.
type key struct {
	dest   netip.Prefix
	metric int
	table  int
}

func (r Route) key() key { return key{r.Dest, r.Metric, r.Table} }

// diff returns what turns the routes that we made into those that we want: new
// ones first, in their order, because a later one may need an earlier one; then
// what is too many, in reverse order.
func diff(have, want []Route) (out []change) {
	for _, w := range want {
		if slices.Contains(have, w) {
			continue
		}
		c := change{op: opAdd, route: w}
		for _, h := range have {
			if h.key() == w.key() {
				c.op, c.old = opReplace, h
			}
		}
		out = append(out, c)
	}
	for _, h := range slices.Backward(have) {
		if !slices.ContainsFunc(want, func(w Route) bool { return w.key() == h.key() }) {
			out = append(out, change{op: opDelete, route: h})
		}
	}
	return out
}
