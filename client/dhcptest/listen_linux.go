package dhcptest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
)

// A Listener joins a server to a real link.
type Listener struct {
	ear
	server *Server
	port   *os.File // nil if somebody else has port 67
}

// Listen joins the server to the link of that name and serves until Close. It
// uses a packet socket, so that it can reach clients that have no address yet,
// and send what no sane host would. It needs CAP_NET_RAW in the network namespace of the
// calling thread; package nettest makes namespaces.
//
// The host should hold the server's identifier as an address: it is the kernel,
// or a [Squatter], that answers the ARP requests of clients that renew.
func (s *Server) Listen(link string) (*Listener, error) {
	fail := func(err error) error {
		if errors.Is(err, os.ErrPermission) {
			err = fmt.Errorf("%w (CAP_NET_RAW and CAP_NET_BIND_SERVICE are needed)", err)
		}
		return fmt.Errorf("listen for DHCP on %s: %w", link, err)
	}
	ifi, err := net.InterfaceByName(link)
	if err != nil {
		return nil, fail(err)
	}
	filter, err := toServers()
	if err != nil {
		return nil, fail(err)
	}
	conn, err := packet.Listen(ifi, packet.Datagram, unix.ETH_P_IP, &packet.Config{Filter: filter})
	if err != nil {
		return nil, fail(err)
	}
	l := &Listener{ear: ear{conn: conn, done: make(chan struct{})}, server: s}
	if l.port, err = holdPort(link); err != nil {
		return nil, errors.Join(fail(err), conn.Close())
	}
	go l.listen(
		func(frame []byte, from net.Addr) { l.take(slices.Clone(frame), hardwareAddr(from)) },
		func(err error) { s.diary.add(Event{Time: time.Now(), Err: err}) },
	)
	return l, nil
}

// toServers is the filter that lets through unfragmented UDP to port 67. Offset
// 0 is the IP header.
func toServers() ([]bpf.RawInstruction, error) {
	return bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 9, Size: 1}, // protocol
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_UDP, SkipTrue: 6},
		bpf.LoadAbsolute{Off: ipFragment, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: notWhole, SkipTrue: 4},
		bpf.LoadMemShift{Off: 0},          // X = length of the IP header
		bpf.LoadIndirect{Off: 2, Size: 2}, // destination port
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: serverPort, SkipTrue: 1},
		bpf.RetConstant{Val: 1 << 16},
		bpf.RetConstant{Val: 0},
	})
}

// holdPort opens a UDP socket that nobody reads. Without it the kernel would
// answer what clients send by unicast with "port unreachable". If another
// program has the port it keeps the kernel quiet just as well.
func holdPort(link string) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "UDP port of a DHCP server")
	err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1), unix.BindToDevice(fd, link))
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: serverPort})
	}
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, unix.EADDRINUSE):
		err = nil
	}
	return nil, errors.Join(err, f.Close())
}

// Close takes the server off the link; replies that were still to come are not
// sent. The server itself can be used again.
func (l *Listener) Close() error {
	err := l.close()
	if l.port != nil {
		err = errors.Join(err, l.port.Close())
	}
	return err
}

func hardwareAddr(a net.Addr) dhcp4.HardwareAddr {
	if a, ok := a.(*packet.Addr); ok {
		return dhcp4.HardwareAddr(a.HardwareAddr)
	}
	return nil
}

// take lets the server handle a frame and sends its replies, each in its time.
func (l *Listener) take(frame []byte, peer dhcp4.HardwareAddr) {
	e, err := request(frame)
	if err != nil {
		e = Event{Frame: frame, Err: err}
	} else if !l.server.hears(e.Dst) {
		return
	}
	e.Time, e.Peer = time.Now(), peer
	for _, r := range l.server.handle(e) {
		l.later.after(r.Delay, func() { _ = l.send(r, peer) }) // the log has the error
	}
}

// Send puts a reply that nobody asked for on the link, now: a late DHCPACK, a
// forged DHCPNAK. Without To.Hardware it goes to all hosts. It returns when the
// kernel has it.
func (l *Listener) Send(r Reply) error { return l.send(r, nil) }

func (l *Listener) send(r Reply, peer dhcp4.HardwareAddr) error {
	frame, err := r.encode()
	if err == nil && len(frame) == 0 {
		return nil
	}
	if r.To.Addr != broadcast && len(r.To.Hardware) == 0 {
		r.To.Hardware = peer
	}
	e := r.event(frame, err)
	e.Time = time.Now()
	if err == nil {
		_, e.Err = l.conn.WriteTo(frame, &packet.Addr{HardwareAddr: orBroadcast(r.To.Hardware)})
	}
	l.server.diary.add(e)
	return e.Err
}

func orBroadcast(a dhcp4.HardwareAddr) net.HardwareAddr {
	if len(a) == 0 {
		return net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	return net.HardwareAddr(a)
}
