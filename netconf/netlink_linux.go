package netconf

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// calls are the library's functions that we use: those of the package, which
// act in the calling thread's namespace, or those of a netlink.Handle, which
// act in its own.
type calls struct {
	linkByName   func(string) (netlink.Link, error)
	linkByIndex  func(int) (netlink.Link, error)
	linkList     func() ([]netlink.Link, error)
	linkSetMTU   func(netlink.Link, int) error
	linkSetUp    func(netlink.Link) error
	linkSetDown  func(netlink.Link) error
	addrList     func(netlink.Link, int) ([]netlink.Addr, error)
	addrAdd      func(netlink.Link, *netlink.Addr) error
	addrReplace  func(netlink.Link, *netlink.Addr) error
	addrDel      func(netlink.Link, *netlink.Addr) error
	routeList    func(family int, filter *netlink.Route, mask uint64, f func(netlink.Route) bool) error
	routeAdd     func(*netlink.Route) error
	routeReplace func(*netlink.Route) error
	routeDel     func(*netlink.Route) error
	execute      func(*nl.NetlinkRequest) ([][]byte, error) // what the library has no function for
	each         func(*nl.NetlinkRequest, func([]byte) bool) error
}

// threadCalls act in the namespace of whatever thread calls them.
func threadCalls() *calls {
	return &calls{
		netlink.LinkByName, netlink.LinkByIndex, netlink.LinkList,
		netlink.LinkSetMTU, netlink.LinkSetUp, netlink.LinkSetDown,
		netlink.AddrList, netlink.AddrAdd, netlink.AddrReplace, netlink.AddrDel,
		netlink.RouteListFilteredIter, netlink.RouteAdd, netlink.RouteReplace, netlink.RouteDel,
		execute(nil), each(nil),
	}
}

// answerWait bounds the wait for the kernel, which answers at once unless
// something is very wrong.
const answerWait = 10 * time.Second

// openSocket opens a socket in the namespace of the calling thread. What it
// returns acts there, whoever calls it later.
func openSocket() (s socket, err error) {
	h, err := netlink.NewHandleWithOptions(netlink.HandleOptions{DisableVFInfoCollection: true}, unix.NETLINK_ROUTE)
	if err != nil {
		return s, err
	}
	own, err := nl.Subscribe(unix.NETLINK_ROUTE) // to nothing; the Handle shares none
	if err != nil {
		return s, errors.Join(err, h.Close())
	}
	wait := unix.NsecToTimeval(int64(answerWait))
	closeBoth := func() error { return errors.Join(h.Close(), own.Close()) }
	if err := errors.Join(h.SetSocketTimeout(answerWait), own.SetSendTimeout(&wait), own.SetReceiveTimeout(&wait)); err != nil {
		return s, errors.Join(err, closeBoth())
	}
	sockets := map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: own}}
	c := &calls{
		h.LinkByName, h.LinkByIndex, h.LinkList,
		h.LinkSetMTU, h.LinkSetUp, h.LinkSetDown,
		h.AddrList, h.AddrAdd, h.AddrReplace, h.AddrDel,
		h.RouteListFilteredIter, h.RouteAdd, h.RouteReplace, h.RouteDel,
		execute(sockets), each(sockets),
	}
	return socket{link: c.kernelOf, rules: c.rulesKernel, has: c.has, indexes: c.indexes, close: closeBoth}, nil
}

// netlinkKernel is the real kernel.
type netlinkKernel struct {
	*calls
	link netlink.Link // its index, which is all that the calls look at
}

// openKernel finds a link by any of its names.
func openKernel(ns *Namespace, name string) (kernel, linkNow, error) {
	if ns != nil {
		return ns.socket.link(name)
	}
	return threadCalls().kernelOf(name)
}

func (c *calls) kernelOf(name string) (_ kernel, now linkNow, err error) {
	l, err := c.linkByName(name)
	if err != nil {
		return kernel{}, now, noLink(err)
	}
	k := &netlinkKernel{c, &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: l.Attrs().Index}}}
	return kernel{
		now: k.now, up: k.up, down: k.down, setMTU: k.setMTU,
		addrs: k.addrs, addAddr: k.addAddr, replaceAddr: k.replaceAddr, delAddr: k.delAddr, putBack: k.putBack,
		elsewhere: k.elsewhere, routes: k.routes, addRoute: k.addRoute, replaceRoute: k.replaceRoute, delRoute: k.delRoute,
		belongings: k.belongings, restore: k.restore, carries: k.carries,
		rules: c.rules, addRule: c.addRule, delRule: c.delRule, arpFilter: k.arpFilter, setARPFilter: k.setARPFilter,
	}, c.nowOf(l.Attrs()), nil
}

// carries reports whether another link that is up is on top of this one. The
// other end of a cable is not, and in another namespace indexes are others.
func (k *netlinkKernel) carries() (is bool, err error) {
	var list []netlink.Link
	err = dump(func() (err error) {
		list, err = k.linkList()
		return err
	})
	return slices.ContainsFunc(list, func(l netlink.Link) bool {
		a := l.Attrs()
		_, isCable := l.(*netlink.Veth)
		return a.ParentIndex == k.index() && a.NetNsID < 0 && a.RawFlags&unix.IFF_UP != 0 && !isCable
	}), err
}

