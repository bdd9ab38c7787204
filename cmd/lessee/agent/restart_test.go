package agent

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcptest"
)

// begun is how often a link was begun so far.
func (p *plan) begun() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opened
}

func TestALinkThatFailsIsBegunAnewWithGrowingDelayUntilOneLivesForAWhile(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.set(&w.plan.hollow, "eth0")
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(200 * time.Second)
		if n := w.plan.begun(); n != 9 { // after 0, 1, 3, 7, 15, 31, 63, 127 and 191 s
			t.Errorf("begun %d times in 200 s", n)
		}
		w.plan.set(&w.plan.hollow, "")
		time.Sleep(20 * time.Minute)
		w.bound("eth0")
		h := w.host("eth0")
		h.mu.Lock()
		h.panics = 1
		h.mu.Unlock()
		_, _ = w.agent.Do(context.Background(), "eth0", Renew)
		time.Sleep(3 * time.Second)
		if s := w.bound("eth0"); s.Problem == nil || s.Problem.Kind != KindPanicked {
			t.Errorf("problem %+v", s.Problem)
		}
	})
}

func TestALinkInOtherHandsIsLookedAtWithTheSameWaitEachTime(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.set(&w.plan.locked, "eth0")
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(95 * time.Second)
		if n := w.plan.begun(); n != 10 {
			t.Errorf("looked at %d times in 95 s", n)
		}
	})
}

func TestALinkThatIsLetGoWhileItIsOpenedKeepsNothing(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.policy["eth0"] = Withdraw
		w.plan.opening = 2 * time.Second
		h := w.host("eth0")
		h.applied = netip.MustParsePrefix("192.0.2.9/24") // of a process that was killed
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(time.Second)
		w.stop()
		if h.on().IsValid() {
			t.Errorf("left behind: %v", h.on())
		}
	})
}

func TestF4ALinkWithoutAClientKeepsWhatItHas(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		h := w.host("eth0")
		h.applied = netip.MustParsePrefix("192.0.2.9/24") // of a process that was killed
		h.panics = 100
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(500 * time.Millisecond)
		if s := w.state("eth0"); s.State != Failed {
			t.Fatalf("in %s", s.State)
		}
		w.stop()
		if !h.on().IsValid() {
			t.Errorf("F4: taken away: %q", h.story())
		}
	})
}

func TestL8ALinkThatIsGoneWhileItWaitsIsNotBegunAgain(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.set(&w.plan.locked, "eth0")
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(5 * time.Second)
		w.sightings <- Sighting{Link: link(0), Gone: true}
		time.Sleep(time.Minute)
		if n := w.plan.begun(); n != 1 || len(w.agent.List()) != 0 {
			t.Errorf("begun %d times; listed: %+v", n, w.agent.List())
		}
	})
}

func TestALinkThatWaitsToBeBegunHoldsNothingOfItsLastClient(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.agent.cfg.Woke = &Bell{}
		h := w.host("eth0")
		h.panics = 100
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(20 * time.Second)
		if s := w.state("eth0"); s.State != Failed {
			t.Fatalf("in %s", s.State)
		}
		if n := len(w.agent.cfg.Woke.listeners); n != 0 {
			t.Errorf("%d of those that ended listen for sleep", n)
		}
		if _, err := w.agent.Do(context.Background(), "eth0", Renew); !errors.Is(err, ErrNotPossible) {
			t.Errorf("renew: %v", err)
		}
	})
}
