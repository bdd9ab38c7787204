package interop

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/nettest"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// hasty is a network whose leases are to be renewed after seconds. They last
// longer, so that a machine that stands still for a while does not end them.
func hasty(s Server) Network {
	n := network
	n.Seconds, n.T1, n.T2 = 30, 3, 6
	if s.Name == "dnsmasq" {
		n.Seconds = 120 // its least
	}
	return n
}

func TestE4E6E15LeaseIsRenewedReboundByAnotherServerExpiresAndComesBack(t *testing.T) {
	all(t, func(t *testing.T, s Server) {
		w := newWorld(t)
		w.third.Addr("eth0", "192.0.2.2/24")
		n := hasty(s)
		dir, copied := t.TempDir(), t.TempDir()
		server := w.serveFrom(dir, w.server, s, n)
		v := w.watch()
		w.keep("eth0")
		a := w.address(10 * time.Second)
		w.sees(0, first...)

		w.sees(4, "DHCPREQUEST unicast from its address", "DHCPACK")
		// The other one has read what was leased, and runs, before the
		// first is gone: until then it is asked for nothing.
		if leases, err := os.ReadFile(filepath.Join(dir, "leases")); err == nil { // not Kea's
			must(t, os.WriteFile(filepath.Join(copied, "leases"), leases, 0o644))
		}
		other := w.serveFrom(copied, w.third, s, n)
		server.Stop()
		renewed := time.Now()
		_, m := w.awaits(renewed, dhcp4.ACK, 15*time.Second)
		if id, err := dhcp4.ServerID.Get(m.Options); err != nil || id.String() != "192.0.2.2" {
			t.Errorf("E11: the new server is %v, %v", id, err)
		}
		if seen := w.exchange(); !has(seen, "DHCPREQUEST broadcast from its address") {
			t.Errorf("E6: %q", seen)
		}
		eventually(t, time.Second, "E11: the new server is the lease's", func() error {
			st, err := w.status("eth0")
			if err == nil && (st.Lease == nil || st.Lease.Server != netip.MustParseAddr("192.0.2.2")) {
				err = fmt.Errorf("%+v", st.Lease)
			}
			return err
		})
		if r := v.removed(); len(r) != 0 {
			t.Errorf("E10: the address was taken off: %v", r)
		}
		other.Stop()
		if testing.Short() && n.Seconds > 60 && os.Getenv("CI") == "" {
			return
		}
		// C18: it counts from when it was asked for.
		asked, _ := w.heard.Wait(hearing, func(f nettest.Frame) bool {
			q, _, _, ok := f.DHCP()
			return ok && q.XID == m.XID
		})
		end := asked.At.Add(time.Duration(n.Seconds) * time.Second)
		gone := v.gone(t, a, time.Until(end)+10*time.Second)
		if late, early := gone.after.Sub(end), end.Sub(gone.at); late > time.Second || early > 2*time.Second {
			t.Errorf("E15: taken off %v after the expiry", late)
		}
		eventually(t, time.Second, "E15: nothing is left", w.bare)

		w.serveFrom(dir, w.server, s, n)
		if again := w.address(time.Minute); again != a {
			t.Logf("%v became %v", a, again)
		}
		w.reaches("eth0", "BOUND", time.Second)
	})
}

// The kernel counts whole seconds. It must not take an address off that belongs
// to a lease of seconds which is extended in time.
func TestAnAddressWithALeaseOfTwoSecondsStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg := scripted()
	cfg.LeaseTime = 2
	w.answer(w.server, cfg)
	w.keep("eth0")
	w.reaches("eth0", "BOUND", 10*time.Second)
	v := w.watch()
	var s agent.Status
	var r []change
	eventually(t, time.Minute, "it is extended again and again", func() (err error) { // the kernel's clock cannot be made to run
		r = v.removed()
		if s, err = w.status("eth0"); err == nil && s.Counts["extended"] < 18 {
			err = fmt.Errorf("%v", s.Counts)
		}
		return err
	})
	if len(r) > s.Counts["expired"] {
		t.Errorf("the address was taken off %d times: %v; %v", len(r), r, s.Counts)
	}
}
