package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
)

// For the race detector: everything at the same time, and Close in the middle.
func TestMethodsMayRunAtTheSameTime(t *testing.T) {
	p := newPair(t)
	p.client.Addr("eth0", "192.0.2.77/24")
	before := goleak.IgnoreCurrent()
	var wg sync.WaitGroup
	expected := func(err error) bool {
		return err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled)
	}
	started := make(chan struct{}, 3)
	loop := func(f func() error) {
		wg.Go(func() {
			for i := range 200 {
				if err := f(); !expected(err) {
					t.Error(err)
				}
				if i == 20 {
					started <- struct{}{}
				}
			}
		})
	}
	loop(func() error {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, err := p.conn.Receive(ctx)
		return err
	})
	loop(func() error { return p.conn.Send(t.Context(), request(dhcp4.Request, leased), serverAddr) })
	loop(func() error {
		return errors.Join(p.conn.Flush(t.Context()), p.conn.Send(t.Context(), request(dhcp4.Discover, netip.Addr{}), netip.Addr{}))
	})
	for range 50 {
		p.inject(allHosts, unix.ETH_P_IP, fromServer(bytesOf(reply(1)), nil, nil))
	}
	for range cap(started) {
		<-started
	}
	p.check(p.conn.Close())
	wg.Wait()
	goleak.VerifyNone(t, before)
}
