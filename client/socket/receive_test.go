package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
)

// A17: between hosts on one machine the kernel never computes the sum.
func TestA6A17KernelsBroadcastWithPartialChecksumIsHeard(t *testing.T) {
	p := newPair(t)
	s := p.udp()
	if _, err := s.WriteToUDPAddrPort(bytesOf(reply(1)), netip.MustParseAddrPort("255.255.255.255:68")); err != nil {
		t.Fatal(err)
	}
	if m := p.receive(); m.XID != 1 {
		t.Errorf("xid %d, want 1", m.XID)
	}
	frames, _ := p.seen()
	if len(frames) != 1 {
		t.Fatalf("Tap saw %d frames, want 1", len(frames))
	}
	if _, _, err := parseUDP(frames[0].Data, false); !errors.Is(err, ErrUDPChecksum) {
		t.Errorf("the kernel computed the checksum (%v): this test tests nothing", err)
	}
	if got := net.HardwareAddr(frames[0].Peer).String(); got != p.serverMAC.String() || frames[0].Sent || frames[0].Time.IsZero() {
		t.Errorf("Tap saw %+v from %s, want one from %s", frames[0], got, p.serverMAC)
	}
}

func TestA6UnicastToAnAddressNotYetOursIsHeard(t *testing.T) {
	p := newPair(t)
	p.inject(net.HardwareAddr(p.link.Addr), unix.ETH_P_IP, fromServer(bytesOf(reply(2)), func(ip []byte) {
		copy(ip[16:], leased.AsSlice())
		ip[26], ip[27] = 0, 0
	}, nil))
	if m := p.receive(); m.XID != 2 {
		t.Errorf("xid %d, want 2", m.XID)
	}
}

// A8: 312 bytes of options make a datagram of 576 bytes, which nobody has to
// ask for.
func TestA8ADatagramOf576BytesIsHeard(t *testing.T) {
	p := newPair(t)
	m := reply(3)
	m.Options.Put(224, make([]byte, 288)) // 4 of the cookie, 3 + 6 + 6, 4 + 288, the end
	b := bytesOf(m)
	if len(b)+headersLen != 576 {
		t.Fatalf("%d bytes: this test tests something else", len(b)+headersLen)
	}
	p.inject(allHosts, unix.ETH_P_IP, fromServer(b, nil, nil))
	if v, _ := p.receive().Options.Lookup(224); len(v) != 288 {
		t.Errorf("%d bytes of option 224, want 288", len(v))
	}
}

// E12: a server that knows nothing of the lease broadcasts its DHCPNAK.
func TestE12BroadcastNAKIsHeardWhileRenewing(t *testing.T) {
	p := newPair(t)
	p.client.Addr("eth0", "192.0.2.77/24")
	s := p.udp()
	p.send(request(dhcp4.Request, leased), serverAddr)
	if _, err := s.WriteToUDPAddrPort(bytesOf(replyOf(dhcp4.NAK, 3)), netip.MustParseAddrPort("255.255.255.255:68")); err != nil {
		t.Fatal(err)
	}
	if m := p.receive(); m.Type() != dhcp4.NAK {
		t.Errorf("%v, want the DHCPNAK", m.Type())
	}
}

func TestA16A17A18SpoiledFramesAreDroppedWithTheirReason(t *testing.T) {
	p := newPair(t)
	payload := bytesOf(reply(4))
	cases := append(spoiled(payload),
		spoiledPacket{"A1 a request", fromServer(bytesOf(request(dhcp4.Discover, netip.Addr{})), nil, nil), ErrNotReply},
		spoiledPacket{"A2 no cookie", fromServer(append(payload[:236:236], make([]byte, 64)...), nil, nil), dhcp4.ErrCookie},
		spoiledPacket{"A3 no message type", fromServer(append(payload[:240:240], 255), nil, nil), dhcp4.ErrNoType},
		spoiledPacket{"too short for DHCP", fromServer(payload[:200], nil, nil), dhcp4.ErrShort},
	)
	for _, tc := range cases {
		p.inject(allHosts, unix.ETH_P_IP, tc.packet)
		p.inject(allHosts, unix.ETH_P_IP, fromServer(bytesOf(reply(5)), nil, nil))
		if m := p.receive(); m.XID != 5 {
			t.Errorf("%s: came through", tc.name)
		}
		frames, dropped := p.seen()
		var e *DropError
		if len(dropped) != 1 || !errors.Is(dropped[0], tc.want) || !errors.As(dropped[0], &e) {
			t.Errorf("%s: dropped %v, want one for %v", tc.name, dropped, tc.want)
		} else if net.HardwareAddr(e.Peer).String() != p.serverMAC.String() {
			t.Errorf("%s: dropped %v, which is not from %v", tc.name, e, p.serverMAC)
		}
		if len(frames) != 2 {
			t.Errorf("%s: Tap saw %d frames, want both", tc.name, len(frames))
		}
	}
}

