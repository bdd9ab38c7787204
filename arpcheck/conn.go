package arpcheck

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/lessee/lessee/client/readable"
	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A wire carries the ARP packets that concern one address. The tests have one
// made of channels.
type wire interface {
	// read waits for the next packet and returns it with the hardware
	// address its frame came from. After the deadline the error is
	// os.ErrDeadlineExceeded, even if something is left that came before.
	read() (b []byte, from net.HardwareAddr, err error)
	// poll returns the next packet, and EAGAIN if there is none.
	poll() (b []byte, from net.HardwareAddr, err error)
	// notify puts a token into ch whenever there is something to poll.
	notify(ch chan<- struct{}) (stop func(), err error)
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

// conn is the wire of Linux: an AF_PACKET socket for ARP.
type conn struct {
	p   *packet.Conn
	raw syscall.RawConn
	buf [packetLen]byte
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
	if c.raw, err = p.SyscallConn(); err != nil {
		return nil, errors.Join(fmt.Errorf("open ARP socket on %s: %w", ifi.Name, err), p.Close())
	}
	return c, nil
}

func (c *conn) read() (b []byte, from net.HardwareAddr, err error) {
	errRead := c.raw.Read(func(fd uintptr) bool {
		b, from, err = c.receive(int(fd))
		return !errors.Is(err, unix.EAGAIN)
	})
	if errRead != nil {
		return nil, nil, errRead
	}
	return b, from, err
}

func (c *conn) poll() (b []byte, from net.HardwareAddr, err error) {
	errControl := c.raw.Control(func(fd uintptr) { b, from, err = c.receive(int(fd)) })
	if errControl != nil {
		return nil, nil, errControl
	}
	return b, from, err
}

func (c *conn) notify(ch chan<- struct{}) (stop func(), err error) { return readable.Notify(c.raw, ch) }

// receive is one try to read. What it returns is valid until the next one.
func (c *conn) receive(fd int) ([]byte, net.HardwareAddr, error) {
	for {
		n, from, err := unix.Recvfrom(fd, c.buf[:], unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return nil, nil, os.NewSyscallError("recvfrom", err)
		default:
			return c.buf[:n], linkAddr(from), nil
		}
	}
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
