package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
)

func TestA20ManyLinksOnOneNetwork(t *testing.T) {
	const n = 100
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		for i := range n {
			w.sightings <- Sighting{Link: link(i)}
		}
		w.sightings <- Sighting{Link: Link{Name: "wlan0", Index: 1000}} // not wanted
		time.Sleep(time.Second)
		seen := map[netip.Prefix]string{}
		for i := range n {
			s := w.bound(link(i).Name)
			if other := seen[s.Lease.Addr]; other != "" {
				t.Errorf("%s and %s both have %v", s.Link, other, s.Lease.Addr)
			}
			seen[s.Lease.Addr] = s.Link
		}
		// One of them flaps for a minute; the others notice nothing.
		before := len(w.srv.Log())
		l := link(7)
		for range 600 {
			l.Carrier = !l.Carrier
			w.sightings <- Sighting{Link: l}
			time.Sleep(50 * time.Millisecond)
		}
		if got := len(w.srv.Log()); got != before {
			t.Errorf("L7: %d messages because of a flapping link", got-before)
		}
		if list := w.agent.List(); len(list) != n {
			t.Errorf("%d links are listed", len(list))
		}
		for i := range n {
			if s := w.bound(link(i).Name); s.Counts["bound"] != 1 {
				t.Errorf("%s: %v", s.Link, s.Counts)
			}
		}
	})
}

func TestAPanicConcernsOneLink(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.host("eth0").panics = 3
		w.sightings <- Sighting{Link: link(0)}
		w.sightings <- Sighting{Link: link(1)}
		time.Sleep(900 * time.Millisecond)
		if s := w.state("eth0"); s.State != Failed || s.Problem == nil || s.Problem.Kind != KindPanicked || time.Until(s.Next) > time.Second {
			t.Errorf("after the first panic: %+v", s)
		}
		w.bound("eth1")
		time.Sleep(time.Second) // 1 s, then 2 s
		if s := w.state("eth0"); s.Counts[KindPanicked] != 2 {
			t.Errorf("after 1.9 s: %v", s.Counts)
		}
		time.Sleep(7 * time.Second) // 4 s more
		if s := w.bound("eth0"); s.Counts[KindPanicked] != 3 {
			t.Errorf("in the end: %v", s.Counts)
		}
		if s := w.bound("eth1"); s.Counts["bound"] != 1 || s.Counts[KindPanicked] != 0 {
			t.Errorf("eth1: %v", s.Counts)
		}
	})
}

func TestALinkInOtherHandsIsLookedAtAgain(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.locked = "eth0"
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(time.Minute)
		s := w.state("eth0")
		if s.State != Locked || !strings.Contains(s.Problem.Text, "process 4711") {
			t.Errorf("status: %+v", s)
		}
		if _, err := w.agent.Do(context.Background(), "eth0", Renew); !errors.Is(err, ErrNotPossible) || !strings.Contains(err.Error(), "process 4711") {
			t.Errorf("Do: %v", err)
		}
		w.plan.set(&w.plan.locked, "")
		time.Sleep(11 * time.Second)
		w.bound("eth0")
	})
}

