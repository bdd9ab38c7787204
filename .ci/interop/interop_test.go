package interop

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/nettest"
)

// first is how a lease begins.
var first = []string{"DHCPDISCOVER broadcast", "DHCPOFFER", "DHCPREQUEST broadcast", "DHCPACK"}

func TestLeaseFromFirstToLast(t *testing.T) {
	all(t, func(t *testing.T, s Server) {
		w := newWorld(t)
		server := w.serve(w.server, s, network)
		d := w.must("acquire", "eth0")
		w.sees(0, first...)
		w.checkHost(d)

		if d := w.must("renew", "eth0"); d.Result != "renewed" {
			t.Errorf("renew: %+v", d)
		}
		w.sees(4, "DHCPREQUEST unicast from its address", "DHCPACK")
		if d = w.must("rebind", "eth0"); d.Result != "renewed" {
			t.Errorf("rebind: %+v", d)
		}
		w.sees(6, "DHCPREQUEST broadcast from its address", "DHCPACK")
		w.checkHost(d)

		if d := w.must("inform", "eth0"); d.Result != "informed" || !d.Lease.Expiry.IsZero() {
			t.Errorf("F9: inform: %+v", d)
		}
		w.must("release", "eth0")
		w.untouched()
		w.find(dhcp4.Release)
		// The server heard it: all three log the message by its name.
		ctx, cancel := context.WithTimeout(context.Background(), hearing)
		defer cancel()
		if !server.WaitFor(ctx, "RELEASE") {
			t.Error("F2: the server knows of no release")
		}
		if _, err := os.Stat(w.dir + "/eth0.lease.json"); err == nil {
			t.Error("the released lease is still remembered")
		}
	})
}

// checkHost compares the kernel and the resolver with the lease.
func (w *world) checkHost(d document) {
	w.t.Helper()
	before := time.Now()
	addrs := w.client.AddrsOf("eth0")
	if len(addrs) != 1 || addrs[0].Prefix != d.Lease.Address {
		w.t.Fatalf("addresses %+v, leased %v", addrs, d.Lease.Address)
	}
	// The kernel counts whole seconds, and was looked at between these two.
	most, least := d.Lease.Expiry.Sub(before)+time.Second, time.Until(d.Lease.Expiry)-2*time.Second
	if v := addrs[0].Valid; v > most || v < least || addrs[0].Preferred != v {
		w.t.Errorf("E17: valid for %v, preferred for %v, the lease for %v", v, addrs[0].Preferred, most)
	}
	if of := d.Lease.Expiry.Sub(d.Lease.Start); of > time.Duration(network.Seconds)*time.Second { // dhcpd grants what is left
		w.t.Errorf("the lease is of %v", of)
	}
	ifi, err := w.client.Interface("eth0")
	if err != nil {
		w.t.Fatal(err)
	}
	src := fmt.Sprintf("%v metric %d", d.Lease.Address.Addr(), 1000+ifi.Index)
	want := []string{
		"10.0.0.0/8 via 192.0.2.2 dev eth0 proto dhcp src " + src,
		"192.0.2.0/24 dev eth0 proto dhcp scope link src " + src,
		"default via 192.0.2.1 dev eth0 proto dhcp src " + src,
	}
	if got := w.client.RoutesOf(); !slices.Equal(got, want) {
		w.t.Errorf("G1, G2: routes %q, want %q", got, want)
	}
	text, err := os.ReadFile(w.resolvConf())
	if err != nil || !strings.HasSuffix(string(text), "search interop.example\nnameserver 192.0.2.53\n") {
		w.t.Errorf("resolv.conf: %q, %v", text, err)
	}
}

func TestK7SquatterIsDeclinedAtOnce(t *testing.T) {
	took := make(chan time.Duration, len(Servers))
	t.Cleanup(func() {
		// A machine that is busy for a moment delays one of them, a program
		// that is slow all.
		fastest := time.Hour
		for len(took) > 0 {
			d := <-took
			t.Logf("declined after %v", d)
			fastest = min(fastest, d)
		}
		if fastest > 50*time.Millisecond {
			t.Errorf("the DHCPDECLINE came %v after the ARP answer at best", fastest)
		}
	})
	all(t, func(t *testing.T, s Server) {
		w := newWorld(t)
		w.serve(w.server, s, network)
		taken := netip.MustParseAddr("192.0.2.105")
		squatter := w.squat(taken)
		d := w.must("acquire", "eth0", "--request-address", taken.String())
		if d.Lease.Address.Addr() == taken {
			t.Fatalf("leased the squatted address: %v", d.Lease.Address)
		}
		if len(squatter.Answers()) == 0 {
			t.Fatalf("the squatter was never asked; the server offered something else: %v", w.exchange())
		}
		answer, _ := w.heard.Wait(hearing, func(f nettest.Frame) bool {
			op, sender, _, ok := f.ARP()
			return ok && op == 2 && sender == taken
		})
		f, m := w.find(dhcp4.Decline)
		took <- f.At.Sub(answer.At)
		if a, err := dhcp4.RequestedAddr.Get(m.Options); err != nil || a != taken {
			t.Errorf("F5: declined %v, %v", a, err)
		}
		for _, next := range w.heard.Frames() {
			if m, _, _, ok := next.DHCP(); ok && m.Type() == dhcp4.Discover && next.At.After(f.At) {
				if rest := next.At.Sub(f.At); rest < 10*time.Second {
					t.Errorf("F6: only %v of rest", rest)
				}
				break
			}
		}
		// Whoever configures an address announces it.
		for _, f := range w.heard.Frames() {
			if op, sender, _, ok := f.ARP(); ok && op == 1 && sender == taken {
				t.Error("the squatted address was in use here")
			}
		}
	})
}

