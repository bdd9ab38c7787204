package agent

import (
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcptest"
)

func TestWhatIsGoneFromALinkIsPutBackOnceForEachTime(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth0"}, func(w *world) {
		l := link(0)
		l.Touched = 7 // before we came
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Second)
		on := w.bound("eth0").Lease.Addr.String()
		want := []string{"apply " + on}
		for _, touched := range []uint32{7, 8, 8, 10} {
			l.Touched = touched
			w.sightings <- Sighting{Link: l}
			time.Sleep(time.Second)
		}
		want = append(want, "repair "+on, "repair "+on)
		if got := w.host("eth0").story(); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		// What a link without a carrier loses waits until it has one again.
		l.Carrier, l.Touched = false, 11
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Second)
		w.bound("eth0")
		if got := w.host("eth0").story(); !slices.Equal(got, want) {
			t.Errorf("without a carrier: %q", got)
		}
		l.Carrier = true
		w.sightings <- Sighting{Link: l}
		time.Sleep(time.Second)
		if got := w.host("eth0").story(); !slices.Equal(got, append(want, "repair "+on)) {
			t.Errorf("with a carrier again: %q", got)
		}
	})
}

func TestPatternsPassByThePortsOfOtherLinks(t *testing.T) {
	inWorld(t, dhcptest.Config{}, []string{"eth*"}, func(w *world) {
		w.plan.named = []string{"eth2"}
		free, joins, named := link(0), link(1), link(2)
		free.Port, named.Port = true, true
		for _, l := range []Link{free, joins, named} {
			w.sightings <- Sighting{Link: l}
		}
		time.Sleep(time.Second)
		w.bound("eth1")
		w.bound("eth2")
		if _, err := w.agent.Status("eth0"); err == nil {
			t.Error("the port of a bridge is kept though nobody named it")
		}
		free.Port, joins.Port = false, true
		w.sightings <- Sighting{Link: free}
		w.sightings <- Sighting{Link: joins}
		time.Sleep(time.Second)
		w.bound("eth0")
		if _, err := w.agent.Status("eth1"); err == nil || w.host("eth1").on().IsValid() {
			t.Errorf("a link that became a port still has %v", w.host("eth1").on())
		}
	})
}
