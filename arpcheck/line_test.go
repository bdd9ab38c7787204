package arpcheck

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mdlayher/arp"
	"golang.org/x/sys/unix"
)

// A holder that is slower than the window answers all three probes too late.
// The answers wait for Watch, which defends against the first and gives in to
// the second.
func TestLateAnswersToProbesAreHeardByWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		n.onSend = func(w *fakeWire, p *arp.Packet) {
			if isProbe(p) {
				time.AfterFunc(250*time.Millisecond, func() { w.hear(replyFrom(them)) })
			}
		}
		if holder, err := c.Probe(t.Context(), addr); holder != nil || err != nil {
			t.Fatalf("probe: %v, %v", holder, err)
		}
		if err := c.Announce(t.Context(), addr); err != nil {
			t.Fatalf("announce: %v", err)
		}
		holder, err := c.Watch(t.Context(), addr)
		if !bytes.Equal(holder, them) || err != nil {
			t.Errorf("watch: %v, %v; want %v", holder, err, them)
		}
		if n.opened() != 1 || !n.wire(0).narrow {
			t.Errorf("%d sockets, narrowed: %v; want one for all, narrowed for Watch", n.opened(), n.wire(0).narrow)
		}
	})
}

func TestK11WatchDefendsAndGivesIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		done := make(chan net.HardwareAddr)
		go func() {
			holder, _ := c.Watch(t.Context(), addr)
			done <- holder
		}()
		synctest.Wait()
		w := n.wire(0)
		time.Sleep(time.Hour) // K10: it listens for as long as the address is used
		w.hear(announcement(them, addr))
		time.Sleep(10 * time.Second)
		w.hear(announcement(third, addr))
		time.Sleep(9 * time.Second)
		w.hear(probePacket(them, addr)) // K15
		synctest.Wait()
		select {
		case holder := <-done:
			t.Fatalf("gave in to %v early", holder)
		default:
		}
		w.hear(announcement(them, addr))
		if holder := <-done; !bytes.Equal(holder, them) {
			t.Errorf("gave in to %v, want %v", holder, them)
		}
		wantStory(t, n, "1h0m0s send announcement\n1h0m10s send announcement\n")
	})
}

func TestK15ProxyThatAnswersTheAnnouncementsIsNoConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		n.onSend = func(w *fakeWire, p *arp.Packet) {
			if isAnnouncement(p) {
				w.hear(makeARP(arp.OperationReply, third, addr, us, addr))
			}
		}
		if holder, err := c.Probe(t.Context(), addr); holder != nil || err != nil {
			t.Fatalf("probe: %v, %v", holder, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go func() { _ = c.Announce(ctx, addr) }()
		if holder, err := c.Watch(ctx, addr); holder != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("watch: %v, %v; want it to hold on", holder, err)
		}
	})
}

func TestEveryProbeHearsOnANewSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		for range 2 {
			if holder, err := c.Probe(t.Context(), addr); holder != nil || err != nil {
				t.Fatalf("%v, %v", holder, err)
			}
			// Heard after this probe: not for the next one.
			n.wire(n.opened() - 1).hear(replyFrom(them))
		}
		synctest.Wait()
		if n.opened() != 2 || !n.wire(0).closed || n.wire(1).closed {
			t.Errorf("%d sockets, first closed: %v, second closed: %v", n.opened(), n.wire(0).closed, n.wire(1).closed)
		}
	})
}

func TestWatchDoesNotTrustWhatWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		if _, err := c.Probe(t.Context(), addr); err != nil {
			t.Fatal(err)
		}
		n.wire(0).hear(announcement(them, addr))
		n.wire(0).hear(announcement(them, addr))
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if holder, _ := c.Watch(ctx, addr); holder != nil {
			t.Errorf("gave in to %v, heard 10 s ago", holder)
		}
		if n.opened() != 2 {
			t.Errorf("%d sockets, want a new one", n.opened())
		}
	})
}

func TestAGuardTakesThePlaceOfTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{Defence: DefendNever})
		for range 2 {
			if err := c.Guard(addr); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n.opened() != 2 || !n.wire(0).closed || n.wire(1).closed {
			t.Fatalf("%d sockets, first closed: %v, second closed: %v", n.opened(), n.wire(0).closed, n.wire(1).closed)
		}
		n.wire(1).hear(announcement(them, addr))
		<-c.Heard()
		if holder, err := c.Check(); !bytes.Equal(holder, them) || err != nil {
			t.Errorf("%v, %v; want %v", holder, err, them)
		}
		synctest.Wait()
		if !n.wire(1).closed {
			t.Error("socket left open after the address was lost")
		}
		if holder, err := c.Check(); holder != nil || err != nil {
			t.Errorf("after the end of the guard: %v, %v", holder, err)
		}
	})
}

