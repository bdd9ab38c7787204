package socket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Only one question is asked of the kernel before the first message leaves,
// about one interface: to list all of them takes milliseconds on hosts with
// thousands of containers. One RTM_GETLINK says all, and at one instant; the
// ioctls would be four, and cut InfiniBand's addresses at 14 bytes.

// From the kernel's headers; x/sys lacks the latter two.
const (
	longestName    = unix.IFNAMSIZ - 1 // of an interface's own name, in bytes
	longestAltName = 128 - 1           // of an alternative one: ALTIFNAMSIZ less the final zero
	skipStats      = 1 << 3            // RTEXT_FILTER_SKIP_STATS
)

// askLink returns the interface of that name and its type (ARPHRD_*), or
// ENODEV.
func askLink(name string) (Link, uint16, error) {
	if name == "" || strings.ContainsRune(name, 0) || len(name) > longestAltName {
		return Link{}, 0, unix.ENODEV // the kernel knows no such names
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return Link{}, 0, fmt.Errorf("netlink socket: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Sendto(fd, linkRequest(name), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return Link{}, 0, fmt.Errorf("netlink request: %w", err)
	}
	// The answer has some 2 KB; the kernel's own limit for one is 32 KB.
	b := make([]byte, 32<<10)
	n, _, err := unix.Recvfrom(fd, b, 0)
	if err != nil {
		return Link{}, 0, fmt.Errorf("netlink answer: %w", err)
	}
	msgs, err := syscall.ParseNetlinkMessage(b[:n])
	if err != nil || len(msgs) == 0 {
		return Link{}, 0, errors.Join(errors.New("netlink answer is malformed"), err)
	}
	return readLink(&msgs[0])
}

// linkRequest is an RTM_GETLINK:
//
//	 0  16 bytes: struct nlmsghdr
//	16  16 bytes: struct ifinfomsg, all zero
//	32   8 bytes: attribute IFLA_EXT_MASK, to leave out the statistics
//	40   attribute IFLA_IFNAME or IFLA_ALT_IFNAME
func linkRequest(name string) []byte {
	attr := uint16(unix.IFLA_IFNAME)
	if len(name) > longestName {
		attr = unix.IFLA_ALT_IFNAME
	}
	ne := binary.NativeEndian
	b := make([]byte, unix.SizeofNlMsghdr+unix.SizeofIfInfomsg, 64)
	ne.PutUint16(b[4:], unix.RTM_GETLINK)
	ne.PutUint16(b[6:], unix.NLM_F_REQUEST)
	b = ne.AppendUint16(b, unix.SizeofRtAttr+4)
	b = ne.AppendUint16(b, unix.IFLA_EXT_MASK)
	b = ne.AppendUint32(b, skipStats)
	b = ne.AppendUint16(b, uint16(unix.SizeofRtAttr+len(name)+1))
	b = ne.AppendUint16(b, attr)
	b = append(b, name...)
	b = append(b, 0)
	for len(b)%unix.NLMSG_ALIGNTO != 0 {
		b = append(b, 0)
	}
	ne.PutUint32(b, uint32(len(b)))
	return b
}

// readLink reads the kernel's answer: struct ifinfomsg and attributes, or an
// error number.
func readLink(m *syscall.NetlinkMessage) (Link, uint16, error) {
	ne := binary.NativeEndian
	switch {
	case m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4:
		return Link{}, 0, unix.Errno(-int32(ne.Uint32(m.Data)))
	case m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg:
		return Link{}, 0, fmt.Errorf("netlink answer of type %d, %d bytes", m.Header.Type, len(m.Data))
	}
	attrs, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return Link{}, 0, fmt.Errorf("netlink answer: %w", err)
	}
	l := Link{
		Index: int(int32(ne.Uint32(m.Data[4:]))),
		Flags: netFlags(ne.Uint32(m.Data[8:])),
	}
	for _, a := range attrs {
		switch {
		case a.Attr.Type == unix.IFLA_IFNAME:
			l.Name = unix.ByteSliceToString(a.Value)
		case a.Attr.Type == unix.IFLA_ADDRESS:
			l.Addr = bytes.Clone(a.Value)
		case a.Attr.Type == unix.IFLA_BROADCAST:
			l.Broadcast = bytes.Clone(a.Value)
		case a.Attr.Type == unix.IFLA_MTU && len(a.Value) == 4:
			l.MTU = int(min(ne.Uint32(a.Value), math.MaxInt32))
		}
	}
	return l, ne.Uint16(m.Data[2:]), nil
}

// netFlags translates the kernel's interface flags.
func netFlags(kernel uint32) net.Flags {
	var f net.Flags
	for _, t := range [...]struct {
		kernel uint32
		net    net.Flags
	}{
		{unix.IFF_UP, net.FlagUp},
		{unix.IFF_BROADCAST, net.FlagBroadcast},
		{unix.IFF_LOOPBACK, net.FlagLoopback},
		{unix.IFF_POINTOPOINT, net.FlagPointToPoint},
		{unix.IFF_MULTICAST, net.FlagMulticast},
		{unix.IFF_RUNNING, net.FlagRunning},
	} {
		if kernel&t.kernel != 0 {
			f |= t.net
		}
	}
	return f
}
