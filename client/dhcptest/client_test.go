package dhcptest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/machine"
)

var _ client.Conn = (*dhcptest.Conn)(nil)

// lessee returns a client with that hardware address on the wire, which leaves
// the host alone.
func lessee(t *testing.T, wire *dhcptest.Wire, who dhcp4.HardwareAddr) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{
		Machine: machine.Config{
			Link: machine.Link{HType: dhcp4.HTypeEthernet, CHAddr: who},
			Rand: rand.New(rand.NewPCG(1, 2)),
		},
		Conn: wire.Conn(who), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAClientLivesForDaysWithADifficultServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := dhcptest.New(t, dhcptest.Config{})
		wire := dhcptest.NewWire(srv)
		defer wire.Close()
		srv.On(dhcp4.Discover, dhcptest.First(2, dhcptest.Ignore))
		srv.Always(dhcptest.Twice, dhcptest.Delay(100*time.Millisecond))
		ctx, cancel := context.WithTimeout(t.Context(), 48*time.Hour)
		defer cancel()
		if err := lessee(t, wire, alice).Run(ctx, client.Remembered{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Run: %v", err)
		}
		var discovers, naks int
		for _, e := range srv.Log() {
			switch {
			case dhcptest.Received(dhcp4.Discover)(e):
				discovers++
			case dhcptest.Sent(dhcp4.NAK)(e):
				naks++
			}
		}
		if got := srv.Leases(); discovers != 3 || naks != 0 || len(got) != 1 || !got[0].Expiry.After(time.Now()) {
			t.Errorf("%d DHCPDISCOVERs, %d DHCPNAKs, leases %v", discovers, naks, got)
		}
	})
}

func TestADamagedReplyIsNoReplyToAClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := dhcptest.New(t, dhcptest.Config{})
		wire := dhcptest.NewWire(srv)
		defer wire.Close()
		srv.On(dhcp4.Discover, dhcptest.First(1, dhcptest.BadUDPChecksum))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := lessee(t, wire, alice).Acquire(ctx, client.Remembered{}); err != nil {
			t.Fatal(err)
		}
		if _, err := srv.WaitFor(ctx, dhcptest.Nth(2, dhcptest.Received(dhcp4.Discover))); err != nil {
			t.Error(err)
		}
	})
}
