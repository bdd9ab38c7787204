package agent

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/dhcptest"
)

func TestL8ALinkThatWasNeverThereAndIsGoneIsNotKept(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.sightings <- Sighting{Link: link(0), Gone: true}
		time.Sleep(time.Minute)
		if list := w.agent.List(); len(list) != 0 || w.plan.opened != 0 {
			t.Errorf("%+v, opened %d times", list, w.plan.opened)
		}
	})
}

func TestALinkThatIsNamedStaysWhenItBecomesAPort(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.named = []string{"eth0"}
		l := link(0)
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Second)
		l.Port = true
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Second)
		w.bound("eth0")
		if got := w.host("eth0").story(); len(got) != 1 {
			t.Errorf("%q", got)
		}
	})
}

func TestL1ALinkThatWasSetDownIsVerifiedAndAShortFlapIsNot(t *testing.T) {
	for down, want := range map[bool]int{false: 0, true: 1} { // L7
		inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
			l := link(0)
			w.sightings <- Sighting{Link: l}
			time.Sleep(time.Minute)
			w.bound("eth0")
			before, applied := len(w.srv.Log()), w.host("eth0").times()
			l.Carrier, l.Down = false, down
			w.sightings <- Sighting{Link: l}
			time.Sleep(time.Second)
			l.Carrier, l.Down = true, false
			w.sightings <- Sighting{Link: l}
			time.Sleep(time.Minute)
			w.bound("eth0")
			if got := w.host("eth0").times() - applied; got != want {
				t.Errorf("set down: %v; applied %d times more, and %d messages", down, got, len(w.srv.Log())-before)
			}
		})
	}
}

func TestARenamedLinkIsLetGoOnlyWhereNobodyTakesOver(t *testing.T) {
	for name, held := range map[string]bool{"lan0": true, "dmz0": false} {
		inWorld(t, dhcptest.Config{}, []string{"eth*", "lan*"}, func(w *world) {
			w.plan.policy["eth0"] = Withdraw
			l := link(0)
			w.sightings <- Sighting{Link: l}
			time.Sleep(time.Second)
			h := w.host("eth0")
			l.Name = name
			w.sightings <- Sighting{Link: l}
			time.Sleep(time.Second)
			synctest.Wait()
			if h.on().IsValid() != held || held && len(h.story()) != 1 {
				t.Errorf("%s: %v on the host, after %q", name, h.on(), h.story())
			}
			if held && w.host(name) != h {
				t.Errorf("%s: what was kept of eth0 is not its", name)
			}
		})
	}
}

func TestWhatIsCountedOfALinkEndsWithItAndNotWithItsClient(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*", "lan*"}, func(w *world) {
		var forgotten []string
		w.agent.cfg.Forgotten = func(link string) { forgotten = append(forgotten, link) }
		expect := func(what string, want ...string) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			if !slices.Equal(forgotten, want) {
				t.Errorf("%s: forgotten %q, want %q", what, forgotten, want)
			}
			forgotten = nil
		}
		for i := range 3 {
			w.sightings <- Sighting{Link: link(i)}
		}
		other := link(0)
		other.Hardware = hardware(100).String()
		w.sightings <- Sighting{Link: other}
		expect("another address")
		renamed := link(1)
		renamed.Name = "lan1"
		w.sightings <- Sighting{Link: renamed}
		expect("another name", "eth1")
		w.sightings <- Sighting{Link: renamed, Gone: true}
		expect("gone", "lan1")
		next := &plan{world: w, patterns: []string{"eth0"}, hosts: w.plan.hosts}
		if err := w.agent.Reload(context.Background(), next); err != nil {
			t.Fatal(err)
		}
		expect("not wanted any more", "eth2")
	})
}

func TestAReloadThatOnlyAddsALinkOutlivesWhoAskedForIt(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.sightings <- Sighting{Link: link(0)}
		l := link(1)
		l.Name = "lan1"
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Second)
		next := &plan{world: w, patterns: []string{"*"}, hosts: w.plan.hosts, finish: map[string]string{"eth0": "another"}}
		ctx, cancel := context.WithCancel(context.Background())
		if err := w.agent.Reload(ctx, next); err != nil {
			t.Fatal(err)
		}
		cancel() // whoever asked goes away
		time.Sleep(3 * time.Hour)
		w.bound("eth0")
		w.bound("lan1")
	})
}

func TestAReloadLeavesWhatIsTakenOverWhateverThePolicy(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.policy["eth0"] = Release
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(time.Second)
		next := &plan{world: w, patterns: []string{"eth*"}, hosts: w.plan.hosts, version: map[string]int{"eth0": 1}}
		if err := w.agent.Reload(context.Background(), next); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		w.bound("eth0")
		if got := w.host("eth0").story(); len(got) != 1 {
			t.Errorf("%q", got)
		}
	})
}

func TestWhoAsksAnAgentThatDoesNotTurnIsNotKeptWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := New(Config{Plan: &plan{}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Reload(ctx, &plan{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before it runs: %v", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		a.Run(ended)
		if err := a.Reload(t.Context(), &plan{}); !errors.Is(err, errOver) {
			t.Errorf("after it ran: %v", err)
		}
	})
}

func TestSubscriptionsEndWithTheAgent(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		before := w.agent.Subscribe(context.Background(), "")
		w.stop()
		after := w.agent.Subscribe(context.Background(), "")
		for _, c := range []<-chan Event{before, after} {
			if _, more := <-c; more {
				t.Error("an event of nothing")
			}
		}
	})
}

func TestALinkThatDoesNotLetGoHoldsTheEndUpForSeconds(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.closing = time.Hour
		w.sightings <- Sighting{Link: link(0)}
		w.sightings <- Sighting{Link: link(1)}
		time.Sleep(time.Second)
		begin := time.Now()
		w.stop()
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("it took %v to end", took)
		}
		time.Sleep(2 * time.Hour) // in which they let go, and nobody is left behind
	})
}

func TestABellRingsForAllWhoListenAndWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Bell
		one, other, left := b.Listen(), b.Listen(), b.Listen()
		b.Leave(left)
		b.Ring()
		b.Ring() // nobody has taken the first
		for _, c := range []<-chan struct{}{one, other} {
			if len(c) != 1 {
				t.Errorf("%d rings wait", len(c))
			}
		}
		if len(left) != 0 || len(b.listeners) != 2 {
			t.Errorf("%d rings for who has left; %d listen", len(left), len(b.listeners))
		}
		(*Bell)(nil).Leave((*Bell)(nil).Listen())
	})
}
