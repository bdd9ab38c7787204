package client

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/machine"
)

// An agent with a hundred links wakes for none of them that has nothing to do.
func TestABoundLinkIsNotLookedAtBetweenItsDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var looks atomic.Int64
		c := w.client(func(cfg *Config) {
			cfg.Now = func() time.Time { looks.Add(1); return time.Now() }
			cfg.Woke = make(chan struct{})
		})
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		before := looks.Load()
		time.Sleep(20 * time.Minute)
		if n := looks.Load() - before; n != 0 || c.Status().State != machine.Bound {
			t.Errorf("in %v, looked at the clock %d times in 20 minutes", c.Status().State, n)
		}
		_ = stop()
	})
}

// Of several things that are due when the machine wakes, the news of the sleep
// need not come first.
func TestE18SomethingElseIsHeardBeforeTheNewsOfASleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var slept atomic.Int64 // ns in which timers did not count
		link := make(chan LinkState, 1)
		link <- LinkState{Up: true}
		c := w.client(func(cfg *Config) {
			cfg.Now = func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
			cfg.Woke, cfg.Link = make(chan struct{}), link
		})
		begin := time.Now()
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		slept.Store(int64(40 * time.Minute)) // past T1
		tell(w.arrived)                      // and there is nothing to take
		time.Sleep(time.Second)
		if s := c.Status(); s.State != machine.Bound || s.Lease.Start.Sub(begin) < 40*time.Minute {
			t.Errorf("E18: not renewed: %v since %v", s.State, s.Lease.Start)
		}
		_ = stop()
	})
}

func TestALinkThatWasDownIsConfiguredAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		link := make(chan LinkState, 1)
		link <- LinkState{Up: true}
		c := w.client(func(cfg *Config) { cfg.Link = link })
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		w.note("reset")
		link <- LinkState{Up: true, Reset: true}
		time.Sleep(time.Minute)
		if !w.inOrder("apply 192.0.2.77/24", "reset", "apply 192.0.2.77/24") {
			t.Errorf("L1: the kernel has dropped its routes:\n%s", w.story())
		}
		_ = stop()
	})
}
