package netconf

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func (k *netlinkKernel) route(r Route) *netlink.Route {
	out := &netlink.Route{
		LinkIndex: k.index(), Dst: ipNet(r.Dest), Src: r.Src.AsSlice(),
		Priority: r.Metric, Protocol: protoDHCP, Table: TableMain,
	}
	if r.Gateway.IsValid() {
		out.Gw = r.Gateway.AsSlice()
	} else {
		out.Scope = netlink.SCOPE_LINK
	}
	if r.Table != 0 {
		out.Table = r.Table
	}
	if r.OnLink {
		out.Flags = int(netlink.FLAG_ONLINK)
	}
	return out
}

func (k *netlinkKernel) addRoute(r Route) error     { return k.routeAdd(k.route(r)) }
func (k *netlinkKernel) replaceRoute(r Route) error { return k.routeReplace(k.route(r)) }
func (k *netlinkKernel) delRoute(r Route) error     { return k.routeDel(k.route(r)) }

func (k *netlinkKernel) routes(which func(kernelRoute) bool) (out []kernelRoute, err error) {
	err = dump(func() error {
		out = nil
		anyTable := &netlink.Route{Table: unix.RT_TABLE_UNSPEC}
		return k.routeList(netlink.FAMILY_V4, anyTable, netlink.RT_FILTER_TABLE, func(r netlink.Route) bool {
			if have := k.routeOf(r); r.Tos == 0 && r.Table != tableLocal && which(have) { // another TOS is another key
				out = append(out, have)
			}
			return true
		})
	})
	return out, err
}

func (k *netlinkKernel) routeOf(r netlink.Route) kernelRoute {
	out := Route{
		Dest: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Gateway: addrOf(r.Gw), OnLink: r.Flags&int(netlink.FLAG_ONLINK) != 0,
		Src: addrOf(r.Src), Metric: r.Priority,
	}
	if r.Dst != nil {
		out.Dest = prefixOf(r.Dst)
	}
	if r.Table != TableMain {
		out.Table = r.Table
	}
	return kernelRoute{
		Route: out, here: r.LinkIndex == k.index(), proto: int(r.Protocol),
		plain: r.Type == unix.RTN_UNICAST && len(r.MultiPath) == 0 && r.Via == nil && r.Encap == nil,
	}
}
