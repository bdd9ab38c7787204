package interop

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

func TestF4RestartHasNoGapAndIsConfirmed(t *testing.T) {
	all(t, func(t *testing.T, s Server) {
		w := newWorld(t)
		w.serve(w.server, s, network)
		p := w.keep("eth0")
		a := w.address(10 * time.Second)
		w.reaches("eth0", "BOUND", time.Second)
		w.sees(0, first...)
		v, routes := w.watch(), w.client.RoutesOf()
		if code := p.Signal(t, syscall.SIGTERM); code != 0 {
			t.Errorf("exit %d after SIGTERM", code)
		}
		w.silentSince(len(first))
		if now := w.client.RoutesOf(); fmt.Sprint(now) != fmt.Sprint(routes) {
			t.Errorf("routes: %q, before %q", now, routes)
		}
		if err := w.bare(); err == nil {
			t.Error("nothing is left for the next start")
		}

		w.keep("eth0")
		w.reaches("eth0", "BOUND", 5*time.Second)
		w.sees(len(first), "DHCPREQUEST broadcast", "DHCPACK")
		if r := v.removed(); len(r) != 0 {
			t.Errorf("the address was taken off: %v", r)
		}
		if again := w.address(time.Second); again != a {
			t.Errorf("%v became %v", a, again)
		}
		if now := w.client.RoutesOf(); fmt.Sprint(now) != fmt.Sprint(routes) {
			t.Errorf("routes: %q, before %q", now, routes)
		}
	})
}

func TestOnStopWithdrawLeavesTheLeaseAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer(w.server, scripted())
	p := w.keep("eth0", "--on-stop", "withdraw")
	w.address(10 * time.Second)
	w.reaches("eth0", "BOUND", time.Second)
	if code := p.Signal(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d after SIGTERM", code)
	}
	w.untouched()
	if _, err := os.Stat(w.dir + "/eth0.lease.json"); err != nil {
		t.Errorf("the lease is not remembered: %v", err)
	}
	w.sees(0, first...)
	w.keep("eth0", "--on-stop", "withdraw")
	w.reaches("eth0", "BOUND", 5*time.Second)
	w.sees(len(first), "DHCPREQUEST broadcast", "DHCPACK")
}

func TestF1OnStopReleaseGivesTheLeaseBack(t *testing.T) {
	all(t, func(t *testing.T, s Server) {
		w := newWorld(t)
		w.serve(w.server, s, network)
		p := w.keep("eth0", "--on-stop", "release")
		w.address(10 * time.Second)
		w.reaches("eth0", "BOUND", time.Second)
		if code := p.Signal(t, syscall.SIGTERM); code != 0 {
			t.Errorf("exit %d after SIGTERM", code)
		}
		w.untouched()
		w.find(dhcp4.Release)
		if _, err := os.Stat(w.dir + "/eth0.lease.json"); err == nil {
			t.Error("the released lease is still remembered")
		}
	})
}

// silentSince checks that nothing comes after the first n messages.
func (w *world) silentSince(n int) {
	w.t.Helper()
	time.Sleep(300 * time.Millisecond)
	if got := w.exchange(); len(got) != n {
		w.t.Errorf("on the wire: %q, %d were enough", got, n)
	}
}