func TestL8LinksThatVanishAndComeBackInEveryState(t *testing.T) {
	for name, tc := range map[string]struct {
		rules func(*dhcptest.Server)
		after time.Duration
		state string
	}{
		"selecting":  {func(s *dhcptest.Server) { s.Always(dhcptest.Ignore) }, time.Second, "SELECTING"},
		"requesting": {func(s *dhcptest.Server) { s.On(dhcp4.Request, dhcptest.Ignore) }, time.Second, "REQUESTING"},
		"bound":      {func(*dhcptest.Server) {}, time.Second, "BOUND"},
		"renewing":   {func(s *dhcptest.Server) { s.On(dhcp4.Request, dhcptest.After(1, dhcptest.Ignore)) }, 31 * time.Minute, "RENEWING"},
		"rebinding":  {func(s *dhcptest.Server) { s.On(dhcp4.Request, dhcptest.After(1, dhcptest.Ignore)) }, 55 * time.Minute, "REBINDING"},
		"init":       {func(s *dhcptest.Server) { s.On(dhcp4.Request, dhcptest.NAK("no")) }, 20 * time.Second, "INIT"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
				tc.rules(w.srv)
				l := link(0)
				w.sightings <- Sighting{Link: l}
				time.Sleep(tc.after)
				if s := w.state("eth0"); s.State != tc.state {
					t.Fatalf("in %s: %+v", s.State, s.Problem)
				}
				w.srv.Reset()
				w.sightings <- Sighting{Link: l, Gone: true}
				l.Index = 50 // the kernel does not use an index again
				w.sightings <- Sighting{Link: l}
				time.Sleep(2 * time.Second)
				w.bound("eth0")
				if list := w.agent.List(); len(list) != 1 {
					t.Errorf("%d links are listed", len(list))
				}
			})
		})
	}
}

func TestL8ALinkThatIsGoneIsKeptNoMore(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.named = []string{"eth0"}
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(time.Second)
		w.bound("eth0")
		w.sightings <- Sighting{Link: link(0), Gone: true}
		if s := w.state("eth0"); s.State != Absent {
			t.Errorf("state %s", s.State)
		}
		for _, e := range w.srv.Log() {
			if e.Message.Type() == dhcp4.Release {
				t.Error("a DHCPRELEASE was attempted")
			}
		}
		if h := w.host("eth0"); h.stored.IsZero() || h.on().IsValid() {
			t.Errorf("stored %v, on the host %v", h.stored.Addr, h.on())
		}
	})
}

func TestL9AnotherHardwareAddressIsAnotherClient(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		l := link(0)
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Second)
		old := w.bound("eth0").Lease.Addr
		w.sightings <- Sighting{Link: l} // nothing new
		l.Hardware = hardware(9).String()
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Second)
		s := w.bound("eth0")
		if s.Lease.Addr == old || s.Hardware != l.Hardware {
			t.Errorf("still %v with %s", s.Lease.Addr, s.Hardware)
		}
		for _, e := range w.srv.Log() {
			m := e.Message
			if m.Op == dhcp4.OpRequest && slices.Equal(m.CHAddr, hardware(9)) && m.CIAddr.IsValid() && m.CIAddr == old.Addr() {
				t.Errorf("the old lease was renewed with the new address: %v", m)
			}
		}
	})
}

func TestARenamedLinkKeepsItsAddress(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*", "lan*"}, func(w *world) {
		l := link(0)
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Second)
		old := w.bound("eth0").Lease.Addr
		l.Name = "lan0"
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Second)
		if s := w.bound("lan0"); s.Lease.Addr != old {
			t.Errorf("%v became %v", old, s.Lease.Addr)
		}
		if got := w.host("lan0").story(); len(got) != 1 {
			t.Errorf("what happened to the host: %q", got)
		}
		if _, err := w.agent.Status("eth0"); !errors.Is(err, ErrNoSuchLink) {
			t.Errorf("eth0: %v", err)
		}
	})
}

func TestWhatBecomesOfTheConfigurationAtTheEnd(t *testing.T) {
	for policy, want := range map[Policy]struct{ held, remembered, released bool }{
		Keep:     {held: true, remembered: true},
		Withdraw: {remembered: true},
		Release:  {released: true},
	} {
		t.Run(policy.String(), func(t *testing.T) {
			inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
				w.plan.policy["eth0"] = policy
				w.sightings <- Sighting{Link: link(0)}
				time.Sleep(time.Second)
				w.bound("eth0")
				before := len(w.srv.Log())
				w.stop()
				h := w.host("eth0")
				if h.on().IsValid() != want.held || !h.stored.IsZero() != want.remembered || (len(w.srv.Leases()) == 0) != want.released {
					t.Errorf("F4: on the host %v, remembered %v, %d leases at the server", h.on(), h.stored.Addr, len(w.srv.Leases()))
				}
				if got := len(w.srv.Log()); !want.released && got != before {
					t.Errorf("F4: %d messages at the end", got-before)
				}
			})
		})
	}
}

