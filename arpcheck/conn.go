package arpcheck

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A wire carries the ARP packets that concern one address. The tests have one
// made of channels.
type wire interface {
	// read waits for the next packet and returns it with the hardware
	// address its frame came from. After the deadline, and when nothing is
	// left that came before, the error is os.ErrDeadlineExceeded.
	read() (b []byte, from net.HardwareAddr, err error)
	// write broadcasts a packet.
	write(b []byte) error
	// setDeadline sets when read gives up; zero: never.
	setDeadline(t time.Time) error
	// watch lets through only what matters once the address is in use.
	watch(addr netip.Addr) error
	// close may take some 20 ms: the kernel waits until no processor looks
	// at the socket any more.
	close() error
}

// everybody is the Ethernet broadcast address.
var everybody = packet.Addr{HardwareAddr: net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}

// conn is the wire of Linux: an AF_PACKET socket for ARP. It reads by the raw
// connection below packet.Conn, whose own way to there takes four times the
// stack: whoever watches an address waits there for years.
type conn struct {
	p   *packet.Conn
	raw syscall.RawConn

	// What one read leaves behind, and the function for it.
	receive func(fd uintptr) bool
	buf     [packetLen]byte
	n       int
	from    unix.Sockaddr
	err     error
}

// listen opens a socket on ifi that hears what may be a conflict over addr. The
// filter is in place before the socket hears anything, so nothing older than
// the socket, and nothing about other addresses, is ever read from it.
func listen(ifi *net.Interface, addr netip.Addr) (wire, error) {
	f, err := bpf.Assemble(probeFilter(addr))
	if err != nil {
		return nil, fmt.Errorf("assemble filter for %v: %w", addr, err)
	}
	p, err := packet.Listen(ifi, packet.Datagram, unix.ETH_P_ARP, &packet.Config{Filter: f})
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("open ARP socket on %s: %w (CAP_NET_RAW is needed)", ifi.Name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open ARP socket on %s: %w", ifi.Name, err)
	}
	c := &conn{p: p}
	c.receive = c.receiveOnce
	if c.raw, err = p.SyscallConn(); err != nil {
		return nil, errors.Join(fmt.Errorf("open ARP socket on %s: %w", ifi.Name, err), p.Close())
	}
	return c, nil
}

func (c *conn) read() ([]byte, net.HardwareAddr, error) {
	if err := c.raw.Read(c.receive); err != nil && !c.waiting(err) {
		return nil, nil, err
	}
	return c.buf[:c.n], linkAddr(c.from), c.err
}

// waiting reads what came in time and was not looked at in time, as on a host
// that is busy; false: there is nothing, or err is not about time. After the
// deadline, Read would not even look.
//
//go:noinline
func (c *conn) waiting(err error) (there bool) {
	return errors.Is(err, os.ErrDeadlineExceeded) &&
		c.raw.Control(func(fd uintptr) { there = c.receiveOnce(fd) }) == nil && there
}

// receiveOnce is one try to read; false: nothing was there.
func (c *conn) receiveOnce(fd uintptr) bool {
	c.n, c.from, c.err = unix.Recvfrom(int(fd), c.buf[:], 0)
	for errors.Is(c.err, unix.EINTR) {
		c.n, c.from, c.err = unix.Recvfrom(int(fd), c.buf[:], 0)
	}
	if errors.Is(c.err, unix.EAGAIN) {
		return false
	}
	if c.err != nil {
		c.n, c.err = 0, os.NewSyscallError("recvfrom", c.err)
	}
	return true
}

// linkAddr returns a frame's source; nil if the kernel does not tell it.
func linkAddr(from unix.Sockaddr) net.HardwareAddr {
	sa, ok := from.(*unix.SockaddrLinklayer)
	if !ok || int(sa.Halen) > len(sa.Addr) {
		return nil
	}
	return sa.Addr[:sa.Halen]
}

func (c *conn) write(b []byte) error {
	_, err := c.p.WriteTo(b, &everybody)
	return err
}

func (c *conn) setDeadline(t time.Time) error { return c.p.SetReadDeadline(t) }

func (c *conn) watch(addr netip.Addr) error {
	f, err := bpf.Assemble(watchFilter(addr))
	if err != nil {
		return fmt.Errorf("assemble filter for %v: %w", addr, err)
	}
	return c.p.SetBPF(f)
}

func (c *conn) close() error { return c.p.Close() }

// isDown tells whether err only says that the link was down for a moment, or
// could not take a packet: weather. A read reports ENETDOWN once per link-down
// and the socket works again when the link does.
func isDown(err error) bool { return errors.Is(err, unix.ENETDOWN) }

// isGone tells whether err says that the interface does not exist any more. It
// will not come back under this number.
func isGone(err error) bool { return errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV) }
