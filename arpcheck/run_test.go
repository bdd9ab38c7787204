package arpcheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mdlayher/arp"
	"golang.org/x/sys/unix"
)

func wantStory(t *testing.T, n *fakeLink, want string) {
	t.Helper()
	if got := n.story(); got != want {
		t.Errorf("story:\n%swant:\n%s", got, want)
	}
}

func TestFreeAddressIsFreeAfter200Milliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		holder, err := c.Probe(t.Context(), addr)
		if holder != nil || err != nil {
			t.Errorf("got %v, %v; want free", holder, err)
		}
		if took := time.Since(n.start); took != 200*time.Millisecond {
			t.Errorf("took %v, want 200 ms", took)
		}
		if n.wire(0).closed {
			t.Error("closed, want it to hear on for Watch")
		}
	})
}

func TestConflictIsReturnedTheMomentItIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		n.onSend = func(w *fakeWire, p *arp.Packet) { w.hear(replyFrom(them)) }
		holder, err := c.Probe(t.Context(), addr)
		if !bytes.Equal(holder, them) || err != nil {
			t.Errorf("got %v, %v; want %v", holder, err, them)
		}
		wantStory(t, n, "0s send probe\n")
		if took := time.Since(n.start); took != 0 {
			t.Errorf("took %v", took)
		}
		synctest.Wait()
		if !n.wire(0).closed {
			t.Error("left open after a conflict")
		}
	})
}

// A host that stands still while the answer comes has not missed it.
func TestWhatCameInTimeCountsHoweverLateItIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		n.onSend = func(w *fakeWire, p *arp.Packet) {
			if w.hear(replyFrom(ours)); strings.Count(n.log.String(), "probe") == 3 {
				w.hear(replyFrom(them))
			}
			time.Sleep(3 * time.Second)
		}
		holder, err := c.Probe(t.Context(), addr)
		if !bytes.Equal(holder, them) || err != nil {
			t.Errorf("got %v, %v; want %v", holder, err, them)
		}
		wantStory(t, n, "0s send probe\n3s send probe\n6s send probe\n")
	})
}

func TestAFloodPutsNoDeadlineOffForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n *fakeLink
		var c *Checker
		c, n = newFake(t, Config{Tap: func(Frame) { // a packet a millisecond, each of this host's own
			time.Sleep(time.Millisecond)
			n.wire(0).hear(replyFrom(ours))
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if holder, err := c.Probe(ctx, addr); holder != nil || err != nil {
			t.Errorf("got %v, %v; want free", holder, err)
		}
		if got := strings.Count(n.story(), "probe"); got != 3 {
			t.Errorf("%d probes:\n%s", got, n.story())
		}
	})
}

func TestUninterestingPacketsChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{Own: []net.HardwareAddr{third}})
		n.onSend = func(w *fakeWire, p *arp.Packet) {
			w.hear(request(them, other, addr))
			w.hear(replyFrom(ours))  // K6: of this host
			w.hear(replyFrom(third)) // named in Config.Own
		}
		if holder, err := c.Probe(t.Context(), addr); holder != nil || err != nil {
			t.Errorf("got %v, %v; want free", holder, err)
		}
		if took := time.Since(n.start); took != 200*time.Millisecond {
			t.Errorf("took %v, want 200 ms", took)
		}
	})
}

func TestLostProbesAreWeatherUnlessAllAreLost(t *testing.T) {
	for _, c := range []struct {
		fail []error
		ok   bool
	}{
		{[]error{unix.ENETDOWN, unix.ENOBUFS, nil}, true},
		{[]error{nil, unix.ENETDOWN, unix.ENETDOWN}, true},
		{[]error{unix.ENOBUFS, unix.ENOBUFS, unix.ENETDOWN}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			check, n := newFake(t, Config{})
			n.fail = c.fail
			holder, err := check.Probe(t.Context(), addr)
			if holder != nil || (err == nil) != c.ok {
				t.Errorf("sends ended with %v: got %v, %v", c.fail, holder, err)
			}
			if took := time.Since(n.start); took != 200*time.Millisecond {
				t.Errorf("sends ended with %v: took %v, want the schedule to go on", c.fail, took)
			}
			if !c.ok && !errors.Is(err, unix.ENETDOWN) {
				t.Errorf("got %v, want the last send's error", err)
			}
		})
	}
}

func TestInterfaceThatIsGoneEndsTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		n.fail = []error{nil, unix.ENXIO}
		holder, err := c.Probe(t.Context(), addr)
		if holder != nil || !errors.Is(err, unix.ENXIO) {
			t.Errorf("got %v, %v; want ENXIO", holder, err)
		}
		if took := time.Since(n.start); took > 60*time.Millisecond {
			t.Errorf("took %v, want an end with the second probe", took)
		}
	})
}

func TestLinkDownWhileReadingIsWeather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newFake(t, Config{})
		n.onSend = func(w *fakeWire, p *arp.Packet) { w.errs <- unix.ENETDOWN }
		if holder, err := c.Probe(t.Context(), addr); holder != nil || err != nil {
			t.Errorf("got %v, %v; want free", holder, err)
		}
		n.onSend = func(w *fakeWire, p *arp.Packet) { w.errs <- unix.EBADF }
		if _, err := c.Probe(t.Context(), addr); !errors.Is(err, unix.EBADF) {
			t.Errorf("got %v, want EBADF", err)
		}
	})
}

func TestAnEndOfTheContextEndsEverythingAtOnce(t *testing.T) {
	why := errors.New("user said so")
	calls := map[string]func(context.Context, *Checker) error{
		"probe":    func(ctx context.Context, c *Checker) error { _, err := c.Probe(ctx, addr); return err },
		"announce": func(ctx context.Context, c *Checker) error { return c.Announce(ctx, addr) },
		"watch":    func(ctx context.Context, c *Checker) error { _, err := c.Watch(ctx, addr); return err },
	}
	for name, call := range calls {
		for i, after := range []time.Duration{0, 70 * time.Millisecond, 0, 70 * time.Millisecond} {
			synctest.Test(t, func(t *testing.T) {
				c, n := newFake(t, Config{Mode: []Mode{Fast, RFC5227}[i/2]})
				ctx, cancel := context.WithCancelCause(t.Context())
				if after == 0 {
					cancel(why)
				} else {
					time.AfterFunc(after, func() { cancel(why) })
				}
				if err := call(ctx, c); !errors.Is(err, why) {
					t.Errorf("%s: got %v, want the cause", name, err)
				}
				if took := time.Since(n.start); took != after {
					t.Errorf("%s: ended after %v, want %v", name, took, after)
				}
				if after == 0 && n.story() != "" {
					t.Errorf("%s: sent after the end: %s", name, n.story())
				}
			})
		}
	}
}

// K9, in the times of each mode. In mode Off nothing is probed.
func TestAnnouncementsKeepTheTimesOfTheMode(t *testing.T) {
	for mode, gap := range map[Mode]time.Duration{Fast: 200 * time.Millisecond, RFC5227: 2 * time.Second, Off: 200 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			c, n := newFake(t, Config{Mode: mode})
			if mode == Off {
				if holder, err := c.Probe(t.Context(), addr); holder != nil || err != nil {
					t.Errorf("off: %v, %v", holder, err)
				}
			}
			if err := c.Announce(t.Context(), addr); err != nil {
				t.Errorf("%v: %v", mode, err)
			}
			wantStory(t, n, fmt.Sprintf("0s send announcement\n%v send announcement\n", gap))
			if took := time.Since(n.start); took != gap {
				t.Errorf("%v: took %v, want %v", mode, took, gap)
			}
		})
	}
}

func TestAnnouncementsThatWereAllLostAreAnError(t *testing.T) {
	for lose := range 3 {
		synctest.Test(t, func(t *testing.T) {
			c, n := newFake(t, Config{})
			for range lose {
				n.fail = append(n.fail, unix.ENOBUFS)
			}
			if err := c.Announce(t.Context(), addr); errors.Is(err, unix.ENOBUFS) != (lose == 2) {
				t.Errorf("%d of 2 lost: %v", lose, err)
			}
		})
	}
}
