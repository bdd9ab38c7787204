package netconf

import (
	"encoding/binary"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The link's parameters are asked of and told to the kernel by netlink, because
// /proc/sys is of whatever namespace the thread is in, may be read-only where
// services are confined, and has names with dots in it.

const (
	devconfARPFilter = 13 // IPV4_DEVCONF_ARPFILTER of linux/ip.h
	iflaInetConf     = 1  // IFLA_INET_CONF of linux/if_link.h
)

// execute makes requests on sockets, or on one for each if there are none.
func execute(sockets map[int]*nl.SocketHandle) func(*nl.NetlinkRequest) ([][]byte, error) {
	return func(req *nl.NetlinkRequest) ([][]byte, error) {
		req.Sockets = sockets
		return req.Execute(unix.NETLINK_ROUTE, 0)
	}
}

// each makes requests whose answers may be many, and are looked at one by one.
func each(sockets map[int]*nl.SocketHandle) func(*nl.NetlinkRequest, func([]byte) bool) error {
	return func(req *nl.NetlinkRequest, f func([]byte) bool) error {
		req.Sockets = sockets
		return req.ExecuteIter(unix.NETLINK_ROUTE, 0, f)
	}
}

func (k *netlinkKernel) linkRequest(kind int, flags int) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(kind, flags)
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(k.index())
	req.AddData(msg)
	return req
}

// arpFilter reads the link's arp_filter.
func (k *netlinkKernel) arpFilter() (int, error) {
	answer, err := k.execute(k.linkRequest(unix.RTM_GETLINK, 0))
	if err != nil {
		return 0, err
	}
	for _, m := range answer {
		if len(m) < unix.SizeofIfInfomsg {
			continue
		}
		b := m[unix.SizeofIfInfomsg:]
		for _, kind := range []uint16{unix.IFLA_AF_SPEC, unix.AF_INET, iflaInetConf} {
			b = attribute(b, kind)
		}
		if at := 4 * (devconfARPFilter - 1); len(b) >= at+4 {
			return int(int32(binary.NativeEndian.Uint32(b[at:]))), nil
		}
	}
	return 0, unix.EOPNOTSUPP
}

// attribute finds one attribute among those in b.
func attribute(b []byte, kind uint16) []byte {
	list, err := nl.ParseRouteAttr(b)
	if err != nil {
		return nil
	}
	for _, a := range slices.Backward(list) {
		if a.Attr.Type&^unix.NLA_F_NESTED == kind {
			return a.Value
		}
	}
	return nil
}

// setARPFilter sets the link's arp_filter.
func (k *netlinkKernel) setARPFilter(value int) error {
	req := k.linkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	spec := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	conf := spec.AddRtAttr(unix.AF_INET, nil).AddRtAttr(iflaInetConf, nil)
	conf.AddRtAttr(devconfARPFilter, nl.Uint32Attr(uint32(value)))
	req.AddData(spec)
	_, err := k.execute(req)
	return err
}
