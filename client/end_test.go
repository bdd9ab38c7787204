package client

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
)

// stuck is a host that is told to end what it does, and takes a second for it.
type stuck struct{ *world }

func (s stuck) Apply(ctx context.Context, _ lease.Lease) error {
	<-ctx.Done()
	time.Sleep(time.Second)
	s.note("apply ended")
	return context.Cause(ctx)
}

func TestAHostThatHangsHoldsTheEndUpForSecondsAndNothingRunsAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stop := w.live(w.client(func(c *Config) { c.Configurator = stuck{w} }), Remembered{})
		time.Sleep(time.Minute)
		begin := time.Now()
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(begin); took > 7*time.Second || !w.has("apply ended") {
			t.Errorf("after %v it says to have ended:\n%s", took, w.story())
		}
	})
}

// A crier announces as slowly as RFC 5227 has it.
type crier struct{ *world }

func (c crier) Announce(ctx context.Context, addr netip.Addr) error {
	c.note("announce " + addr.String())
	select {
	case <-time.After(2 * time.Second):
		c.note("announced")
		return nil
	case <-ctx.Done():
		c.note("announcing ended")
		return context.Cause(ctx)
	}
}

func TestK9WhoTakesOneLeaseStaysForTheLastAnnouncement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		if _, err := w.client(func(c *Config) { c.Prober = crier{w} }).Acquire(ctx, Remembered{}); err != nil {
			t.Fatal(err)
		}
		if !w.has("announced") {
			t.Errorf("story:\n%s", w.story())
		}
	})
}

func TestAnAddressThatIsGivenUpIsNotAnnouncedAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		troubles := 0
		c := w.client(func(c *Config) {
			c.Prober = crier{w}
			c.Notify = func(e Event) {
				if e.Kind == Trouble {
					troubles++
				}
			}
		})
		stop := w.live(c, Remembered{})
		time.Sleep(time.Second)
		if _, err := c.Do(t.Context(), machine.Release{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if w.has("announced") || !w.has("announcing ended") || troubles != 0 {
			t.Errorf("%d troubles:\n%s", troubles, w.story())
		}
		_ = stop()
	})
}

func TestWhoIsVerifiedIsGuardedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client()
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		if _, err := c.Do(t.Context(), machine.Reacquire{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !w.inOrder("guard 192.0.2.77", "unguard", "guard 192.0.2.77") {
			t.Errorf("story:\n%s", w.story())
		}
		_ = stop()
	})
}

// What was found out about an address before the link was away says nothing of
// the network that it is on now.
func TestACheckEndsWithTheCarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probing = 30 * time.Second
		link := make(chan LinkState, 1)
		link <- LinkState{Up: true}
		c := w.client(func(c *Config) { c.Link = link })
		stop := w.live(c, Remembered{})
		time.Sleep(10 * time.Second)
		link <- LinkState{}
		link <- LinkState{Up: true}
		time.Sleep(25 * time.Second)
		if s := c.Status().State; s != machine.Checking || !w.has("probe ended") {
			t.Errorf("%v 25 s after the link was down:\n%s", s, w.story())
		}
		_ = stop()
	})
}

// On a link that came back, the lease is checked while it is in use.
func TestACheckEndsWithTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		link := make(chan LinkState, 1)
		link <- LinkState{Up: true}
		c := w.client(func(c *Config) { c.Link = link })
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		synctest.Wait()
		w.probing = 30 * time.Second
		link <- LinkState{}
		time.Sleep(5 * time.Minute)
		link <- LinkState{Up: true}
		time.Sleep(10 * time.Second)
		if s := c.Status().State; s != machine.Checking {
			t.Fatalf("L1: it is %v", s)
		}
		if _, err := c.Do(t.Context(), machine.Release{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if !w.has("probe ended") {
			t.Errorf("story:\n%s", w.story())
		}
		_ = stop()
	})
}

func TestAfterAPanicNothingMoreIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := timeout(time.Hour)
		defer cancel()
		err := w.client(func(c *Config) { c.Configurator = panicking{w} }).Run(ctx, Remembered{})
		var p *PanicError
		if !errors.As(err, &p) || w.has("send DHCPRELEASE") || strings.Contains(w.story(), "withdraw") {
			t.Errorf("Run: %v\n%s", err, w.story())
		}
	})
}

func TestL8ALinkThatIsGoneBeforeTheStartIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		link := make(chan LinkState, 1)
		link <- LinkState{Gone: true}
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		if err := w.client(func(c *Config) { c.Link = link }).Run(ctx, Remembered{}); !errors.Is(err, ErrLinkGone) {
			t.Errorf("Run: %v", err)
		}
		if w.story() != "" {
			t.Errorf("story:\n%s", w.story())
		}
	})
}

func TestAPanicAtTheEndIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stop := w.live(w.client(func(c *Config) {
			c.Notify = func(e Event) {
				if e.Report.Cause == machine.CauseStopped {
					panic("a mistake")
				}
			}
		}), Remembered{})
		time.Sleep(time.Minute)
		var p *PanicError
		if err := stop(); !errors.As(err, &p) || p.Value != "a mistake" {
			t.Errorf("Run: %v", err)
		}
	})
}
