package interop

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/control"
)

func TestA20AHundredLinksOnOneBridgeAreApart(t *testing.T) {
	const n = 100
	w := newWorld(t)
	cfg := scripted()
	cfg.First, cfg.Last, cfg.LeaseTime = netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.250"), 600
	srv := w.answer(w.server, cfg)
	for i := 1; i < n; i++ {
		w.plug(i)
	}
	began := time.Now()
	w.keep("eth*", "--carrier-delay", patient.String())
	var list []agent.Status
	eventually(t, 25*time.Second, "a hundred leases", func() error {
		err := w.dial(func(ctx context.Context, c *control.Client) (err error) {
			list, err = c.List(ctx)
			return err
		})
		bound := 0
		for _, s := range list {
			if s.State == "BOUND" {
				bound++
			}
		}
		if err == nil && bound != n {
			err = fmt.Errorf("%d links are bound", bound)
		}
		return err
	})
	t.Logf("all bound after %v", time.Since(began))
	holders := map[netip.Prefix]string{}
	for _, s := range list {
		if other := holders[s.Lease.Addr]; other != "" {
			t.Errorf("%s and %s both have %v", s.Link, other, s.Lease.Addr)
		}
		holders[s.Lease.Addr] = s.Link
		if a := w.client.AddrsOf(s.Link); len(a) != 1 || a[0].Prefix != s.Lease.Addr {
			t.Errorf("%s leases %v and holds %v", s.Link, s.Lease.Addr, a)
		}
	}

	before := len(srv.Log())
	for range 30 {
		for _, set := range []func(string) error{w.sw.SetDown, w.sw.SetUp} {
			if err := set(port(7)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	time.Sleep(time.Second)
	if got := len(srv.Log()); got != before {
		t.Errorf("L7: %d messages because one link flapped", got-before)
	}
	for line := range strings.Lines(w.asked("status")) {
		if !strings.Contains(line, " BOUND ") {
			t.Errorf("after the flapping: %s", line)
		}
	}
}

// plug lays the client's cable number i to the switch.
func (w *world) plug(i int) {
	w.t.Helper()
	w.net.Connect(w.sw, port(i), w.client, fmt.Sprintf("eth%d", i))
	if err := w.sw.Do(func() error {
		l, err := netlink.LinkByName(port(i))
		if err != nil {
			return err
		}
		br, err := netlink.LinkByName("br0")
		if err != nil {
			return err
		}
		return netlink.LinkSetMaster(l, br)
	}); err != nil {
		w.t.Fatal(err)
	}
}

// port is the switch's end of cable number i.
func port(i int) string { return fmt.Sprintf("x%d", i) }
