package socket

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/nettest"
)

// isARP finds the client's questions for the server.
func isARP(f nettest.Frame) bool {
	op, _, target, ok := f.ARP()
	return ok && op == 1 && target == serverAddr
}

// F2: the server answers ARP only when the test wants it to.
func TestF2FlushReturnsWhenARPIsDone(t *testing.T) {
	p := newPair(t)
	p.client.Addr("eth0", "192.0.2.77/24")
	p.sysctl(p.client, "neigh/eth0/mcast_solicit", "100000")
	p.sysctl(p.client, "neigh/eth0/retrans_time_ms", "50")
	p.sysctl(p.server, "conf/eth0/arp_ignore", "8") // mute
	heard := p.server.Hear("eth0")
	p.send(request(dhcp4.Release, leased), serverAddr)
	flushed := make(chan error, 1)
	go func() { flushed <- p.conn.Flush(t.Context()) }()
	asked := 0
	if _, ok := heard.Wait(limit, func(f nettest.Frame) bool {
		if isARP(f) {
			asked++
		}
		return asked == 3
	}); !ok {
		t.Fatal("the client does not ask for the server")
	}
	select {
	case err := <-flushed:
		t.Fatalf("Flush returned before ARP was done: %v", err)
	default:
	}
	if n := len(dhcpFrames(heard)); n != 0 {
		t.Fatalf("%d messages were sent without ARP", n)
	}
	p.sysctl(p.server, "conf/eth0/arp_ignore", "0")
	p.check(<-flushed)
	// From here on the address is not needed any more.
	p.check(p.client.SetDown("eth0"))
	if _, src, _, _ := p.wait(heard, dhcp4.Release).DHCP(); src != leased {
		t.Errorf("from %v, want %v", src, leased)
	}
}

func dhcpFrames(c *nettest.Capture) (out []nettest.Frame) {
	for _, f := range c.Frames() {
		if _, _, _, ok := f.DHCP(); ok {
			out = append(out, f)
		}
	}
	return out
}

// F2: what the kernel gives up leaves all the same: when nobody answers ARP, and
// when it does not even ask, as with a table of neighbours that is full.
func TestF2WhatTheKernelGivesUpGoesAsAFrame(t *testing.T) {
	for name, sysctl := range map[string][2]string{
		"nobody answers":  {"neigh/eth0/retrans_time_ms", "20"},
		"nobody is asked": {"neigh/eth0/mcast_solicit", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			p.client.Addr("eth0", "192.0.2.77/24")
			p.sysctl(p.client, sysctl[0], sysctl[1])
			p.sysctl(p.server, "conf/eth0/arp_ignore", "8") // mute
			heard := p.server.Hear("eth0")
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			p.send(request(dhcp4.Release, leased), serverAddr)
			p.check(p.conn.Flush(ctx))
			p.check(p.client.SetDown("eth0")) // it has left
			f := p.wait(heard, dhcp4.Release)
			if _, src, dst, _ := f.DHCP(); src != leased || dst != serverAddr || !bytes.Equal(f.Data[:6], p.conn.link.Broadcast) {
				t.Errorf("from %v to %v, frame %x", src, dst, f.Data[:14])
			}
			p.check(p.conn.Flush(ctx)) // once
			if n := len(dhcpFrames(heard)); n != 1 {
				t.Errorf("%d messages were sent", n)
			}
		})
	}
}

// E19: what became of an earlier message does not fail a later one.
func TestE19LostMessageDoesNotFailTheNext(t *testing.T) {
	p := newPair(t)
	p.client.Addr("eth0", "192.0.2.77/24")
	heard := p.server.Hear("eth0")
	p.send(request(dhcp4.Request, leased), serverAddr) // nobody listens at port 67
	if _, ok := heard.Wait(limit, func(f nettest.Frame) bool {
		return f.EtherType() == unix.ETH_P_IP && f.Data[14+9] == unix.IPPROTO_ICMP
	}); !ok {
		t.Fatal("the server's kernel does not complain: this test tests nothing")
	}
	p.send(request(dhcp4.Release, leased), serverAddr)
}

func TestFlushEndsWithItsContext(t *testing.T) {
	p := newPair(t)
	p.client.Addr("eth0", "192.0.2.77/24")
	p.sysctl(p.client, "neigh/eth0/mcast_solicit", "100000")
	p.send(request(dhcp4.Release, leased), netip.MustParseAddr("192.0.2.200"))
	cause := errors.New("no more time")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if err := p.conn.Flush(ctx); !errors.Is(err, cause) {
		t.Errorf("Flush: %v, want the context's cause", err)
	}
}

func TestFlushHasNothingToDoForBroadcasts(t *testing.T) {
	p := newPair(t)
	p.check(p.conn.Flush(t.Context()))
	p.client.Addr("eth0", "192.0.2.77/24")
	p.send(request(dhcp4.Request, leased), netip.Addr{})
	p.check(p.conn.Flush(t.Context()))
}