func TestD3AnotherNetworkRefusesTheRememberedAddress(t *testing.T) {
	all(t, func(t *testing.T, s Server) {
		w := newWorld(t)
		old := w.serve(w.server, s, network)
		w.must("acquire", "eth0")
		old.Stop()

		moved := network
		moved.Prefix = netip.MustParsePrefix("198.51.100.1/24")
		moved.First, moved.Last = netip.MustParseAddr("198.51.100.100"), netip.MustParseAddr("198.51.100.120")
		moved.Router, moved.Routes = netip.MustParseAddr("198.51.100.1"), nil
		if err := w.server.Remove("eth0"); err != nil {
			t.Fatal(err)
		}
		w.reconnect(moved)
		w.serve(w.server, s, moved)
		w.sees(0, first...)
		d := w.must("acquire", "eth0")
		if !moved.Prefix.Contains(d.Lease.Address.Addr()) {
			t.Fatalf("leased %v", d.Lease.Address)
		}
		w.sees(len(first), append([]string{"DHCPREQUEST broadcast", "DHCPNAK"}, first...)...)
		if a := w.client.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix != d.Lease.Address {
			t.Errorf("addresses: %+v", a)
		}
		for _, r := range w.client.RoutesOf() {
			if strings.Contains(r, "192.0.2.") {
				t.Errorf("left behind: %s", r)
			}
		}
	})
}

func TestD1D2RememberedLeaseIsConfirmed(t *testing.T) {
	all(t, func(t *testing.T, s Server) {
		w := newWorld(t)
		w.serve(w.server, s, network)
		old := w.must("acquire", "eth0").Lease.Address
		w.sees(0, first...)
		if d := w.must("acquire", "eth0"); d.Lease.Address != old {
			t.Errorf("%v became %v", old, d.Lease.Address)
		}
		w.sees(len(first), "DHCPREQUEST broadcast", "DHCPACK")
	})
}

func TestC10TwoServersAtOnce(t *testing.T) {
	all(t, func(t *testing.T, s Server) {
		w := newWorld(t)
		w.serve(w.server, s, network)
		other := network
		other.Prefix = netip.MustParsePrefix("192.0.2.2/24")
		other.First, other.Last = netip.MustParseAddr("192.0.2.200"), netip.MustParseAddr("192.0.2.220")
		w.third.Addr("eth0", other.Prefix.String())
		w.serve(w.third, s, other)

		d := w.must("discover", "eth0", "--wait", "10s")
		chosen, by := 0, map[string]bool{}
		for _, o := range d.Offers { // it asks twice, for the sake of who is slow
			by[o.Server] = true
			if o.Chosen {
				chosen++
			}
		}
		if len(by) != 2 || chosen != 1 {
			t.Fatalf("offers: %+v", d.Offers)
		}
		for _, o := range d.Offers {
			if !o.Chosen && o.Why == "" {
				t.Errorf("%+v lost without a reason", o)
			}
		}
		if has(w.exchange(), "DHCPREQUEST broadcast") {
			t.Error("discover asked for a lease")
		}
		for _, server := range []string{"192.0.2.1", "192.0.2.2"} {
			if d := w.must("acquire", "eth0", "--allow-server", server, "--no-apply", "--probe", "off"); d.Lease.Server.String() != server {
				t.Errorf("C11: leased from %v, only %s was allowed", d.Lease.Server, server)
			}
		}
		// The lease that is remembered now is the second server's. When it
		// is asked for anew, its server is preferred.
		if err := os.Remove(w.dir + "/eth0.lease.json"); err != nil {
			t.Fatal(err)
		}
		d, code, _ := w.lessee("acquire", "eth0", "--deny-server", "192.0.2.0/24", "--timeout", "10s")
		if code != 4 || d.Error == nil {
			t.Errorf("C11: exit %d, %+v; want 4", code, d.Error)
		}
	})
}

func TestLeaseThroughARelay(t *testing.T) {
	for _, s := range Servers {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			w := newRelayed(t, s)
			d := w.must("acquire", "eth0")
			if !network.Prefix.Contains(d.Lease.Address.Addr()) {
				t.Errorf("leased %v", d.Lease.Address)
			}
			_, m := w.find(dhcp4.ACK)
			if m.GIAddr.String() != "192.0.2.3" {
				t.Errorf("giaddr %v: this did not come through the relay", m.GIAddr)
			}
			w.must("renew", "eth0")
			w.must("release", "eth0")
			w.untouched()
		})
	}
}
