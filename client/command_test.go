package client

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
)

// live runs a client of w in the background of a bubble and stops it at the
// end; it returns what Run returned.
func (w *world) live(c *Client, r Remembered) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, r) }()
	return func() error { cancel(); return <-done }
}

func TestCommandsToAClientThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client()
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		ctx := context.Background()
		if s := c.Status(); s.State != machine.Bound || s.Lease.Addr != netip.MustParsePrefix("192.0.2.77/24") {
			t.Fatalf("status: %+v", s)
		}
		for _, tc := range []struct {
			command machine.Input
			cause   machine.Cause
			state   machine.State
		}{
			{machine.Renew{}, machine.CauseConfigured, machine.Bound},
			{machine.Rebind{}, machine.CauseConfigured, machine.Bound},
			{machine.Pause{}, machine.CausePaused, machine.Bound},
			{machine.Renew{}, machine.CauseNotPossible, machine.Bound},
			{machine.Resume{}, machine.CauseResumed, machine.Bound}, // verified meanwhile
			{machine.Reacquire{}, machine.CauseBound, machine.Bound},
			{machine.Resume{}, machine.CauseNotPossible, machine.Bound},
			{machine.Release{}, machine.CauseReleased, machine.Idle},
			{machine.Renew{}, machine.CauseNotPossible, machine.Idle},
			{machine.Reacquire{}, machine.CauseBound, machine.Bound},
			{machine.Leave{}, machine.CauseStopped, machine.Idle},
		} {
			r, err := c.Do(ctx, tc.command)
			synctest.Wait()
			var o *Obstacle
			if r.Cause != tc.cause || c.Status().State != tc.state || errors.As(err, &o) != (tc.cause == machine.CauseNotPossible) {
				t.Fatalf("%T: %q (%s), %v, in %v; want %q in %v", tc.command, r.Cause, r.Text, err, c.Status().State, tc.cause, tc.state)
			}
		}
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if _, err := c.Do(ctx, machine.Renew{}); !errors.Is(err, ErrEnded) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestARenewalOnDemandThatNobodyAnswersSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client()
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		w.fallSilent()
		_, err := c.Do(context.Background(), machine.Renew{})
		var o *Obstacle
		if !errors.As(err, &o) || o.Report.Cause != machine.CauseNoServer {
			t.Errorf("E20: %v", err)
		}
		if s := c.Status(); s.State != machine.Bound {
			t.Errorf("E20: in %v afterwards", s.State)
		}
		_ = stop()
	})
}

// A script may ask for it right after an agent has begun, which verifies the
// lease that it found in use.
func TestARenewalOnDemandWhileTheLeaseIsVerifiedIsThat(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*world)
		want   machine.Cause
	}{
		"answered":   {func(w *world) { w.delay = time.Second }, machine.CauseBound},
		"unanswered": {(*world).fallSilent, machine.CauseNoServer},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				tc.change(w)
				c := w.client()
				stop := w.live(c, Remembered{Lease: testLease(), Held: true})
				time.Sleep(time.Second / 2)
				if s := c.Status().State; s != machine.Rebooting {
					t.Fatalf("it is %v", s)
				}
				r, err := c.Do(context.Background(), machine.Renew{})
				var o *Obstacle
				if errors.As(err, &o) {
					r = o.Report
				}
				if r.Cause != tc.want || r.To != machine.Bound || (o != nil) != (tc.want == machine.CauseNoServer) {
					t.Errorf("%q in %v, %v; want %q", r.Cause, r.To, err, tc.want)
				}
				_ = stop()
			})
		})
	}
}

func TestWaitersAreToldWhenTheClientEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client()
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		w.fallSilent()
		told := make(chan error, 1)
		go func() { _, err := c.Do(context.Background(), machine.Renew{}); told <- err }()
		time.Sleep(time.Second)
		_ = stop()
		if err := <-told; !errors.Is(err, ErrEnded) {
			t.Errorf("told %v", err)
		}
	})
}

func TestE18SleepBeyondTheExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var slept atomic.Int64 // ns in which timers did not count
		woke := make(chan struct{})
		c := w.client(func(cfg *Config) {
			cfg.Now = func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
			cfg.Woke = woke
		})
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		w.fallSilent()
		slept.Store(int64(2 * time.Hour))
		woke <- struct{}{}
		synctest.Wait()
		if s := c.Status(); s.State != machine.Selecting || !w.has("withdraw 192.0.2.77/24") {
			t.Errorf("in %v after sleeping past the expiry:\n%s", s.State, w.story())
		}
		_ = stop()
	})
}

func TestE18SleepIsNoticedWithinAMinuteWhereNobodyTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var slept atomic.Int64 // ns in which timers did not count
		c := w.client(func(cfg *Config) { cfg.Now = func() time.Time { return time.Now().Add(time.Duration(slept.Load())) } })
		begin := time.Now()
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		slept.Store(int64(40 * time.Minute)) // past T1
		time.Sleep(time.Minute + time.Second)
		if s := c.Status(); s.State != machine.Bound || s.Lease.Start.Sub(begin) < 40*time.Minute {
			t.Errorf("not renewed: %v since %v", s.State, s.Lease.Start)
		}
		_ = stop()
	})
}

// panicking is a host that panics.
type panicking struct{ *world }

func (panicking) Apply(context.Context, lease.Lease) error { panic("no such table") }

func TestAPanicEndsTheClientAlone(t *testing.T) {
	for name, change := range map[string]func(*world, *Config){
		"beside the loop": func(w *world, c *Config) { c.Configurator = panicking{w} },
		"in the loop":     func(_ *world, c *Config) { c.Notify = func(Event) { panic("no such table") } },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				ctx, cancel := timeout(time.Hour)
				defer cancel()
				err := w.client(func(c *Config) { change(w, c) }).Run(ctx, Remembered{})
				var p *PanicError
				if !errors.As(err, &p) || p.Value != "no such table" || len(p.Stack) == 0 {
					t.Errorf("Run: %v", err)
				}
			})
		})
	}
}

func TestL8ALinkThatVanishesTakesItsNameServersAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		link := make(chan LinkState, 1)
		link <- LinkState{Up: true}
		c := w.client(func(cfg *Config) { cfg.Link = link })
		done := make(chan error, 1)
		go func() { done <- c.Run(context.Background(), Remembered{}) }()
		time.Sleep(time.Minute)
		link <- LinkState{Gone: true}
		if err := <-done; !errors.Is(err, ErrLinkGone) {
			t.Errorf("Run: %v", err)
		}
		if !w.has("withdraw 192.0.2.77/24") || w.has("forget") || w.has("send DHCPRELEASE") {
			t.Errorf("story:\n%s", w.story())
		}
	})
}

func TestWithoutACarrierNothingIsBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		link := make(chan LinkState, 1)
		link <- LinkState{Up: false}
		c := w.client(func(cfg *Config) { cfg.Link = link })
		stop := w.live(c, Remembered{})
		time.Sleep(time.Hour)
		if w.story() != "" {
			t.Errorf("story:\n%s", w.story())
		}
		link <- LinkState{Up: true}
		time.Sleep(time.Second)
		if s := c.Status(); s.State != machine.Bound {
			t.Errorf("in %v", s.State)
		}
		_ = stop()
	})
}