func TestALinkWithoutAClientIsLetGoAllTheSame(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.policy["eth0"] = Withdraw
		h := w.host("eth0")
		h.applied = netip.MustParsePrefix("192.0.2.9/24") // of a process that was killed
		h.panics = 100
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(500 * time.Millisecond)
		if s := w.state("eth0"); s.State != Failed {
			t.Fatalf("in %s", s.State)
		}
		w.stop()
		if h.on().IsValid() {
			t.Errorf("left behind: %v", h.on())
		}
	})
}

func TestTheNextAgentTakesOverWithoutAGap(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(time.Second)
		old := w.bound("eth0").Lease.Addr
		w.stop()
		time.Sleep(time.Minute)
		next := New(Config{Plan: w.plan, Sightings: w.sightings, Now: time.Now, Wall: time.Now})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { next.Run(ctx); close(done) }()
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(time.Second)
		s, err := next.Status("eth0")
		if err != nil || s.State != "BOUND" || s.Lease.Addr != old || *s.SecondsLeft < 3590 {
			t.Errorf("taken over: %+v, %v", s, err)
		}
		if got := w.host("eth0").story(); len(got) != 1 {
			t.Errorf("what happened to the host: %q", got)
		}
		cancel()
		<-done
	})
}

func TestAReloadConcernsOnlyWhatChanged(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		for i := range 4 {
			w.sightings <- Sighting{Link: link(i)}
		}
		w.sightings <- Sighting{Link: Link{Name: "lan0", Index: 99, Hardware: hardware(99).String(), Carrier: true}}
		time.Sleep(time.Second)
		w.plan.policy["eth2"] = Release
		next := &plan{
			world: w, patterns: []string{"eth0", "eth1", "eth3", "lan0"}, hosts: w.plan.hosts,
			policy: map[string]Policy{}, version: map[string]int{"eth1": 1}, finish: map[string]string{"eth3": "another"},
		}
		before := len(w.srv.Log())
		if err := w.agent.Reload(context.Background(), next); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		told := map[string][]string{}
		for _, e := range w.srv.Log()[before:] {
			if m := e.Message; m.Op == dhcp4.OpRequest {
				told[m.CHAddr.String()] = append(told[m.CHAddr.String()], m.Type().String())
			}
		}
		want := map[string][]string{
			hardware(1).String():  {"DHCPREQUEST"}, // taken over
			hardware(2).String():  {"DHCPRELEASE"}, // let go
			hardware(99).String(): {"DHCPDISCOVER", "DHCPREQUEST"},
		}
		if fmt.Sprint(told) != fmt.Sprint(want) {
			t.Errorf("messages %v, want %v", told, want)
		}
		if got := w.host("eth1").story(); len(got) != 1 {
			t.Errorf("eth1's address was taken away: %q", got)
		}
		for _, name := range []string{"eth0", "eth1", "eth3", "lan0"} {
			w.bound(name)
		}
		// Where only something else is made of leases, no server hears of it.
		for name, want := range map[string]int{"eth0": 1, "eth3": 2} {
			if got := w.host(name).times(); got != want {
				t.Errorf("%s: the lease was applied %d times, want %d", name, got, want)
			}
		}
		if err := w.agent.Reload(context.Background(), next); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := w.host("eth3").times(); got != 2 {
			t.Errorf("eth3: a reload that changes nothing applied the lease again")
		}
		if _, err := w.agent.Status("eth2"); !errors.Is(err, ErrNoSuchLink) {
			t.Errorf("eth2: %v", err)
		}
	})
}

