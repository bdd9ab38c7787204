package socket

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
)

// What is on the way from starting a program to its first message.
func BenchmarkLinkByNameOpenSend(b *testing.B) {
	p := newPair(b)
	m := request(dhcp4.Discover, netip.Addr{})
	p.client.Must(func() error {
		for b.Loop() {
			l, err := LinkByName("eth0")
			if err != nil {
				return err
			}
			c, err := Open(l, Config{})
			if err != nil {
				return err
			}
			err = c.Send(b.Context(), m, netip.Addr{})
			b.StopTimer() // closing waits for the kernel
			if err := errors.Join(err, c.Close()); err != nil {
				return err
			}
			b.StartTimer()
		}
		return nil
	})
}

func BenchmarkReceive(b *testing.B) {
	p := newPair(b)
	p.conn.cfg.Tap = nil
	frame := fromServer(bytesOf(reply(1)), nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		p.inject(allHosts, unix.ETH_P_IP, frame)
		b.StartTimer()
		p.receive()
	}
}

func TestHeadersCostNoAllocation(t *testing.T) {
	b := fromServer(bytesOf(reply(1)), nil, nil)
	c := &Conn{}
	if n := testing.AllocsPerRun(100, func() {
		if _, _, err := parseUDP(b, false); err != nil {
			t.Fatal(err)
		}
		c.tap(false, b, nil)
	}); n != 0 {
		t.Errorf("%v allocations for a frame, want none", n)
	}
}
