package client

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/lease"
)

// A mender is a world that takes a quarter of an hour to put back what is gone.
type mender struct{ *world }

func (m mender) Repair(ctx context.Context, l lease.Lease) (bool, error) {
	m.note("repair " + l.Addr.String())
	select {
	case <-time.After(15 * time.Minute):
		return false, errors.New("it is gone again")
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

func (mender) Unfinished() time.Duration { return 0 }

func TestWhoTakesAwayFasterThanIsPutBackCostsNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.delay = time.Second
		links := make(chan LinkState)
		var troubles, repaired int
		c := w.client(func(cfg *Config) {
			cfg.Configurator, cfg.Link = mender{w}, links
			cfg.Notify = func(e Event) {
				switch e.Kind {
				case Trouble:
					troubles++
				case Repaired:
					repaired++
				}
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx, Remembered{}) }()
		links <- LinkState{Up: true}
		links <- LinkState{Up: true, Touched: true} // there is no lease yet
		time.Sleep(time.Minute)
		links <- LinkState{Up: true, Touched: true}
		synctest.Wait() // it has begun
		for range 1000 {
			links <- LinkState{Up: true, Touched: true}
		}
		synctest.Wait()
		if n := strings.Count(w.story(), "repair "); n != 1 {
			t.Errorf("%d repairs at once:\n%s", n, w.story())
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		// The second one does for the thousand others.
		if n := strings.Count(w.story(), "repair 192.0.2.77/24"); n != 2 || troubles != 2 || repaired != 2 {
			t.Errorf("%d repairs, told of %d, and of %d troubles:\n%s", n, repaired, troubles, w.story())
		}
		cancel()
		<-done
	})
}

// A starter is a world whose host is not finished when it has a lease: three
// repairs later it is.
type starter struct {
	*world
	repairs int
}

func (s *starter) Repair(_ context.Context, l lease.Lease) (bool, error) {
	s.note("repair " + l.Addr.String())
	s.repairs++
	return true, nil
}

func (s *starter) Unfinished() time.Duration {
	return []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 0}[min(s.repairs, 3)]
}

func TestWhatTheHostCouldNotDoIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &starter{world: w}
		c := w.client(func(cfg *Config) { cfg.Configurator = s })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx, Remembered{}) }()
		for !w.has("apply 192.0.2.77/24") {
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		for n, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Minute} {
			time.Sleep(wait - 2*time.Millisecond)
			synctest.Wait()
			if got := strings.Count(w.story(), "repair 192.0.2.77/24"); got != min(n, 3) {
				t.Errorf("%d repairs just before the time of number %d:\n%s", got, n+1, w.story())
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
		}
		if got := strings.Count(w.story(), "repair "); got != 3 {
			t.Errorf("%d repairs, want 3:\n%s", got, w.story())
		}
		cancel()
		<-done
	})
}
