package agent

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

const day = 24 * time.Hour

// TestAYearOnOneLink lives for a year with a server that is down every third
// day, with leases that outlast such a day and with leases that do not.
func TestAYearOnOneLink(t *testing.T) {
	for name, seconds := range map[string]dhcp4.Lifetime{"2 h": 7200, "36 h": 36 * 3600} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, dhcptest.Config{LeaseTime: seconds}, []string{"eth*"}, func(w *world) {
				y := &year{world: w, begin: time.Now()}
				w.wire.Lose(func(dhcptest.Event) bool { return y.down(time.Now()) })
				w.sightings <- Sighting{Link: link(0)}
				time.Sleep(time.Second)
				w.bound("eth0")
				early := y.live(60)
				late := y.live(365)
				if late.goroutines > early.goroutines || late.heap > early.heap+256<<10 {
					t.Errorf("after two months %+v, after a year %+v", early, late)
				}
				y.judge(seconds)
			})
		})
	}
}

// A year is what is seen of one.
type year struct {
	*world
	begin    time.Time
	days     int
	downtime time.Duration // without an address, as far as was seen
	expired  int           // times an address was seen that was not leased any more
	missed   int           // times there was none though a server has answered for longer than a client waits
}

// down tells whether the server is down at t: on every third day.
func (y *year) down(t time.Time) bool { return int(t.Sub(y.begin)/day)%3 == 2 }

// longestWait is what a client waits at most between two DHCPDISCOVER: 64 s and
// the jitter, and the time that an exchange takes.
const longestWait = 66 * time.Second

type usage struct {
	goroutines int
	heap       uint64
}

// live lives until the given day and looks every 61 seconds.
func (y *year) live(until int) usage {
	for ; y.days < until; y.days++ {
		for end := y.begin.Add(time.Duration(y.days+1) * day); time.Now().Before(end); {
			y.look()
			time.Sleep(61 * time.Second)
		}
		y.srv.ForgetLog()
	}
	synctest.Wait()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{runtime.NumGoroutine(), m.HeapAlloc}
}

// look compares the host with what the server granted.
func (y *year) look() {
	synctest.Wait()
	h := y.host("eth0")
	h.mu.Lock()
	on, expiry := h.applied, h.stored.Expiry
	h.mu.Unlock()
	now := time.Now()
	switch {
	case on.IsValid() && !now.Before(expiry):
		y.expired++
	case !on.IsValid():
		y.downtime += 61 * time.Second
		if !y.down(now) && !y.down(now.Add(-longestWait)) {
			y.missed++
		}
	}
}

func (y *year) judge(seconds dhcp4.Lifetime) {
	y.t.Helper()
	if y.expired > 0 || y.missed > 0 {
		y.t.Errorf("E15: an expired address was seen %d times; a lease that could be had was missed %d times", y.expired, y.missed)
	}
	// A lease of 36 h, renewed at half time, outlasts a day of silence
	// unless it was renewed more than 12 h before; one of 2 h does not.
	days := y.downtime / day
	if seconds < 24*3600 && (days < 105 || days > 121) {
		y.t.Errorf("without an address for %d days, the server was down for 121", days)
	}
	s := y.bound("eth0")
	y.t.Logf("%d renewals, %d leases, %d expiries, %v without an address", s.Counts["extended"], s.Counts["bound"], s.Counts["expired"], y.downtime)
}
