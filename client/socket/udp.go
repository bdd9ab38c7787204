package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A udpSocket sends unicasts from an address that the host holds: the kernel
// finds the route and the link-layer address. It never receives. The packet
// socket does; but without a listener at port 68 the kernel would answer the
// server's unicasts with "port unreachable".
//
// One socket serves for all addresses the link ever has, each datagram naming
// its source (IP_PKTINFO). It is made along with the packet socket, because a
// socket lives in the network namespace of the thread that makes it, and bound
// only when the host holds an address: port 68 is nobody's business before.
//
// For each datagram that ARP found the way for, and that was handed to the
// link, the kernel queues a time stamp; see lost.
type udpSocket struct {
	fd    int
	link  Link
	bound bool

	sent int                 // datagrams since all earlier ones were dealt with
	left map[uint32]struct{} // of these, the numbers of those that have left
}

// openUDP makes the socket; it does nothing yet.
func openUDP(l Link) (*udpSocket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open UDP socket for %s: %w", l.Name, os.NewSyscallError("socket", err))
	}
	return &udpSocket{fd: fd, link: l, left: map[uint32]struct{}{}}, nil
}

// bind takes port 68 on the link; again it does nothing.
func (s *udpSocket) bind() error {
	if s.bound {
		return nil
	}
	if err := s.setOptions(); err != nil {
		return fmt.Errorf("set up UDP socket for %s: %w", s.link.Name, err)
	}
	err := unix.Bind(s.fd, &unix.SockaddrInet4{Port: clientPort})
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("take UDP port %d on %s: %w (CAP_NET_BIND_SERVICE is needed)", clientPort, s.link.Name, err)
	case err != nil:
		return fmt.Errorf("take UDP port %d on %s: %w", clientPort, s.link.Name, err)
	}
	s.bound = true
	return nil
}

// stamps asks for a time stamp when a datagram is handed to the link's queue,
// with a number in place of the datagram. ICMP errors (IP_RECVERR) would not do
// to learn that ARP failed: they come by the loopback, and are not for a socket
// that is tied to another link.
const stamps = unix.SOF_TIMESTAMPING_TX_SCHED | unix.SOF_TIMESTAMPING_OPT_ID | unix.SOF_TIMESTAMPING_OPT_TSONLY

func (s *udpSocket) setOptions() error {
	drop, err := bpf.Assemble(nothing())
	if err != nil {
		return err
	}
	f := unix.SockFilter{Code: drop[0].Op, Jt: drop[0].Jt, Jf: drop[0].Jf, K: drop[0].K}
	for _, o := range [...]struct {
		name         string
		level, value int
		option       int
	}{
		{"SO_REUSEADDR", unix.SOL_SOCKET, 1, unix.SO_REUSEADDR}, // other programs' sockets on other links
		{"IP_TOS", unix.IPPROTO_IP, tos, unix.IP_TOS},
		{"SO_TIMESTAMPING", unix.SOL_SOCKET, stamps, unix.SO_TIMESTAMPING},
	} {
		if err := unix.SetsockoptInt(s.fd, o.level, o.option, o.value); err != nil {
			return os.NewSyscallError("setsockopt "+o.name, err)
		}
	}
	if err := unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &f}); err != nil {
		return os.NewSyscallError("setsockopt SO_ATTACH_FILTER", err)
	}
	return s.bindToLink()
}

// bindToLink keeps the socket's traffic on its link, whatever the routing
// table says (E5). The index holds also when the link is renamed; kernels
// before 5.0 want the name.
func (s *udpSocket) bindToLink() error {
	err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, s.link.Index)
	if errors.Is(err, unix.ENOPROTOOPT) {
		err = unix.BindToDevice(s.fd, s.link.Name)
	}
	return os.NewSyscallError("setsockopt SO_BINDTOIFINDEX", err)
}

// send sends a DHCP message to a server. It does not wait for ARP; see
// pending.
func (s *udpSocket) send(payload []byte, src, dst netip.Addr) error {
	if n, err := s.pending(); err == nil && n == 0 {
		s.lost() // of no interest any more
	}
	info := unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: src.As4()})
	to := &unix.SockaddrInet4{Port: serverPort, Addr: dst.As4()}
	if err := unix.Sendmsg(s.fd, payload, info, to, unix.MSG_DONTWAIT); err != nil {
		return os.NewSyscallError("sendmsg", err)
	}
	s.sent++
	return nil
}

// notHeld tells whether an error of send says that the host does not hold the
// source, or has no way by this link. Kernels differ in which.
func notHeld(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EADDRNOTAVAIL)
}

// pending tells how many bytes are waiting to leave, for ARP above all. The
// kernel counts memory, so it is more than was sent.
func (s *udpSocket) pending() (int, error) {
	n, err := unix.IoctlGetInt(s.fd, unix.SIOCOUTQ)
	return n, os.NewSyscallError("ioctl SIOCOUTQ", err)
}

// maxStamps bounds how many time stamps are read at once. One datagram leaves
// a few at most, one for each link below a stacked one, and datagrams are rare.
const maxStamps = 256

// lost tells, when nothing is pending, how many of the datagrams sent have
// never left the host. It forgets them.
func (s *udpSocket) lost() int {
	var oob [256]byte
	for range maxStamps {
		_, n, _, _, err := unix.Recvmsg(s.fd, nil, oob[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err != nil {
			break // EAGAIN: no more
		}
		if id, ok := stampID(oob[:n]); ok {
			s.left[id] = struct{}{}
		}
	}
	lost := s.sent - len(s.left)
	s.sent = 0
	clear(s.left)
	return lost
}

// stampID finds the datagram's number in the control messages of a time stamp,
// in a struct sock_extended_err:
//
//	 0  4 bytes: errno
//	 4  1 byte:  origin
//	 5  7 bytes: type, code, pad, info
//	12  4 bytes: data, the number
func stampID(b []byte) (id uint32, ok bool) {
	for len(b) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(b)
		if err != nil {
			return 0, false
		}
		if h.Level == unix.IPPROTO_IP && h.Type == unix.IP_RECVERR && len(data) >= 16 && data[4] == unix.SO_EE_ORIGIN_TIMESTAMPING {
			return binary.NativeEndian.Uint32(data[12:]), true
		}
		b = rest
	}
	return 0, false
}

func (s *udpSocket) close() error { return os.NewSyscallError("close", unix.Close(s.fd)) }
