package netconf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// hearing is a subscription to the real kernel's messages.
type hearing struct {
	ns    *Namespace
	file  *os.File
	out   chan notice
	done  chan struct{}
	ended chan struct{}
}

// heardGroups are the kinds of messages that are heard.
const heardGroups = 1<<(unix.RTNLGRP_LINK-1) | 1<<(unix.RTNLGRP_IPV4_IFADDR-1) | 1<<(unix.RTNLGRP_IPV4_ROUTE-1) | 1<<(unix.RTNLGRP_IPV4_RULE-1)

// subscribe begins to hear of a namespace. The list of present links comes by
// the same socket as the changes, so nothing falls in between.
func subscribe(ns *Namespace) (subscription, error) {
	s := &hearing{ns: ns, out: make(chan notice), done: make(chan struct{}), ended: make(chan struct{})}
	err := ns.Enter(func() (err error) {
		s.file, err = openHearing()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("watch links: %w", err)
	}
	go s.listen()
	return s, nil
}

// openHearing opens the socket, and asks for the list of links.
func openHearing() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "netlink")
	filter := unneeded()
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: heardGroups})
	}
	if err == nil {
		req := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
		req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
		err = unix.Sendto(fd, req.Serialize(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// unneeded is a filter that keeps from us what nothing is done about: on a
// router that learns routes there are thousands of messages about those a
// second, and none may wake us up.
func unneeded() []unix.SockFilter {
	const drop, accept = 0, 0xffffffff
	kind := func(k uint16) uint32 { // the filter reads the kernel's own numbers as the network's
		return uint32(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, k)))
	}
	const load, equal, give = unix.BPF_LD | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	return []unix.SockFilter{
		{Code: load | unix.BPF_H, K: 4}, // nlmsg_type
		{Code: equal, Jt: 5, K: kind(unix.RTM_NEWROUTE)},
		{Code: equal, Jt: 4, K: kind(unix.RTM_NEWRULE)},
		{Code: equal, Jf: 2, K: kind(unix.RTM_DELROUTE)},
		{Code: load | unix.BPF_B, K: unix.SizeofNlMsghdr + 5}, // rtm_protocol
		{Code: equal, Jf: 1, K: protoDHCP},
		{Code: give, K: accept},
		{Code: give, K: drop},
	}
}

// maxMessage is the most that the kernel tells at once.
const maxMessage = 32 << 10

// listen tells what the kernel says until it has lost some of it, or close is
// called.
func (s *hearing) listen() {
	defer close(s.ended)
	defer close(s.out)
	conn, err := s.file.SyscallConn()
	if err != nil {
		return
	}
	b := make([]byte, maxMessage)
	for {
		n, err := receive(conn, b)
		if err != nil {
			return
		}
		list, err := syscall.ParseNetlinkMessage(b[:n])
		if err != nil {
			return
		}
		for _, m := range list {
			if m.Header.Flags&unix.NLM_F_DUMP_INTR != 0 { // the list may lack some
				return
			}
			if told, ok := noticeOf(m); ok && !s.tell(told) {
				return
			}
		}
	}
}

func (s *hearing) tell(n notice) bool {
	select {
	case s.out <- n:
		return true
	case <-s.done:
		return false
	}
}

// receive waits for a message of the kernel's. A socket whose buffer was full
// says so by an error.
func receive(conn syscall.RawConn, b []byte) (n int, err error) {
	errConn := conn.Read(func(fd uintptr) bool {
		var from unix.Sockaddr
		var flags int
		n, _, flags, from, err = unix.Recvmsg(int(fd), b, nil, 0)
		if a, ok := from.(*unix.SockaddrNetlink); err == nil && (!ok || a.Pid != 0) {
			return false // anybody can send to a netlink socket
		}
		if err == nil && flags&unix.MSG_TRUNC != 0 {
			err = unix.EMSGSIZE
		}
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	})
	if errConn != nil {
		err = errConn
	}
	return n, err
}

// noticeOf is a message in our words, if there are any for it.
func noticeOf(m syscall.NetlinkMessage) (n notice, ok bool) {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		return linkNotice(m)
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		if len(m.Data) < unix.SizeofIfAddrmsg {
			return n, false
		}
		n.kind = addrAdded
		if m.Header.Type == unix.RTM_DELADDR {
			n.kind = addrDeleted
		}
		n.Index = int(binary.NativeEndian.Uint32(m.Data[4:]))
		ip, ok := netip.AddrFromSlice(attribute(m.Data[unix.SizeofIfAddrmsg:], unix.IFA_LOCAL))
		n.prefix = netip.PrefixFrom(ip, int(m.Data[1]))
		return n, ok
	case unix.RTM_DELROUTE:
		n.kind = otherLost
		n.Index = number(m, unix.RTA_OIF)
	case unix.RTM_DELRULE:
		n.kind = otherLost
		n.Index = indexOfTable(number(m, unix.RTA_TABLE))
	}
	return n, n.Index > 0
}

// number is an attribute of a message about a route or a rule; 0 without.
func number(m syscall.NetlinkMessage, kind uint16) int {
	if len(m.Data) < unix.SizeofRtMsg {
		return 0
	}
	b := attribute(m.Data[unix.SizeofRtMsg:], kind)
	if len(b) < 4 {
		return 0
	}
	return int(binary.NativeEndian.Uint32(b))
}

func linkNotice(m syscall.NetlinkMessage) (n notice, ok bool) {
	if len(m.Data) < unix.SizeofIfInfomsg {
		return n, false
	}
	info := nl.DeserializeIfInfomsg(m.Data)
	header := unix.NlMsghdr(m.Header)
	l, err := netlink.LinkDeserialize(&header, m.Data)
	if err != nil || info.Family != unix.AF_UNSPEC { // a bridge speaks of its ports, and of those that leave it
		return n, false
	}
	a := l.Attrs()
	n.Link = Link{
		Index: a.Index, Name: a.Name, Addr: slices.Clone(a.HardwareAddr), Type: info.Type, Flags: a.RawFlags,
		Carrier: hasCarrier(a.RawFlags), Port: isPort(a), Gone: m.Header.Type == unix.RTM_DELLINK,
	}
	return n, true
}

func (s *hearing) notices() <-chan notice { return s.out }

// isPort reports whether a link has a master that takes its packets. That of a
// VRF does not: it has a routing table.
func isPort(a *netlink.LinkAttrs) bool {
	_, isVRF := a.Slave.(*netlink.VrfSlave)
	return a.MasterIndex != 0 && !isVRF
}

func (s *hearing) present() ([]int, error) { return s.ns.socket.indexes() }

// close ends the goroutine, whether it waits for the kernel or for a reader.
func (s *hearing) close() {
	close(s.done)
	_ = s.file.Close() // nothing was written
	<-s.ended
}

// hasLink reports whether a namespace has a link of this index; the caller's
// own, if ns is nil.
func hasLink(ns *Namespace, index int) (bool, error) {
	if ns != nil {
		return ns.socket.has(index)
	}
	return threadCalls().has(index)
}

func (c *calls) has(index int) (bool, error) {
	_, err := c.linkByIndex(index)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return false, nil
	}
	return err == nil, err
}
