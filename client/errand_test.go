package client

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
)

// slow is a host that takes its time to take an address off.
type slow struct {
	*world
	time.Duration
}

func (s slow) Withdraw(ctx context.Context, l lease.Lease) error {
	time.Sleep(s.Duration)
	return s.world.Withdraw(ctx, l)
}

func TestWhoGivesALeaseBackMayLookWhetherItIsGone(t *testing.T) {
	for _, command := range []machine.Input{machine.Release{}, machine.Leave{}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.client(func(c *Config) { c.Configurator = slow{w, time.Second} })
			stop := w.live(c, Remembered{})
			time.Sleep(time.Minute)
			if _, err := c.Do(t.Context(), command); err != nil || !w.has("withdraw 192.0.2.77/24") {
				t.Errorf("%T: %v; story:\n%s", command, err, w.story())
			}
			_ = stop()
		})
	}
}

func TestWhoGivesALeaseBackWaitsForTheHostNoLongerThanTheyWantTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client(func(c *Config) { c.Configurator = slow{w, 4 * time.Second} })
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		ctx, cancel := timeout(time.Second)
		defer cancel()
		if r, err := c.Do(ctx, machine.Release{}); err != nil || r.Cause != machine.CauseReleased || w.has("withdraw 192.0.2.77/24") {
			t.Errorf("%q, %v; story:\n%s", r.Cause, err, w.story())
		}
		_ = stop()
	})
}

// refuse has the server say no from now on.
func (w *world) refuse() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve = func(m *dhcp4.Message) *dhcp4.Message {
		if m.Type() == dhcp4.Request {
			return answer(m, dhcp4.NAK)
		}
		return nil
	}
}

func TestARenewalOnDemandEndsWithWhateverBecomesOfTheLease(t *testing.T) {
	for name, tc := range map[string]struct {
		happens func(*world, *Client, chan LinkState)
		want    machine.Cause
	}{
		"the server refuses (E12)": {func(w *world, _ *Client, _ chan LinkState) { w.refuse() }, machine.CauseNAK},
		"the host refuses":         {func(w *world, _ *Client, _ chan LinkState) { w.applyErr = errors.New("no room") }, machine.CauseApplyFailed},
		"another host has the address (K12)": {func(w *world, _ *Client, _ chan LinkState) {
			w.fallSilent()
			time.AfterFunc(time.Second, func() {
				w.conflict <- net.HardwareAddr{2, 0, 0, 0, 0, 9}
				tell(w.heard)
			})
		}, machine.CauseConflict},
		"the carrier goes": {func(w *world, _ *Client, link chan LinkState) {
			w.fallSilent()
			time.AfterFunc(time.Second, func() { link <- LinkState{} })
		}, machine.CauseLinkDown},
		"somebody pauses": {func(w *world, c *Client, _ chan LinkState) {
			w.fallSilent()
			time.AfterFunc(time.Second, func() { _, _ = c.Do(context.Background(), machine.Pause{}) })
		}, machine.CausePaused},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				link := make(chan LinkState, 1)
				link <- LinkState{Up: true}
				c := w.client(func(c *Config) { c.Link = link })
				stop := w.live(c, Remembered{})
				time.Sleep(time.Minute)
				synctest.Wait()
				tc.happens(w, c, link)
				ctx, cancel := timeout(5 * time.Second)
				defer cancel()
				if r, err := c.Do(ctx, machine.Renew{}); r.Cause != tc.want {
					t.Errorf("%q, %v; want %q", r.Cause, err, tc.want)
				}
				_ = stop()
			})
		})
	}
}

func TestWhatIsAskedForInVainEndsNoCommandButItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client()
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		if _, err := c.Do(t.Context(), machine.Release{}); err != nil {
			t.Fatal(err)
		}
		w.fallSilent()
		told := make(chan error, 1)
		go func() { _, err := c.Do(context.Background(), machine.Reacquire{}); told <- err }()
		synctest.Wait()
		var o *Obstacle
		if _, err := c.Do(t.Context(), machine.Renew{}); !errors.As(err, &o) || o.Report.Cause != machine.CauseNotPossible {
			t.Errorf("Renew without a lease: %v", err)
		}
		synctest.Wait()
		select {
		case err := <-told:
			t.Errorf("Reacquire, which was under way, ended with it: %v", err)
		default:
		}
		time.Sleep(5 * time.Minute)
		select {
		case err := <-told:
			if !errors.As(err, &o) || o.Report.Cause != machine.CauseNoServer {
				t.Errorf("Reacquire: %v", err)
			}
		default:
			t.Error("Reacquire does not end where nobody answers")
		}
		_ = stop()
	})
}

func TestTheLastThingThatAClientDidIsTold(t *testing.T) {
	for range 64 { // where both are there, either may be seen first
		c := newWorld(t).client()
		go func() {
			l := <-c.mail
			l.command.done <- &machine.Report{Cause: machine.CauseReleased}
			close(c.over)
		}()
		if r, err := c.Do(t.Context(), machine.Release{}); err != nil || r.Cause != machine.CauseReleased {
			t.Fatalf("%q, %v", r.Cause, err)
		}
	}
}

func TestWhatIsDoneIsTheLastThingThatIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var last machine.Report
		c := w.client(func(c *Config) {
			c.Notify = func(e Event) {
				if e.Kind == Reported {
					last = e.Report
				}
			}
		})
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		if err := c.Release(ctx, testLease()); err != nil || last.Cause != machine.CauseReleased {
			t.Errorf("%v; %q was told last", err, last.Cause)
		}
	})
}

func TestWhoAsksWaitsNoLongerThanTheyWantTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client()
		stop := w.live(c, Remembered{})
		time.Sleep(time.Minute)
		w.fallSilent()
		ctx, cancel := timeout(time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := c.Do(ctx, machine.Renew{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		time.Sleep(time.Second)
		if s := c.Status().State; s != machine.Renewing {
			t.Errorf("E20: the command, which goes on, left it %v", s)
		}
		_ = stop()
	})
}