// Whoever checks takes one packet at a time, and is told that there are more.
func TestEachPacketHasItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		if err := c.Guard(addr); err != nil {
			t.Fatal(err)
		}
		n.wire(0).hear(probePacket(them, addr))
		n.wire(0).fail(unix.ENETDOWN)
		n.wire(0).hear(announcement(third, other))
		for range 4 { // the last one finds nothing
			<-c.Heard()
			if holder, err := c.Check(); holder != nil || err != nil {
				t.Fatalf("%v, %v", holder, err)
			}
		}
		select {
		case <-c.Heard():
			t.Error("a token without a packet")
		default:
		}
		n.wire(0).fail(unix.EBADF)
		<-c.Heard()
		if _, err := c.Check(); !errors.Is(err, unix.EBADF) {
			t.Errorf("%v, want EBADF", err)
		}
		synctest.Wait()
		if !n.wire(0).closed {
			t.Error("socket left open after an error")
		}
	})
}

func TestCloseReleasesWhatProbeLeftOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		if _, err := c.Probe(t.Context(), addr); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := c.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		if !n.wire(0).closed {
			t.Error("socket left open")
		}
		if _, err := c.Probe(t.Context(), addr); !errors.Is(err, errClosed) {
			t.Errorf("probe after close: %v", err)
		}
	})
}

func TestCloseReleasesWhatAPanicLeftOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{Tap: func(f Frame) {
			if !f.Sent {
				panic("a mistake")
			}
		}})
		ended := make(chan any)
		go func() {
			defer func() { ended <- recover() }()
			_, _ = c.Watch(t.Context(), addr)
		}()
		synctest.Wait()
		n.wire(0).hear(announcement(them, addr))
		if v := <-ended; v != "a mistake" {
			t.Fatalf("it ended with %v", v)
		}
		if err := c.Close(); err != nil || !n.wire(0).closed {
			t.Errorf("socket left open, %v", err)
		}
	})
}

func TestTapSeesEveryPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		c, n := newFake(t, Config{Tap: func(f Frame) {
			p, err := parse(f.Data)
			if err != nil {
				t.Errorf("frame %x: %v", f.Data, err)
				return
			}
			way := "heard from "
			if f.Sent {
				way = "sent to "
			}
			seen = append(seen, kindOf(p)+" "+way+f.Peer.String())
		}})
		n.onSend = func(w *fakeWire, p *arp.Packet) { w.hear(announcement(them, addr)) }
		if holder, err := c.Probe(t.Context(), addr); holder == nil {
			t.Fatalf("no conflict, %v", err)
		}
		want := []string{"probe sent to ff:ff:ff:ff:ff:ff", "announcement heard from 02:00:00:00:00:03"}
		if len(seen) != 2 || seen[0] != want[0] || seen[1] != want[1] {
			t.Errorf("got %q, want %q", seen, want)
		}
	})
}

func TestAnnounceAndWatchDoNotDisturbEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		if err := c.Guard(addr); err != nil {
			t.Fatal(err)
		}
		announced := make(chan error, 1)
		go func() { announced <- c.Announce(t.Context(), addr) }()
		synctest.Wait()
		// The guard still listens: a probe needs a socket of its own.
		if holder, err := c.Probe(t.Context(), addr); holder != nil || err != nil {
			t.Fatalf("%v, %v", holder, err)
		}
		if n.opened() != 2 || n.wire(0).closed {
			t.Errorf("%d sockets, first closed: %v; want 2 open", n.opened(), n.wire(0).closed)
		}
		if err := <-announced; err != nil {
			t.Error(err)
		}
		n.wire(0).hear(announcement(them, addr))
		<-c.Heard()
		if holder, err := c.Check(); holder != nil || err != nil {
			t.Errorf("%v, %v; want a defence", holder, err)
		}
		// The socket outlives the guard for as long as it is announced on.
		if err := c.Guard(addr); err != nil {
			t.Fatal(err)
		}
		go func() { announced <- c.Announce(t.Context(), addr) }()
		synctest.Wait()
		c.Unguard()
		synctest.Wait()
		if n.opened() != 2 || !n.wire(0).closed || n.wire(1).closed {
			t.Errorf("%d sockets, first closed: %v, second closed: %v; want the second open", n.opened(), n.wire(0).closed, n.wire(1).closed)
		}
		if err := <-announced; err != nil {
			t.Error(err)
		}
	})
}

func TestProbeOfAnotherAddressLeavesNoSocketBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		go func() { _, _ = c.Probe(t.Context(), addr) }()
		time.Sleep(100 * time.Millisecond)
		if holder, err := c.Probe(t.Context(), other); holder != nil || err != nil {
			t.Errorf("%v, %v; want free", holder, err)
		}
		synctest.Wait()
		if n.opened() != 2 || !n.wire(0).closed || n.wire(1).closed {
			t.Errorf("%d sockets, first closed: %v, second closed: %v; want the second kept", n.opened(), n.wire(0).closed, n.wire(1).closed)
		}
	})
}
