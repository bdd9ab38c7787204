package dhcptest_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

// port is the interface Conn of package client, and what a test needs besides.
type port interface {
	Arrived() <-chan struct{}
	Take() (*dhcp4.Message, error)
	Receive(ctx context.Context) (*dhcp4.Message, error)
	Send(ctx context.Context, m *dhcp4.Message, to netip.Addr) error
	Flush(ctx context.Context) error
	Close() error
}

var _ port = (*dhcptest.Conn)(nil)

// bubble runs f with a server and alice's connection to it, in virtual time.
func bubble(t *testing.T, f func(t *testing.T, srv *dhcptest.Server, conn *dhcptest.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		srv := dhcptest.New(t, dhcptest.Config{})
		wire := dhcptest.NewWire(srv)
		defer wire.Close()
		f(t, srv, wire.Conn(alice))
	})
}

// send sends m by broadcast, or to one address.
func send(t *testing.T, c port, m *dhcp4.Message, to ...netip.Addr) {
	t.Helper()
	var dst netip.Addr
	if len(to) > 0 {
		dst = to[0]
	}
	if err := c.Send(t.Context(), m, dst); err != nil {
		t.Fatal(err)
	}
}

// next returns the next reply and when it came, or nil after limit.
func next(t *testing.T, c port, limit time.Duration) (*dhcp4.Message, time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	start := time.Now()
	m, err := c.Receive(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	return m, time.Since(start)
}

// wantNext fails unless the next reply is of type want after exactly d.
func wantNext(t *testing.T, c port, want dhcp4.MessageType, d time.Duration) *dhcp4.Message {
	t.Helper()
	m, took := next(t, c, time.Hour)
	if m == nil || m.Type() != want || took != d {
		t.Fatalf("%v after %v, want %v after %v", m, took, want, d)
	}
	return m
}

// wantSilence fails if any reply comes.
func wantSilence(t *testing.T, c port) {
	t.Helper()
	if m, took := next(t, c, time.Hour); m != nil {
		t.Fatalf("%v after %v, want nothing", m, took)
	}
}

func TestAConversationOverTheWire(t *testing.T) {
	bubble(t, func(t *testing.T, srv *dhcptest.Server, c *dhcptest.Conn) {
		send(t, c, msg(dhcp4.Discover, alice))
		a := wantNext(t, c, dhcp4.Offer, 0).YIAddr
		send(t, c, msg(dhcp4.Request, alice, with(dhcp4.RequestedAddr, a), with(dhcp4.ServerID, us)))
		wantNext(t, c, dhcp4.ACK, 0)
		send(t, c, msg(dhcp4.Request, alice, ciaddr(a)), us)
		wantNext(t, c, dhcp4.ACK, 0)
		log := srv.Log()
		if len(log) != 6 || log[0].Sent || !log[1].Sent {
			t.Fatalf("log: %v", log)
		}
		if e := log[4]; e.Src != a || e.Dst != us || e.Peer.String() != alice.String() {
			t.Errorf("renewal logged as %+v", e)
		}
		if e := log[5]; e.Src != us || e.Dst != a || e.Peer.String() != alice.String() || len(e.Frame) < 328 {
			t.Errorf("its answer logged as %+v", e)
		}
	})
}

func TestUnicastReachesTheServerItNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := dhcptest.New(t, dhcptest.Config{}), dhcptest.New(t, dhcptest.Config{ID: other})
		wire := dhcptest.NewWire(first, second)
		defer wire.Close()
		c := wire.Conn(alice)
		send(t, c, msg(dhcp4.Discover, alice))
		for _, want := range []netip.Addr{us, other} {
			m := wantNext(t, c, dhcp4.Offer, 0)
			if id, err := dhcp4.ServerID.Get(m.Options); err != nil || id != want {
				t.Errorf("offer of %v (%v), want one of %v", id, err, want)
			}
		}
		send(t, c, msg(dhcp4.Inform, alice, ciaddr(netip.MustParseAddr("192.0.2.40"))), other)
		wantNext(t, c, dhcp4.ACK, 0)
		if n := len(first.Log()); n != 2 {
			t.Errorf("the first server heard what was for the second: %v", first.Log())
		}
	})
}

func TestUnicastReachesItsClientAndBroadcastAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := dhcptest.NewWire(dhcptest.New(t, dhcptest.Config{}))
		defer wire.Close()
		a, b := wire.Conn(alice), wire.Conn(bob)
		send(t, a, msg(dhcp4.Discover, alice))
		wantNext(t, a, dhcp4.Offer, 0)
		wantSilence(t, b)
		send(t, a, msg(dhcp4.Discover, alice, wantsBroadcast))
		wantNext(t, a, dhcp4.Offer, 0)
		wantNext(t, b, dhcp4.Offer, 0)
	})
}