// indexes lists all links.
func (c *calls) indexes() (out []int, err error) {
	var list []netlink.Link
	err = dump(func() (err error) {
		list, err = c.linkList()
		return err
	})
	for _, l := range list {
		out = append(out, l.Attrs().Index)
	}
	return out, err
}

// noLink puts our word for the library's.
func noLink(err error) error {
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return ErrNoLink
	}
	return err
}

func (k *netlinkKernel) index() int { return k.link.Attrs().Index }

func (k *netlinkKernel) now() (linkNow, error) {
	l, err := k.linkByIndex(k.index())
	if err != nil {
		return linkNow{}, noLink(err)
	}
	return k.nowOf(l.Attrs()), nil
}

func (c *calls) nowOf(a *netlink.LinkAttrs) linkNow {
	return linkNow{
		vrf:   c.vrfOf(a),
		index: a.Index, name: a.Name, mtu: a.MTU, up: a.RawFlags&unix.IFF_UP != 0, carrier: hasCarrier(a.RawFlags),
		wired: a.EncapType == "ether" || a.EncapType == "infiniband" || a.EncapType == "ieee1394", enslaved: a.MasterIndex != 0,
	}
}

// vrfOf is the table of the VRF that a link belongs to.
func (c *calls) vrfOf(a *netlink.LinkAttrs) int {
	if a.MasterIndex == 0 {
		return 0
	}
	master, err := c.linkByIndex(a.MasterIndex)
	if vrf, ok := master.(*netlink.Vrf); ok && err == nil {
		return int(vrf.Table)
	}
	return 0
}

func (k *netlinkKernel) setMTU(mtu int) error { return k.linkSetMTU(k.link, mtu) }
func (k *netlinkKernel) up() error            { return k.linkSetUp(k.link) }
func (k *netlinkKernel) down() error          { return k.linkSetDown(k.link) }

// dumpTries bounds how often a list is asked for that changes while the kernel
// tells it.
const dumpTries = 10

func dump(list func() error) (err error) {
	for range dumpTries {
		if err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return err
}

func (k *netlinkKernel) addrs() (out []kernelAddr, err error) {
	var list []netlink.Addr
	err = dump(func() (err error) {
		list, err = k.addrList(k.link, netlink.FAMILY_ALL)
		return err
	})
	for _, a := range list {
		out = append(out, kernelAddr{
			Prefix: prefixOf(a.IPNet), Peer: prefixOf(a.Peer), Broadcast: addrOf(a.Broadcast), Label: a.Label,
			Scope: a.Scope, Flags: a.Flags, Proto: a.Protocol,
			Valid: lifetime(a.ValidLft), Preferred: lifetime(a.PreferedLft),
		})
	}
	return out, err
}

// elsewhere lists the addresses of other links.
func (k *netlinkKernel) elsewhere() (out []netip.Prefix, err error) {
	var list []netlink.Addr
	err = dump(func() (err error) {
		list, err = k.addrList(nil, netlink.FAMILY_V4)
		return err
	})
	for _, a := range list {
		if a.LinkIndex != k.index() {
			out = append(out, prefixOf(a.IPNet))
		}
	}
	return out, err
}

// addr builds the library's value anew for each call, because the library
// writes into it.
func addr(a Address, left time.Duration) *netlink.Addr {
	out := &netlink.Addr{
		IPNet:    ipNet(a.Prefix),
		Flags:    unix.IFA_F_NOPREFIXROUTE, // the prefix's route is ours, with our metric
		Protocol: protoDHCP,
	}
	if a.Broadcast.IsValid() {
		out.Broadcast = a.Broadcast.AsSlice()
	}
	if left > 0 { // both zero is for ever
		out.ValidLft, out.PreferedLft = int(left/time.Second), int(left/time.Second)
	}
	return out
}

func (k *netlinkKernel) addAddr(a Address, left time.Duration) error {
	return k.addrAdd(k.link, addr(a, left))
}

func (k *netlinkKernel) replaceAddr(a Address, left time.Duration) error {
	return k.addrReplace(k.link, addr(a, left))
}

func (k *netlinkKernel) delAddr(p netip.Prefix) error {
	return k.addrDel(k.link, &netlink.Addr{IPNet: ipNet(p)})
}

func (k *netlinkKernel) putBack(a kernelAddr) error {
	out := &netlink.Addr{
		IPNet: ipNet(a.Prefix), Label: a.Label, Scope: a.Scope, Protocol: a.Proto,
		Flags:     a.Flags &^ (unix.IFA_F_SECONDARY | unix.IFA_F_PERMANENT), // the kernel's to say
		Broadcast: net.IPv4zero,                                             // the library's word for none
	}
	if a.Broadcast.IsValid() {
		out.Broadcast = a.Broadcast.AsSlice()
	}
	if a.Peer.IsValid() {
		out.Peer = ipNet(a.Peer)
	}
	if a.Valid > 0 {
		out.ValidLft, out.PreferedLft = int(a.Valid/time.Second), int(a.Preferred/time.Second)
	}
	return k.addrAdd(k.link, out)
}
