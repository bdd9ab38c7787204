package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// receiveBuffer is what the kernel may queue for us, in bytes; it counts
// twice that, bookkeeping included. The offers of some dozens of servers fit.
const receiveBuffer = 64 << 10

// lenAuxdata is the size of the kernel's struct tpacket_auxdata; its first
// word is the status.
const lenAuxdata = 20

// A packetSocket receives and sends whole IPv4 packets on one link, whatever
// addresses the host has. Reads and writes may run at the same time; not
// several of either.
type packetSocket struct {
	p     *packet.Conn
	raw   syscall.RawConn
	index int

	oob [unix.SizeofCmsghdr + lenAuxdata + 12]byte // for one read; aligned up
}

// An arrival is one packet from the link.
type arrival struct {
	data    []byte             // from the IPv4 header on
	partial bool               // the UDP checksum is not computed yet
	peer    dhcp4.HardwareAddr // the sender's link-layer address; nil if it is not known
}

// openPacket opens a socket that receives only what may be a server's reply.
// The filter is attached before the socket is bound, and bound to no protocol
// a socket receives nothing: so nothing older than the filter is ever queued
// and has to be drained (A21).
func openPacket(l Link) (*packetSocket, error) {
	filter, err := bpf.Assemble(repliesOnly())
	if err != nil {
		return nil, fmt.Errorf("assemble the filter: %w", err)
	}
	p, err := packet.Listen(l.Interface(), packet.Datagram, unix.ETH_P_IP, &packet.Config{Filter: filter})
	switch {
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("open packet socket on %s: %w (CAP_NET_RAW is needed)", l.Name, err)
	case errors.Is(err, unix.ENODEV):
		return nil, fmt.Errorf("open packet socket on %s: %w", l.Name, ErrNoLink)
	case err != nil:
		return nil, fmt.Errorf("open packet socket on %s: %w", l.Name, err)
	}
	s := &packetSocket{p: p, index: l.Index}
	if s.raw, err = p.SyscallConn(); err == nil {
		err = s.control(setPacketOptions)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set up packet socket on %s: %w", l.Name, err), p.Close())
	}
	return s, nil
}

func setPacketOptions(fd int) error {
	return errors.Join(
		os.NewSyscallError("setsockopt PACKET_AUXDATA", unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1)),
		os.NewSyscallError("setsockopt SO_RCVBUF", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)),
		// Whoever takes over this process later cannot make it listen to more.
		os.NewSyscallError("setsockopt SO_LOCK_FILTER", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_LOCK_FILTER, 1)),
	)
}

// control runs f with the socket's descriptor.
func (s *packetSocket) control(f func(fd int) error) error {
	var err error
	return errors.Join(s.raw.Control(func(fd uintptr) { err = f(int(fd)) }), err)
}

// read returns the next packet, and EAGAIN if there is none. Beside errors of
// the socket there is ENETDOWN: once per link-down, also when the link is
// deleted; the socket works again when the link does. packet.Conn's own ReadFrom
// would not deliver the auxiliary data. The kernel tells first how long the
// packet is: a buffer that waits for years, on each of many links, would cost
// more than the question.
func (s *packetSocket) read() (a arrival, err error) {
	err = s.control(func(fd int) error {
		n, _, _, err := receiveMessage(fd, nil, nil, unix.MSG_PEEK|unix.MSG_TRUNC|unix.MSG_DONTWAIT)
		if err != nil {
			return err
		}
		buf := make([]byte, min(n, maxDatagram))
		n, oobn, from, err := receiveMessage(fd, buf, s.oob[:], unix.MSG_DONTWAIT)
		if err != nil {
			return err
		}
		a = arrival{
			data:    buf[:n],
			partial: status(s.oob[:oobn])&unix.TP_STATUS_CSUMNOTREADY != 0,
			peer:    linkAddr(from),
		}
		return nil
	})
	return a, os.NewSyscallError("recvmsg", err)
}

// receiveMessage is recvmsg(2), again for as long as signals interrupt it.
func receiveMessage(fd int, b, oob []byte, flags int) (n, oobn int, from unix.Sockaddr, err error) {
	for {
		n, oobn, _, from, err = unix.Recvmsg(fd, b, oob, flags)
		if !errors.Is(err, unix.EINTR) {
			return n, oobn, from, err
		}
	}
}

// status returns tp_status from the control messages in b, or 0.
func status(b []byte) uint32 {
	for len(b) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(b)
		switch {
		case err != nil:
			return 0
		case h.Level == unix.SOL_PACKET && h.Type == unix.PACKET_AUXDATA && len(data) >= 4:
			return binary.NativeEndian.Uint32(data)
		}
		b = rest
	}
	return 0
}

// linkAddr returns a frame's source. x/sys has room for 8 bytes; of links with
// longer addresses the kernel tells no source anyway.
func linkAddr(from unix.Sockaddr) dhcp4.HardwareAddr {
	sa, ok := from.(*unix.SockaddrLinklayer)
	if !ok || sa.Halen == 0 || int(sa.Halen) > len(sa.Addr) {
		return nil
	}
	return sa.Addr[:sa.Halen]
}

// sockaddrLL is struct sockaddr_ll with room for the kernel's longest
// link-layer address (MAX_ADDR_LEN). x/sys, and with it packet.Conn, stops at 8
// bytes; an InfiniBand address has 20.
type sockaddrLL struct {
	family   uint16
	protocol uint16
	index    int32
	hatype   uint16
	pkttype  uint8
	halen    uint8
	addr     [32]byte
}

// write sends an IPv4 packet to a link-layer address. It does not wait: with a
// full queue the error is EAGAIN.
func (s *packetSocket) write(b []byte, to dhcp4.HardwareAddr) error {
	sa := sockaddrLL{
		family:   unix.AF_PACKET,
		protocol: binary.NativeEndian.Uint16([]byte{unix.ETH_P_IP >> 8, unix.ETH_P_IP & 0xff}), // network byte order
		index:    int32(s.index),
		halen:    uint8(len(to)),
	}
	if n := copy(sa.addr[:], to); n < len(to) {
		return fmt.Errorf("link-layer address %v: %w", to, unix.EINVAL)
	}
	return s.control(func(fd int) error {
		err := sendTo(fd, b, &sa)
		if errors.Is(err, unix.ENETDOWN) {
			// The socket reports once that the link was down, to a
			// write if no read took it. That may be long ago.
			err = sendTo(fd, b, &sa)
		}
		return os.NewSyscallError("sendto", err)
	})
}

func sendTo(fd int, b []byte, sa *sockaddrLL) error {
	size := unsafe.Offsetof(sa.addr) + uintptr(max(sa.halen, 8))
	_, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT,
		uintptr(unsafe.Pointer(sa)), size)
	if errno != 0 {
		return errno
	}
	return nil
}

// close may take some 20 ms: the kernel waits until no processor looks at the
// socket any more.
func (s *packetSocket) close() error { return s.p.Close() }
