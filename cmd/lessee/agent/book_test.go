package agent

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/machine"
)

func TestStatusTellsTheTimeAsTheHostsClockShowsIt(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		const off = 24 * time.Hour // somebody has set it
		w.agent.cfg.Wall = func() time.Time { return time.Now().Add(off) }
		begin := time.Now().Add(off)
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(time.Minute)
		s := w.bound("eth0")
		if d := s.Lease.Expiry.Sub(begin); d < time.Hour || d > time.Hour+time.Second {
			t.Errorf("the lease expires %v after it was asked for", d)
		}
		if d := s.Next.Sub(begin); d < 25*time.Minute || d > 35*time.Minute {
			t.Errorf("it is renewed %v after it was asked for", d)
		}
		for _, e := range s.Events {
			if e.Kind == string(machine.CauseBound) && !e.Expiry.Equal(s.Lease.Expiry) {
				t.Errorf("it is told to expire at %v, and does at %v", e.Expiry, s.Lease.Expiry)
			}
		}
		if *s.SecondsLeft != 3540 {
			t.Errorf("%d s left", *s.SecondsLeft)
		}
	})
}

func TestStatusOfALinkOnWhichNothingIsWrong(t *testing.T) {
	inWorld(t, dhcptest.Config{LeaseTime: dhcp4.Infinite}, []string{"eth*"}, func(w *world) {
		l := link(0)
		l.Carrier = false
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Minute)
		if s := w.state("eth0"); s.Problem != nil || s.Carrier {
			t.Errorf("nobody has plugged it in yet: %+v", s.Problem)
		}
		l.Carrier = true
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Minute)
		before := w.bound("eth0")
		if before.SecondsLeft != nil || len(before.Offers) != 1 || !before.Carrier {
			t.Errorf("C19: %v s left of a lease that never expires; %d offers, carrier %v", before.SecondsLeft, len(before.Offers), before.Carrier)
		}
		before.Counts["bound"] = 77 // it is ours
		if _, err := w.agent.Do(context.Background(), "eth0", ResumeLink); !errors.Is(err, ErrNotPossible) {
			t.Fatal(err)
		}
		if _, err := w.agent.Do(context.Background(), "eth0", PauseLink); err != nil {
			t.Fatal(err)
		}
		after := w.bound("eth0")
		if after.Problem != nil || !after.Since.Equal(before.Since) || after.Counts["bound"] != 1 {
			t.Errorf("problem %+v, bound since %v and %v, %d times", after.Problem, before.Since, after.Since, after.Counts["bound"])
		}
		if _, err := w.agent.Do(context.Background(), "eth0", GiveBack); err != nil {
			t.Fatal(err)
		}
		if s := w.state("eth0"); s.Paused {
			t.Error("what is given back is still paused")
		}
	})
}

func TestAServerThatIsSilentFillsNoBook(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.srv.On(dhcp4.Discover, dhcptest.Ignore)
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(5 * time.Minute)
		s, sent := w.state("eth0"), 0
		for _, e := range s.Events {
			if e.Kind == string(machine.CauseSent) {
				sent++
			}
		}
		if sent > 1 || s.Counts[string(machine.CauseSent)] < 5 {
			t.Errorf("%d of %d copies are events", sent, s.Counts[string(machine.CauseSent)])
		}
	})
}

func TestOfManyOffersFewAreKept(t *testing.T) {
	b := newBook(New(Config{}), link(0))
	offer := machine.Offer{Addr: netip.MustParsePrefix("192.0.2.9/24"), Message: &dhcp4.Message{}}
	var many []machine.Offer
	for range 3 * keptOffers {
		many = append(many, offer)
	}
	b.report(machine.Report{Cause: machine.CauseChosen, Offers: many})
	if n := len(b.read(nil, nil).Offers); n != keptOffers {
		t.Errorf("%d offers are kept", n)
	}
}

func TestABookKeepsTheLastEventsInOrder(t *testing.T) {
	b := newBook(New(Config{}), link(0))
	for n := range 3 * keptEvents {
		b.report(machine.Report{Cause: machine.CauseNote, Try: n, Text: string(rune('a' + n))})
	}
	events := b.read(nil, nil).Events
	if len(events) != keptEvents {
		t.Fatalf("%d events are kept", len(events))
	}
	for i, e := range events {
		if want := string(rune('a' + 2*keptEvents + i)); e.Text != want {
			t.Fatalf("event %d is %q, want %q", i, e.Text, want)
		}
	}
}
