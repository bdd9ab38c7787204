package nettest

import (
	"fmt"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// vethInfoPeer is VETH_INFO_PEER of linux/veth.h.
const vethInfoPeer = 1

// newCable makes a pair of links: a here, b in the namespace of descriptor ns.
func newCable(a, b string, ns int) error {
	return newLink("veth", a, func(kind *nl.RtAttr) {
		peer := kind.AddRtAttr(nl.IFLA_INFO_DATA, nil).AddRtAttr(vethInfoPeer, nil)
		nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
		peer.AddRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(b))
		peer.AddRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(ns)))
	})
}

// newBridge makes a bridge.
func newBridge(name string) error { return newLink("bridge", name, func(*nl.RtAttr) {}) }

// newLink asks the kernel for a link (RTM_NEWLINK). netlink.LinkAdd would do
// the same, and bring 140 KB of code for kinds of links that nobody makes here
// into every program that shows a demonstration.
func newLink(kind, name string, more func(*nl.RtAttr)) error {
	req := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated(kind))
	more(info)
	req.AddData(info)
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return os.NewSyscallError("new link "+name, err)
}

// carrierTime bounds how long the kernel may take to notice a carrier; it does
// so beside whoever set the link up.
const carrierTime = 10 * time.Second

// Carry waits until a link can send. After [Host.SetUp] of either end of its
// cable the kernel sees to that by and by, and loses what is sent before.
func (h *Host) Carry(link string) error {
	for deadline := time.Now().Add(carrierTime); ; time.Sleep(time.Millisecond) {
		running := false
		err := h.onLink(link, func(l netlink.Link) error {
			running = l.Attrs().OperState == netlink.OperUp
			return nil
		})
		if err != nil || running {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s has no carrier after %v", link, carrierTime)
		}
	}
}
