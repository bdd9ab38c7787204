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

// devconf are the numbers of parameters (IPV4_DEVCONF_* of linux/ip.h).
var devconf = map[string]int{arpFilter: 13}

const iflaInetConf = 1 // IFLA_INET_CONF of linux/if_link.h

func execute(req *nl.NetlinkRequest) ([][]byte, error) { return req.Execute(unix.NETLINK_ROUTE, 0) }

// inside makes requests in a namespace, on a socket for each: the library
// shares no other.
func inside(n *Namespace) func(*nl.NetlinkRequest) ([][]byte, error) {
	return func(req *nl.NetlinkRequest) (out [][]byte, err error) {
		err = n.Enter(func() (err error) {
			out, err = execute(req)
			return err
		})
		return out, err
	}
}

func (k *netlinkKernel) linkRequest(kind int, flags int) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(kind, flags)
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(k.index())
	req.AddData(msg)
	return req
}

// sysctl reads one of the link's parameters.
func (k *netlinkKernel) sysctl(name string) (int, error) {
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
		if at := 4 * (devconf[name] - 1); len(b) >= at+4 {
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

// setSysctl sets one of the link's parameters.
func (k *netlinkKernel) setSysctl(name string, value int) error {
	req := k.linkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	spec := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	conf := spec.AddRtAttr(unix.AF_INET, nil).AddRtAttr(iflaInetConf, nil)
	conf.AddRtAttr(devconf[name], binary.NativeEndian.AppendUint32(nil, uint32(int32(value))))
	req.AddData(spec)
	_, err := k.execute(req)
	return err
}