func TestA19FramesOfOthersNeverReachTheParser(t *testing.T) {
	p := newPair(t)
	good := bytesOf(reply(6))
	change := func(f func(ip []byte)) []byte { return fromServer(good, f, nil) }
	tagged := func(tag uint16) []byte {
		return append([]byte{byte(tag >> 8), byte(tag), unix.ETH_P_IP >> 8, 0}, change(nil)...)
	}
	p.inject(allHosts, unix.ETH_P_IP, change(func(ip []byte) { ip[6] = 0x20 }))                                   // a first fragment
	p.inject(allHosts, unix.ETH_P_IP, change(func(ip []byte) { ip[7] = 1 }))                                      // a later one
	p.inject(allHosts, unix.ETH_P_IP, change(func(ip []byte) { ip[9] = 6 }))                                      // TCP
	p.inject(allHosts, unix.ETH_P_IP, change(func(ip []byte) { ip[23] = 69 }))                                    // another port
	p.inject(allHosts, unix.ETH_P_8021Q, tagged(100))                                                             // a VLAN
	p.inject(allHosts, unix.ETH_P_8021Q, tagged(3<<13|1))                                                         // a VLAN, with priority
	p.inject(net.HardwareAddr{2, 0, 0, 0, 0, 99}, unix.ETH_P_IP, change(nil))                                     // for another host
	p.inject(allHosts, unix.ETH_P_8021Q, append(tagged(3 << 13)[:4], fromServer(bytesOf(reply(7)), nil, nil)...)) // VLAN 0: ours
	if m := p.receive(); m.XID != 7 {
		t.Errorf("xid %d, want 7", m.XID)
	}
	if frames, dropped := p.seen(); len(frames) != 1 || len(dropped) != 0 {
		t.Errorf("%d frames passed the filter, want 1; dropped: %v", len(frames), dropped)
	}
}

// A21: foreign frames are coming all the while that the sockets are opened.
func TestA21NothingForeignGetsInWhileOpening(t *testing.T) {
	p := newPair(t)
	s := p.udp()
	stop, stopped := make(chan struct{}), make(chan error, 1)
	var sent atomic.Int32
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if _, err := s.WriteToUDPAddrPort([]byte("foreign"), netip.MustParseAddrPort("255.255.255.255:9")); err != nil {
				stopped <- err
				return
			}
			sent.Add(1)
		}
	}()
	opened := 0
	for ; opened < 10 || sent.Load() < 100 && len(stopped) == 0; opened++ {
		p.open()
		p.inject(allHosts, unix.ETH_P_IP, fromServer(bytesOf(reply(8)), nil, nil))
		p.receive()
	}
	close(stop)
	p.check(<-stopped)
	if frames, dropped := p.seen(); len(frames) != opened || len(dropped) != 0 {
		t.Errorf("of %d foreign frames %d got in; dropped: %v", sent.Load(), len(frames)-opened, dropped)
	}
}

// A18: the first datagram that the larger MTU lets through is read whole.
func TestMTURaisedAfterOpening(t *testing.T) {
	p := newPair(t)
	p.check(errors.Join(p.server.SetMTU("eth0", 9000), p.client.SetMTU("eth0", 9000)))
	big := append(bytesOf(reply(9)), make([]byte, 5000)...)
	p.inject(allHosts, unix.ETH_P_IP, fromServer(big, nil, nil))
	if m := p.receive(); m.XID != 9 {
		t.Errorf("xid %d, want 9", m.XID)
	}
	if _, dropped := p.seen(); len(dropped) != 0 {
		t.Errorf("dropped %v", dropped)
	}
}

func TestLinkDownAndUpIsNoErrorForReceive(t *testing.T) {
	p := newPair(t)
	got := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		_, err := p.conn.Receive(ctx)
		got <- err
	}()
	for range 3 {
		p.check(errors.Join(p.client.SetDown("eth0"), p.client.SetUp("eth0")))
	}
	p.check(p.server.Carry("eth0"))
	p.inject(allHosts, unix.ETH_P_IP, fromServer(bytesOf(reply(10)), nil, nil))
	p.check(<-got)
}

func TestOpeningALinkThatIsDown(t *testing.T) {
	p := newPair(t)
	p.check(p.client.SetDown("eth0"))
	p.open()
	p.check(errors.Join(p.client.SetUp("eth0"), p.server.Carry("eth0")))
	p.inject(allHosts, unix.ETH_P_IP, fromServer(bytesOf(reply(11)), nil, nil))
	p.receive()
}

func TestReceiveOfADeletedLinkEndsWithItsContext(t *testing.T) {
	p := newPair(t)
	cause := errors.New("the link watcher says so")
	ctx, cancel := context.WithCancelCause(t.Context())
	got := make(chan error, 1)
	go func() { _, err := p.conn.Receive(ctx); got <- err }()
	p.check(p.client.Remove("eth0"))
	if err := p.conn.Send(ctx, request(dhcp4.Discover, netip.Addr{}), netip.Addr{}); !errors.Is(err, unix.ENXIO) {
		t.Errorf("Send on a deleted link: %v, want ENXIO", err)
	}
	select {
	case err := <-got:
		t.Fatalf("Receive ended before its context: %v", err)
	default:
	}
	cancel(cause)
	if err := <-got; !errors.Is(err, cause) {
		t.Errorf("Receive: %v, want the context's cause", err)
	}
}

func TestReceiveAfterACancelledOneWorks(t *testing.T) {
	p := newPair(t)
	before := goleak.IgnoreCurrent()
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel() // sometimes before, sometimes within
		if _, err := p.conn.Receive(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("Receive: %v, want context.Canceled", err)
		}
	}
	p.inject(allHosts, unix.ETH_P_IP, fromServer(bytesOf(reply(12)), nil, nil))
	p.receive()
	goleak.VerifyNone(t, before)
}

func TestCloseEndsReceive(t *testing.T) {
	p := newPair(t)
	got := make(chan error)
	const readers = 3
	for range readers {
		go func() { _, err := p.conn.Receive(context.Background()); got <- err }()
	}
	p.check(p.conn.Close())
	for range readers {
		if err := <-got; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Receive: %v, want net.ErrClosed", err)
		}
	}
	if _, err := p.conn.Receive(context.Background()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Receive after Close: %v, want net.ErrClosed", err)
	}
	if err := p.conn.Send(t.Context(), request(dhcp4.Discover, netip.Addr{}), netip.Addr{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Send after Close: %v, want net.ErrClosed", err)
	}
	p.check(p.conn.Flush(t.Context()))
	p.check(p.conn.Close())
}
