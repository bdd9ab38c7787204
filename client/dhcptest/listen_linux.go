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
	ear    *ear
	server *Server
	port   *os.File // nil if somebody else has port 67
}

// Listen joins the server to the link of that name and serves until Close. It
// uses a packet socket, so that it can reach clients that have no address yet,
// and send what no sane host would. It needs CAP_NET_RAW and
// CAP_NET_BIND_SERVICE in the network namespace of the calling thread; package
// nettest makes namespaces.
//
// The host should hold the server's identifier as an address: it is the kernel,
// or a [Squatter], that answers the ARP requests of clients that renew.
func (s *Server) Listen(link string) (*Listener, error) {
	l, err := s.join(link)
	if err != nil {
		return nil, fmt.Errorf("listen for DHCP on %s: %w", link, err)
	}
	go l.serve()
	return l, nil
}

func (s *Server) join(link string) (*Listener, error) {
	filter, err := toServers()
	if err != nil {
		return nil, err
	}
	e, err := openEar(link, unix.ETH_P_IP, filter)
	if err != nil {
		return nil, err
	}
	port, err := holdPort(link)
	if err != nil {
		return nil, errors.Join(err, e.conn.Close())
	}
	return &Listener{ear: e, server: s, port: port}, nil
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
	case errors.Is(err, os.ErrPermission):
		err = fmt.Errorf("%w (CAP_NET_BIND_SERVICE is needed)", err)
	}
	return nil, errors.Join(err, f.Close())
}

// Close takes the server off the link; replies that were still to come are not
// sent. The server itself can be used again.
func (l *Listener) Close() error {
	err := l.ear.close()
	if l.port != nil {
		err = errors.Join(err, l.port.Close())
	}
	return err
}

func (l *Listener) serve() {
	defer close(l.ear.done)
	if err := l.ear.listen(l.take); err != nil {
		l.server.diary.add(Event{Time: time.Now(), Err: err})
	}
}

func hardwareAddr(a net.Addr) dhcp4.HardwareAddr {
	if a, ok := a.(*packet.Addr); ok {
		return dhcp4.HardwareAddr(a.HardwareAddr)
	}
	return nil
}

// take lets the server handle a frame and sends its replies, each in its time.
func (l *Listener) take(frame []byte, from net.Addr) {
	frame, peer := slices.Clone(frame), hardwareAddr(from)
	e, err := request(frame)
	if err != nil {
		e = Event{Frame: frame, Err: err}
	} else if !l.server.hears(e.Dst) {
		return
	}
	e.Time, e.Peer = time.Now(), peer
	for _, r := range l.server.handle(e) {
		l.ear.later.after(r.Delay, func() { _ = l.send(r, peer) }) // the log has the error
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
		_, e.Err = l.ear.conn.WriteTo(frame, &packet.Addr{HardwareAddr: orBroadcast(r.To.Hardware)})
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