func TestAWireMayLoseWhatItLikes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := dhcptest.New(t, dhcptest.Config{})
		wire := dhcptest.NewWire(srv)
		defer wire.Close()
		c := wire.Conn(alice)
		wire.Lose(dhcptest.Received(dhcp4.Discover))
		send(t, c, msg(dhcp4.Discover, alice))
		wantSilence(t, c)
		if len(srv.Log()) != 0 {
			t.Errorf("the server logged %v", srv.Log())
		}
		wire.Lose(dhcptest.Sent(dhcp4.Offer))
		send(t, c, msg(dhcp4.Discover, alice))
		wantSilence(t, c)
		if len(srv.Log()) != 2 {
			t.Errorf("the server logged %v", srv.Log())
		}
		wire.Lose(nil)
		send(t, c, msg(dhcp4.Discover, alice))
		wantNext(t, c, dhcp4.Offer, 0)
	})
}

func TestAServerMaySpeakUnasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := dhcptest.New(t, dhcptest.Config{})
		wire := dhcptest.NewWire(srv)
		defer wire.Close()
		c := wire.Conn(alice)
		send(t, c, msg(dhcp4.Discover, alice))
		m := wantNext(t, c, dhcp4.Offer, 0)
		m.Options.Put(dhcp4.MsgType.Code, []byte{byte(dhcp4.NAK)})
		wire.Send(srv, dhcptest.Reply{
			Message: m, From: us, Delay: time.Minute,
			To: dhcptest.Destination{Addr: netip.MustParseAddr("255.255.255.255"), Port: 68},
		})
		wantNext(t, c, dhcp4.NAK, time.Minute)
	})
}

func TestClosingEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := dhcptest.New(t, dhcptest.Config{})
		srv.Always(dhcptest.Delay(time.Minute))
		wire := dhcptest.NewWire(srv)
		c := wire.Conn(alice)
		send(t, c, msg(dhcp4.Discover, alice))
		got := make(chan error)
		go func() {
			_, err := c.Receive(t.Context())
			got <- err
		}()
		synctest.Wait()
		if err := wire.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-got; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Receive: %v", err)
		}
		if err := c.Send(t.Context(), msg(dhcp4.Discover, alice), netip.Addr{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Send: %v", err)
		}
		time.Sleep(2 * time.Minute)
		if n := len(srv.Log()); n != 1 {
			t.Errorf("the reply was sent after Close: %v", srv.Log())
		}
	})
}

func TestATokenTellsOfWhatCanBeTaken(t *testing.T) {
	bubble(t, func(t *testing.T, _ *dhcptest.Server, c *dhcptest.Conn) {
		if m, err := c.Take(); m != nil || err != nil || len(c.Arrived()) != 0 {
			t.Fatalf("before anything came: %v, %v, %d tokens", m, err, len(c.Arrived()))
		}
		send(t, c, msg(dhcp4.Discover, alice))
		send(t, c, msg(dhcp4.Discover, bob, wantsBroadcast))
		for range 2 {
			<-c.Arrived()
			if m, err := c.Take(); m == nil || err != nil {
				t.Fatalf("with a token: %v, %v", m, err)
			}
		}
		<-c.Arrived()
		if m, err := c.Take(); m != nil || err != nil || len(c.Arrived()) != 0 {
			t.Fatalf("after everything that came: %v, %v, %d tokens", m, err, len(c.Arrived()))
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Take(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestReceiveEndsWithItsContextsCause(t *testing.T) {
	bubble(t, func(t *testing.T, _ *dhcptest.Server, c *dhcptest.Conn) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		if _, err := c.Receive(ctx); !errors.Is(err, why) {
			t.Errorf("Receive: %v", err)
		}
		if err := c.Send(ctx, msg(dhcp4.Discover, alice), us); !errors.Is(err, why) {
			t.Errorf("Send: %v", err)
		}
	})
}

func TestWaitForFindsThePastAndTheFuture(t *testing.T) {
	bubble(t, func(t *testing.T, srv *dhcptest.Server, c *dhcptest.Conn) {
		start := time.Now()
		time.AfterFunc(time.Minute, func() { send(t, c, msg(dhcp4.Discover, alice)) })
		time.AfterFunc(time.Hour, func() { send(t, c, msg(dhcp4.Discover, alice)) })
		second := dhcptest.Nth(2, dhcptest.Received(dhcp4.Discover))
		e, err := srv.WaitFor(t.Context(), second)
		if err != nil || e.Time.Sub(start) != time.Hour {
			t.Errorf("second: %v, %v", e, err)
		}
		e, err = srv.WaitFor(t.Context(), dhcptest.Sent(dhcp4.Offer))
		if err != nil || e.Time.Sub(start) != time.Minute {
			t.Errorf("offer: %v, %v", e, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := srv.WaitFor(ctx, dhcptest.Received(dhcp4.Decline)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("WaitFor: %v", err)
		}
	})
}