func TestCommands(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(time.Second)
		ctx := context.Background()
		do := func(cmd Command, state string, paused bool) Status {
			t.Helper()
			if _, err := w.agent.Do(ctx, "eth0", cmd); err != nil {
				t.Fatalf("%s: %v", cmd, err)
			}
			s := w.state("eth0")
			if s.State != state || s.Paused != paused {
				t.Errorf("after %s: %s, paused %v", cmd, s.State, s.Paused)
			}
			return s
		}
		do(Renew, "BOUND", false)
		do(Rebind, "BOUND", false)
		do(PauseLink, "BOUND", true)
		if _, err := w.agent.Do(ctx, "eth0", Renew); !errors.Is(err, ErrNotPossible) {
			t.Errorf("renew while paused: %v", err)
		}
		do(ResumeLink, "BOUND", false)
		if s := do(GiveBack, "IDLE", false); s.Lease != nil || s.SecondsLeft != nil {
			t.Errorf("after release: %+v", s)
		}
		if s := do(Reacquire, "BOUND", false); s.Lease == nil || *s.SecondsLeft != 3600 {
			t.Errorf("after reacquire: %+v", s)
		}
		w.srv.On(dhcp4.Request, dhcptest.NAK("go away"))
		_, err := w.agent.Do(ctx, "eth0", Renew)
		var o *client.Obstacle
		if !errors.As(err, &o) || o.Report.Cause != machine.CauseNAK {
			t.Errorf("a refused renewal: %v", err)
		}
		if s := w.state("eth0"); s.Problem == nil || !strings.Contains(s.Problem.Text, "go away") {
			t.Errorf("problem: %+v", s.Problem)
		}
		if _, err := w.agent.Do(ctx, "eth5", Renew); !errors.Is(err, ErrNoSuchLink) {
			t.Errorf("another link: %v", err)
		}
	})
}

func TestSubscribersHearEverythingInOrderOrAreCutOff(t *testing.T) {
	inWorld(t, dhcptest.Config{LeaseTime: 10}, []string{"eth*"}, func(w *world) {
		ctx, cancel := context.WithCancel(context.Background())
		all, one := w.agent.Subscribe(ctx, ""), w.agent.Subscribe(ctx, "eth1")
		idle := w.agent.Subscribe(ctx, "")
		kinds := make(chan []string)
		go func() {
			var list []string
			for e := range one {
				list = append(list, e.Link+" "+e.Kind)
			}
			kinds <- list
		}()
		go func() {
			for range all {
			}
		}()
		w.sightings <- Sighting{Link: link(0)}
		w.sightings <- Sighting{Link: link(1)}
		time.Sleep(time.Second)
		_, err := w.agent.Do(ctx, "eth1", Renew)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		n := 0
		for range idle {
			n++
		}
		if n != backlog {
			t.Errorf("the subscriber that did not read got %d events", n)
		}
		cancel()
		got := strings.Join(<-kinds, ", ")
		const want = "eth1 started, eth1 sent, eth1 offer chosen, eth1 sent, eth1 granted, eth1 address free, eth1 bound, eth1 started, eth1 extended"
		if !strings.HasPrefix(got, want) {
			t.Errorf("heard %.300s", got)
		}
	})
}

func TestAHostThatRefusesIsAProblemThatIsTold(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.host("eth0").refuses = errRefused
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(time.Second)
		if s := w.state("eth0"); s.State != "INIT" || s.Problem == nil || s.Problem.Kind != "host not configured" {
			t.Errorf("status: %+v", s)
		}
		h := w.host("eth0")
		h.mu.Lock()
		h.refuses = nil
		h.mu.Unlock()
		time.Sleep(30 * time.Second)
		w.bound("eth0")
	})
}

