package agent

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lessee/lessee/client"
)

// A client that begins is told how the link is, just as the link changes: what
// it finds must be the latest, or it waits for a carrier that is there.
func TestAClientThatBeginsNeverFindsWhatTheLinkWasBefore(t *testing.T) {
	a := New(Config{Plan: &plan{}})
	// A dozen rounds find it; each takes a whole turn of a processor where there is but one.
	for n := range 200 {
		k := newKeeper(a, a.plan, Link{Name: "eth0"})
		var both sync.WaitGroup
		var begun, changed atomic.Bool
		both.Go(func() {
			for !changed.Load() { // begins again and again, until the change is over
				k.put()
				begun.Store(true)
			}
		})
		for !begun.Load() {
			runtime.Gosched()
		}
		k.setLink(client.LinkState{Up: true})
		changed.Store(true)
		both.Wait()
		if s := <-k.state; !s.Up {
			t.Fatalf("round %d: the client is told of a link without a carrier, which has one", n)
		}
	}
}
