package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

// limit bounds every wait for something that should come at once.
const limit = 20 * time.Second

var (
	serverAddr = netip.MustParseAddr("192.0.2.1")
	leased     = netip.MustParseAddr("192.0.2.77")
	allHosts   = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
)

// A pair is a client's link with an open Conn, and the server at its other
// end.
type pair struct {
	t              testing.TB
	client, server *nettest.Machine
	link           Link
	conn           *Conn
	serverMAC      net.HardwareAddr

	mu      sync.Mutex
	dropped []error
	frames  []Frame // what Tap saw
}

func newPair(t testing.TB) *pair {
	t.Helper()
	n := nettest.New(t)
	p := &pair{t: t, client: n.Host("client"), server: n.Host("server")}
	n.Connect(p.client, "eth0", p.server, "eth0")
	p.server.Addr("eth0", "192.0.2.1/24")
	p.open()
	ifi, err := p.server.Interface("eth0")
	if err != nil {
		t.Fatal(err)
	}
	p.serverMAC = ifi.HardwareAddr
	return p
}

// open opens the client's Conn.
func (p *pair) open() {
	p.t.Helper()
	p.client.Must(func() (err error) {
		if p.link, err = LinkByName("eth0"); err != nil {
			return err
		}
		p.conn, err = Open(p.link, Config{Dropped: p.drop, Tap: p.tap})
		return err
	})
	p.t.Cleanup(func() { p.check(p.conn.Close()) })
}

func (p *pair) drop(reason error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropped = append(p.dropped, reason)
}

func (p *pair) tap(f Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.Data = append([]byte(nil), f.Data...)
	p.frames = append(p.frames, f)
}

// seen returns what Tap saw and Dropped was told since the last call.
func (p *pair) seen() (frames []Frame, dropped []error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	frames, dropped = p.frames, p.dropped
	p.frames, p.dropped = nil, nil
	return frames, dropped
}

func (p *pair) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Error(err)
	}
}

// receive returns the next message.
func (p *pair) receive() *dhcp4.Message {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), limit)
	defer cancel()
	m, err := p.conn.Receive(ctx)
	if err != nil {
		_, dropped := p.seen()
		p.t.Fatalf("nothing came: %v (dropped: %v)", err, dropped)
	}
	return m
}

// send sends a message, which must work.
func (p *pair) send(m *dhcp4.Message, to netip.Addr) {
	p.t.Helper()
	if err := p.conn.Send(p.t.Context(), m, to); err != nil {
		p.t.Fatal(err)
	}
}

// wait returns the first frame with a DHCP message of a type.
func (p *pair) wait(c *nettest.Capture, typ dhcp4.MessageType) nettest.Frame {
	p.t.Helper()
	f, ok := c.Wait(limit, isDHCP(typ))
	if !ok {
		p.t.Fatalf("no %v was heard", typ)
	}
	return f
}

func isDHCP(typ dhcp4.MessageType) func(nettest.Frame) bool {
	return func(f nettest.Frame) bool {
		m, _, _, ok := f.DHCP()
		return ok && m.Type() == typ
	}
}

// udp returns an ordinary UDP socket on the server's port.
func (p *pair) udp() *net.UDPConn {
	p.t.Helper()
	var c net.PacketConn
	p.server.Must(func() (err error) {
		lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
			var err error
			return errors.Join(raw.Control(func(fd uintptr) {
				err = errors.Join(unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1), unix.BindToDevice(int(fd), "eth0"))
			}), err)
		}}
		c, err = lc.ListenPacket(context.Background(), "udp4", ":67")
		return err
	})
	p.t.Cleanup(func() { p.check(c.Close()) })
	return c.(*net.UDPConn)
}

// inject puts a frame on the wire, as the server.
func (p *pair) inject(dst net.HardwareAddr, etherType uint16, data []byte) {
	p.t.Helper()
	frame := append(append([]byte(nil), dst...), p.serverMAC...)
	frame = append(binary.BigEndian.AppendUint16(frame, etherType), data...)
	p.server.Must(func() error {
		ifi, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		c, err := packet.Listen(ifi, packet.Raw, 0, nil) // deaf
		if err != nil {
			return err
		}
		_, err = c.WriteTo(frame, &packet.Addr{HardwareAddr: dst})
		return errors.Join(err, c.Close())
	})
}

// sysctl sets what a file below /proc/sys/net/ipv4 says, on one host.
func (p *pair) sysctl(h *nettest.Machine, file, value string) {
	p.t.Helper()
	h.Must(func() error { return os.WriteFile("/proc/sys/net/ipv4/"+file, []byte(value), 0) })
}

// reply is an offer of the server, told by its xid.
func reply(xid uint32) *dhcp4.Message { return replyOf(dhcp4.Offer, xid) }

func replyOf(typ dhcp4.MessageType, xid uint32) *dhcp4.Message {
	m := &dhcp4.Message{Op: dhcp4.OpReply, HType: dhcp4.HTypeEthernet, XID: xid, YIAddr: leased}
	put(dhcp4.MsgType.Put(&m.Options, typ))
	put(dhcp4.ServerID.Put(&m.Options, serverAddr))
	put(dhcp4.LeaseTime.Put(&m.Options, 60))
	return m
}

// request is a message of the client; the zero Addr is no ciaddr.
func request(typ dhcp4.MessageType, ciaddr netip.Addr) *dhcp4.Message {
	m := &dhcp4.Message{
		Op: dhcp4.OpRequest, HType: dhcp4.HTypeEthernet, XID: 7, CIAddr: ciaddr,
		CHAddr: dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1},
	}
	put(dhcp4.MsgType.Put(&m.Options, typ))
	return m
}

func put(err error) {
	if err != nil {
		panic(err)
	}
}

func bytesOf(m *dhcp4.Message) []byte {
	b, err := m.Append(nil)
	put(err)
	return b
}

// fromServer is an IPv4 packet that carries payload to port 68: correct, but
// changed by spoil before the IPv4 checksum is computed, and by spoilLate
// afterwards.
func fromServer(payload []byte, spoil, spoilLate func(ip []byte)) []byte {
	ip := append(make([]byte, headersLen), payload...)
	putHeaders(ip, serverAddr, everybody())
	be := binary.BigEndian
	be.PutUint16(ip[20:], serverPort)
	be.PutUint16(ip[22:], clientPort) // the sum stays: the ports changed places
	if spoil != nil {
		spoil(ip)
	}
	be.PutUint16(ip[10:], 0)
	if header := int(ip[0]&0xf) * 4; header <= len(ip) {
		be.PutUint16(ip[10:], ^fold(sum(0, ip[:header])))
	}
	if spoilLate != nil {
		spoilLate(ip)
	}
	return ip
}
