package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/nettest"
)

func TestA5BroadcastGoesFromNoAddressToAll(t *testing.T) {
	p := newPair(t)
	heard := p.server.Hear("eth0")
	s := p.udp()
	p.send(request(dhcp4.Discover, netip.Addr{}), netip.Addr{})
	f := p.wait(heard, dhcp4.Discover)
	_, src, dst, _ := f.DHCP()
	if src != netip.IPv4Unspecified() || dst != everybody() || f.Dst().String() != allHosts.String() {
		t.Errorf("from %v to %v at %v", src, dst, f.Dst())
	}
	if frames, _ := p.seen(); len(frames) != 1 || !frames[0].Sent || string(frames[0].Data) != string(f.Data[14:]) {
		t.Errorf("Tap saw %+v", frames)
	}
	// A kernel verifies what it gives to a UDP socket.
	p.check(s.SetReadDeadline(time.Now().Add(limit)))
	if n, from, err := s.ReadFromUDPAddrPort(make([]byte, 1500)); err != nil || n != 300 || from != netip.MustParseAddrPort("0.0.0.0:68") {
		t.Errorf("the server's kernel gave it %d bytes from %v, %v", n, from, err)
	}
}

func TestE4UnicastLeavesFromTheLeasedAddress(t *testing.T) {
	p := newPair(t)
	p.client.Addr("eth0", "192.0.2.77/24")
	heard := p.server.Hear("eth0")
	p.send(request(dhcp4.Request, leased), serverAddr)
	f := p.wait(heard, dhcp4.Request)
	if _, src, dst, _ := f.DHCP(); src != leased || dst != serverAddr || f.Dst().String() != p.serverMAC.String() {
		t.Errorf("from %v to %v at %v", src, dst, f.Dst())
	}
	ip, udp := f.Data[14:], f.Data[34:]
	if ip[1] != tos || udp[1] != clientPort || udp[3] != serverPort {
		t.Errorf("service %#x, ports %d to %d", ip[1], udp[1], udp[3])
	}
	if frames, _ := p.seen(); len(frames) != 1 || string(frames[0].Data[headersLen:]) != string(f.Data[14+headersLen:]) {
		t.Errorf("Tap saw %+v", frames)
	}
}

// E5: another link has the better route to the server.
func TestE5UnicastLeavesByItsOwnLink(t *testing.T) {
	n := nettest.New(t)
	client, server, decoy := n.Host("client"), n.Host("server"), n.Host("decoy")
	n.Connect(client, "eth0", server, "eth0")
	n.Connect(client, "eth1", decoy, "eth0")
	client.Addr("eth0", "192.0.2.77/24")
	client.Addr("eth1", "198.51.100.2/24")
	server.Addr("eth0", "192.0.2.1/24")
	decoy.Addr("eth0", "198.51.100.1/24")
	if err := client.AddRoute(netip.PrefixFrom(serverAddr, 32), netip.MustParseAddr("198.51.100.1")); err != nil {
		t.Fatal(err)
	}
	right, wrong := server.Hear("eth0"), decoy.Hear("eth0")
	p := &pair{t: t, client: client, server: server}
	p.open()
	client.Must(func() error { // what an ordinary socket would do
		c, err := net.Dial("udp4", "192.0.2.1:67")
		if err != nil {
			return err
		}
		_, err = c.Write(bytesOf(request(dhcp4.Inform, leased)))
		return errors.Join(err, c.Close())
	})
	p.send(request(dhcp4.Request, leased), serverAddr)
	p.wait(right, dhcp4.Request)
	if _, ok := wrong.Wait(limit, func(f nettest.Frame) bool { return strings.Contains(string(f.Data), "\x35\x01\x08") }); !ok {
		t.Error("the route does not lead astray: this test tests nothing")
	}
	if slices.ContainsFunc(wrong.Frames(), isDHCP(dhcp4.Request)) {
		t.Error("it left by the other link")
	}
}

func TestServersUnicastsProvokeNoPortUnreachable(t *testing.T) {
	for _, tc := range []struct {
		name string
		to   netip.Addr
	}{{"RENEWING", serverAddr}, {"REBINDING", netip.Addr{}}} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPair(t)
			p.client.Addr("eth0", "192.0.2.77/24")
			heard := p.server.Hear("eth0")
			s := p.udp()
			answer := func(xid uint32) {
				t.Helper()
				if _, err := s.WriteToUDPAddrPort(bytesOf(reply(xid)), netip.AddrPortFrom(leased, clientPort)); err != nil {
					t.Fatal(err)
				}
				if m := p.receive(); m.XID != xid {
					t.Errorf("xid %d, want %d", m.XID, xid)
				}
			}
			unreachable := func(f nettest.Frame) bool {
				return f.EtherType() == unix.ETH_P_IP && f.Data[14+9] == unix.IPPROTO_ICMP
			}
			p.send(request(dhcp4.Request, leased), tc.to)
			answer(1)
			// ICMP leaves before the answer to a later question does.
			p.send(request(dhcp4.Release, leased), serverAddr)
			p.wait(heard, dhcp4.Release)
			if slices.ContainsFunc(heard.Frames(), unreachable) {
				t.Error("the client's kernel complained")
			}
			if n, err := unix.IoctlGetInt(p.conn.udp.fd, unix.SIOCINQ); n != 0 || err != nil {
				t.Errorf("%d bytes are queued for nobody, %v", n, err)
			}
			// The proof that it would have.
			p.check(p.conn.Close())
			if _, err := s.WriteToUDPAddrPort(bytesOf(reply(2)), netip.AddrPortFrom(leased, clientPort)); err != nil {
				t.Fatal(err)
			}
			if _, ok := heard.Wait(limit, unreachable); !ok {
				t.Error("no complaint without the socket either: this test tests nothing")
			}
		})
	}
}

