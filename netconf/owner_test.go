package netconf

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWhatIsOursIsMarkedAndKnown(t *testing.T) {
	own, other := netip.MustParseAddr("192.0.2.77"), netip.MustParseAddr("192.0.2.78")
	noted := Route{Dest: netip.MustParsePrefix("10.0.0.0/8"), Src: other, Metric: 5}
	rule := Rule{From: own, Table: 100, Priority: 7}
	h := &Host{record: record{Index: 9, Routes: []Route{noted}, Rules: []Rule{rule}}}
	v := view{ours: []Address{{Prefix: netip.PrefixFrom(own, 24)}}}
	route := func(change func(*kernelRoute)) kernelRoute {
		r := kernelRoute{Route: Route{Dest: netip.MustParsePrefix("172.16.0.0/12"), Src: own}, here: true, plain: true, proto: protoDHCP}
		change(&r)
		return r
	}
	for name, tc := range map[string]struct {
		route kernelRoute
		ours  bool
	}{
		"from our address":              {route(func(*kernelRoute) {}), true},
		"noted":                         {route(func(r *kernelRoute) { r.Route = noted }), true},
		"in our table":                  {route(func(r *kernelRoute) { r.Src, r.Table = other, sourceTables+9 }), true},
		"from another address":          {route(func(r *kernelRoute) { r.Src = other }), false},
		"in another link's table":       {route(func(r *kernelRoute) { r.Src, r.Table = other, sourceTables+10 }), false},
		"noted, with another mark":      {route(func(r *kernelRoute) { r.Route, r.proto = noted, unix.RTPROT_STATIC }), false},
		"noted, by another link":        {route(func(r *kernelRoute) { r.Route, r.here = noted, false }), false},
		"of a kind that we do not make": {route(func(r *kernelRoute) { r.plain = false }), false},
	} {
		if got := h.ownsRoute(v, tc.route); got != tc.ours {
			t.Errorf("a route %s: %v", name, got)
		}
	}
	for name, tc := range map[string]struct {
		rule kernelRule
		ours bool
	}{
		"noted":                         {kernelRule{rule, true, protoDHCP}, true},
		"noted, on an old kernel":       {kernelRule{rule, true, 0}, true},
		"into our table":                {kernelRule{Rule{other, sourceTables + 9, 3}, true, protoDHCP}, true},
		"into our table, not marked":    {kernelRule{Rule{other, sourceTables + 9, 3}, true, 0}, false},
		"noted, with another mark":      {kernelRule{rule, true, unix.RTPROT_STATIC}, false},
		"into another table":            {kernelRule{Rule{own, 100, 8}, true, protoDHCP}, false},
		"of a kind that we do not make": {kernelRule{rule, false, protoDHCP}, false},
	} {
		if got := h.ownsRule(tc.rule); got != tc.ours {
			t.Errorf("a rule %s: %v", name, got)
		}
	}
}