func TestARefusedConfigurationShowsOnEveryLinkAndChangesNothing(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		for i := range 2 {
			w.sightings <- Sighting{Link: link(i)}
		}
		time.Sleep(time.Second)
		before := len(w.srv.Log())
		w.agent.Refused(errors.New("lessee.toml:3:9: not TOML"))
		for _, name := range []string{"eth0", "eth1"} {
			s := w.bound(name)
			if s.Problem == nil || s.Problem.Kind != KindRefused || !strings.Contains(s.Problem.Text, "3:9") {
				t.Errorf("%s: problem %+v", name, s.Problem)
			}
		}
		if got := len(w.srv.Log()); got != before {
			t.Errorf("%d messages because of it", got-before)
		}
	})
}

func TestAPanicAtTheEndIsNoWorseThanOneBefore(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.policy["eth0"] = Withdraw
		w.host("eth0").panics = 100
		w.sightings <- Sighting{Link: link(0)}
		w.sightings <- Sighting{Link: link(1)}
		time.Sleep(500 * time.Millisecond)
		w.plan.set(&w.plan.broken, "eth0")
		w.bound("eth1")
		w.stop() // undoing eth0 panics; eth1 stays as it is
		if !w.host("eth1").on().IsValid() {
			t.Error("eth1 was let go")
		}
	})
}

// What was opened holds a lock: left open, it would keep the link from being
// begun anew.
func TestWhatAPanicInterruptsIsClosed(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.set(&w.plan.hollow, "eth0")
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(10 * time.Second)
		w.plan.mu.Lock()
		if w.plan.opened < 2 || w.plan.closed != w.plan.opened {
			t.Errorf("opened %d times, closed %d times", w.plan.opened, w.plan.closed)
		}
		w.plan.hollow = ""
		w.plan.mu.Unlock()
		time.Sleep(time.Minute)
		w.bound("eth0")
		w.stop()
	})
}

func TestStatusShowsWhatIsUsed(t *testing.T) {
	inWorld(t, dhcptest.Config{Options: dhcptest.MustOptions("domain-name-servers=192.0.2.53")}, []string{"eth*"}, func(w *world) {
		policy := lease.Policy{Supersede: dhcp4.Options{{Code: dhcp4.DNS.Code, Value: []byte{127, 0, 0, 1}}}}
		w.plan.used = func(l lease.Lease) (lease.Lease, []Override) {
			used, list := policy.Use(l)
			return used, OverridesOf(list, func(how lease.How, c dhcp4.Code) string { return fmt.Sprintf("%s %d", how, uint8(c)) })
		}
		w.sightings <- Sighting{Link: link(0)}
		time.Sleep(time.Second)
		s := w.bound("eth0")
		want := Override{Code: 6, Name: "domain-name-servers", How: "supersede", Sent: "192.0.2.53", From: "supersede 6"}
		if got := s.Lease.DNS; len(got) != 1 || got[0].String() != "127.0.0.1" || len(s.Overrides) != 1 || s.Overrides[0] != want {
			t.Errorf("name servers %v, overrides %+v", got, s.Overrides)
		}
		if e, err := w.agent.Explain("eth0"); err != nil || e.Link != s.Lease.Addr.String() || !e.Time.Equal(s.Lease.Start) {
			t.Errorf("explanation %+v, %v", e, err)
		}
		if _, err := w.agent.Do(context.Background(), "eth0", GiveBack); err != nil {
			t.Fatal(err)
		}
		if _, err := w.agent.Explain("eth0"); !errors.Is(err, ErrNotPossible) {
			t.Errorf("without a lease: %v", err)
		}
		if _, err := w.agent.Explain("eth9"); !errors.Is(err, ErrNoSuchLink) {
			t.Errorf("of no link: %v", err)
		}
		w.sightings <- Sighting{Link: link(1)}
		time.Sleep(time.Second)
		if got := w.host("eth1").remembered(hardware(1), time.Now()).DNS; len(got) != 1 || got[0].String() != "192.0.2.53" {
			t.Errorf("remembered with name servers %v", got)
		}
	})
}