// A lease that was given back before it was used, or is kept without touching
// the host.
func TestUnicastWithoutTheAddressGoesToWhereTheServerWasHeard(t *testing.T) {
	p := newPair(t)
	heard := p.server.Hear("eth0")
	check := func(typ dhcp4.MessageType, at net.HardwareAddr) {
		t.Helper()
		p.send(request(typ, leased), serverAddr)
		f := p.wait(heard, typ)
		if _, src, dst, _ := f.DHCP(); src != leased || dst != serverAddr || f.Dst().String() != at.String() {
			t.Errorf("%v from %v to %v at %v, want at %v", typ, src, dst, f.Dst(), at)
		}
		p.check(p.conn.Flush(t.Context()))
	}
	check(dhcp4.Inform, allHosts) // not heard of yet
	relay := netip.MustParseAddr("198.51.100.254")
	p.inject(allHosts, unix.ETH_P_IP, fromServer(bytesOf(reply(1)), func(ip []byte) {
		copy(ip[12:], relay.AsSlice()) // the server identifier is another
		ip[26], ip[27] = 0, 0
	}, nil))
	p.receive()
	check(dhcp4.Release, p.serverMAC)
}

// E19: errors in sending cost one message each.
func TestE19SendErrorsLeaveTheConnAlive(t *testing.T) {
	p := newPair(t)
	p.client.Addr("eth0", "192.0.2.77/24")
	p.check(p.client.SetDown("eth0"))
	for _, m := range []*dhcp4.Message{request(dhcp4.Discover, netip.Addr{}), request(dhcp4.Request, leased)} {
		if err := p.conn.Send(t.Context(), m, netip.Addr{}); !errors.Is(err, unix.ENETDOWN) || !strings.Contains(err.Error(), "eth0") {
			t.Errorf("%v: %v, want ENETDOWN on eth0", m.Type(), err)
		}
	}
	if err := p.conn.Send(t.Context(), request(dhcp4.Request, leased), serverAddr); err == nil {
		t.Error("a unicast left by a link that is down")
	}
	p.check(p.client.SetUp("eth0"))
	long := request(dhcp4.Discover, netip.Addr{})
	long.Options.Put(dhcp4.VendorSpecific.Code, make([]byte, 1500))
	if err := p.conn.Send(t.Context(), long, netip.Addr{}); !errors.Is(err, unix.EMSGSIZE) {
		t.Errorf("more than the MTU: %v, want EMSGSIZE", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.conn.Send(ended, request(dhcp4.Discover, netip.Addr{}), netip.Addr{}); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v, want context.Canceled", err)
	}
	if frames, _ := p.seen(); len(frames) != 0 {
		t.Errorf("Tap saw %d frames that were not sent", len(frames))
	}
	heard := p.server.Hear("eth0")
	p.send(request(dhcp4.Request, leased), netip.Addr{})
	if _, src, _, _ := p.wait(heard, dhcp4.Request).DHCP(); src != leased {
		t.Errorf("E6: from %v, want %v", src, leased)
	}
	p.send(request(dhcp4.Release, leased), serverAddr)
	p.wait(heard, dhcp4.Release)
}

// The address changes, is taken away, and comes back.
func TestOneConnServesSeveralAddresses(t *testing.T) {
	p := newPair(t)
	heard := p.server.Hear("eth0")
	p.client.Addr("eth0", "192.0.2.77/24")
	p.send(request(dhcp4.Request, leased), serverAddr)
	p.wait(heard, dhcp4.Request)
	p.client.Addr("eth0", "192.0.2.78/24")
	p.send(request(dhcp4.Inform, netip.MustParseAddr("192.0.2.78")), serverAddr)
	if _, src, _, _ := p.wait(heard, dhcp4.Inform).DHCP(); src.String() != "192.0.2.78" {
		t.Errorf("from %v, want the second address", src)
	}
	p.send(request(dhcp4.Release, netip.MustParseAddr("192.0.2.79")), serverAddr)
	if f := p.wait(heard, dhcp4.Release); f.Dst().String() != allHosts.String() {
		t.Errorf("from an address that is not there to %v, want to all", f.Dst())
	}
}
