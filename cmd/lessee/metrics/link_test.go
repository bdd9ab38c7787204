package metrics

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

func TestAnAcquisitionIsInTheHistogramAndARenewalIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dhcptest.Config{LeaseTime: 3600})
		w.server.On(dhcp4.Discover, dhcptest.Delay(time.Second))
		w.live(client.Remembered{}, func() {
			pass(4 * time.Hour)
			n := read(t, w.registry)
			n.want(t, numbers{
				"leases_bound_total":                1,
				"time_to_lease_seconds_count":       1,
				"time_to_lease_seconds_sum":         1.15,
				"time_to_lease_seconds_bucket 1.0":  0,
				"time_to_lease_seconds_bucket 2.0":  1,
				"time_to_lease_seconds_bucket +Inf": 1,
				"messages_total sent DHCPDISCOVER":  1,
				"messages_total received DHCPOFFER": 1,
				"messages_total received DHCPNAK":   0,
				"messages_total received DHCPACK":   1 + n["renewals_total"],
				"messages_total sent DHCPREQUEST":   1 + n["renewals_total"],
				"rebindings_total":                  0,
				"lease_expiries_total":              0,
				"unanswered_total":                  0,
				"link_flaps_total":                  0,
			})
			if n["renewals_total"] < 7 || n["renewals_total"] > 9 {
				t.Errorf("%v renewals in 4 h with T1 at half an hour", n["renewals_total"])
			}
		})
	})
}

func TestALeaseOfASilentServerIsReboundOrExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dhcptest.Config{LeaseTime: 3600})
		w.live(client.Remembered{}, func() {
			pass(time.Minute)
			w.server.On(dhcp4.Request, dhcptest.When(unicast, dhcptest.Ignore))
			pass(54 * time.Minute)
			read(t, w.registry).want(t, numbers{"renewals_total": 0, "rebindings_total": 1, "lease_expiries_total": 0})
			w.server.Always(dhcptest.Ignore)
			pass(2 * time.Hour)
			n := read(t, w.registry)
			n.want(t, numbers{"renewals_total": 0, "rebindings_total": 1, "lease_expiries_total": 1, "time_to_lease_seconds_count": 1})
			if n["unanswered_total"] == 0 {
				t.Error("an hour without a server is not told of")
			}
			w.server.Reset()
			pass(2 * time.Minute)
			n = read(t, w.registry)
			n.want(t, numbers{"leases_bound_total": 2, "time_to_lease_seconds_count": 2, "time_to_lease_seconds_bucket 300.0": 1})
			if sum := n["time_to_lease_seconds_sum"]; sum < 3600 || sum > 7300 {
				t.Errorf("the acquisition lasted %v s; more than an hour of it the server was away", sum)
			}
		})
	})
}

func unicast(x *dhcptest.Exchange) bool { return x.Dst == x.Server() }

func TestARefusedLeaseBeginsAnAcquisition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dhcptest.Config{LeaseTime: 3600})
		w.live(client.Remembered{}, func() {
			pass(time.Minute)
			w.server.On(dhcp4.Request, dhcptest.First(1, dhcptest.NAK("moved")))
			pass(40 * time.Minute)
			read(t, w.registry).want(t, numbers{
				"naks_total": 1, "messages_total received DHCPNAK": 1, "leases_bound_total": 2, "time_to_lease_seconds_count": 2,
			})
		})
	})
}

func TestAConflictIsCountedAndTheWaitAfterItIsPartOfTheTimeToALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dhcptest.Config{LeaseTime: 3600})
		w.set(net.HardwareAddr{2, 0, 0, 0, 0, 9}, nil)
		w.live(client.Remembered{}, func() {
			pass(time.Second)
			read(t, w.registry).want(t, numbers{"conflicts_total": 1, "messages_total sent DHCPDECLINE": 1, "time_to_lease_seconds_count": 0})
			w.set(nil, nil)
			pass(time.Minute)
			n := read(t, w.registry)
			n.want(t, numbers{"conflicts_total": 1, "leases_bound_total": 1, "time_to_lease_seconds_count": 1, "time_to_lease_seconds_bucket 5.0": 0})
			w.conflict <- net.HardwareAddr{2, 0, 0, 0, 0, 9}
			w.heard <- struct{}{}
			pass(time.Minute)
			read(t, w.registry).want(t, numbers{"conflicts_total": 2, "time_to_lease_seconds_count": 2})
		})
	})
}

func TestALeaseThatIsVerifiedAfterAFlapIsNotAnAcquisition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dhcptest.Config{LeaseTime: 3600})
		w.live(client.Remembered{}, func() {
			pass(time.Minute)
			for range 2 {
				w.link <- client.LinkState{Up: false}
				pass(time.Minute)
				w.link <- client.LinkState{Up: true}
				pass(time.Minute)
			}
			read(t, w.registry).want(t, numbers{"link_flaps_total": 2, "leases_bound_total": 3, "time_to_lease_seconds_count": 1})
		})
	})
}

func TestTimeWithoutACarrierIsNobodysFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dhcptest.Config{LeaseTime: 3600})
		w.server.Always(dhcptest.Ignore)
		w.live(client.Remembered{}, func() {
			pass(time.Second)
			w.link <- client.LinkState{Up: false}
			pass(24 * time.Hour)
			w.server.Reset()
			w.link <- client.LinkState{Up: true}
			pass(time.Minute)
			read(t, w.registry).want(t, numbers{
				"link_flaps_total": 1, "time_to_lease_seconds_count": 1, "time_to_lease_seconds_bucket 0.2": 1,
			})
		})
	})
}

func TestAHostThatCannotBeConfiguredIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dhcptest.Config{LeaseTime: 3600})
		w.set(nil, syscall.EPERM)
		w.live(client.Remembered{}, func() {
			pass(time.Second)
			read(t, w.registry).want(t, numbers{"apply_failures_total": 1, "leases_bound_total": 0, "messages_total sent DHCPRELEASE": 1})
		})
	})
}

func TestARememberedLeaseIsUsedUnconfirmedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dhcptest.Config{LeaseTime: 3600})
		w.server.Always(dhcptest.Ignore)
		now := time.Now()
		remembered := lease.Lease{
			Addr: netip.MustParsePrefix("192.0.2.77/24"), Server: netip.MustParseAddr("192.0.2.1"), Start: now,
			T1: now.Add(12 * time.Hour), T2: now.Add(20 * time.Hour), Expiry: now.Add(24 * time.Hour),
		}
		w.live(client.Remembered{Lease: remembered}, func() {
			pass(5 * time.Minute)
			read(t, w.registry).want(t, numbers{"leases_unconfirmed_total": 1, "leases_bound_total": 0, "time_to_lease_seconds_count": 1})
		})
	})
}

func TestMessagesOfOthersAreCountedByReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dhcptest.Config{LeaseTime: 3600})
		w.server.On(dhcp4.Discover, dhcptest.WrongXID)
		w.live(client.Remembered{}, func() {
			pass(time.Second)
			read(t, w.registry).want(t, numbers{"dropped_messages_total other xid": 1, "messages_total received DHCPOFFER": 1})
		})
	})
}

func TestNobodyOnTheLinkCanMakeNewSeries(t *testing.T) {
	r := New(Config{})
	l := r.Link("eth0")
	before := len(read(t, r))
	for i := range 1000 {
		word := fmt.Sprintf("reason %d", i)
		l.Observe(client.Event{Kind: client.Dropped, Reason: machine.Reason(word)})
		l.DroppedFrame(word)
		l.Trouble(errors.New(word))
		l.Observe(client.Event{Kind: client.Trouble, Err: errors.New(word)})
		m := &dhcp4.Message{Options: dhcp4.Options{{Code: dhcp4.MsgType.Code, Value: []byte{byte(i)}}}}
		l.Observe(client.Event{Kind: client.Received, Message: m})
	}
	n := read(t, r)
	n.want(t, numbers{
		"dropped_messages_total other": 1000, "dropped_frames_total other": 1000, "troubles_total other": 2000,
	})
	if more := len(n) - before; more > 2+len(messageTypes) {
		t.Errorf("%d new series", more)
	}
}

func TestWhatTheAgentAddsIsCounted(t *testing.T) {
	r := New(Config{})
	l := r.Link("eth0")
	l.Changed(3)
	l.Changed(-1)
	l.HookFailed()
	for _, kind := range []string{agent.KindFailed, agent.KindPanicked, agent.KindLocked, "bound"} {
		r.Told(agent.Event{Link: "eth0", Kind: kind})
	}
	l.Trouble(&fs.PathError{Op: "open", Path: "/var/lib/lessee/x", Err: syscall.ENOSPC})
	l.DroppedFrame(FrameReason(dhcp4.ErrCookie))
	r.Observe("eth0", client.Event{Kind: client.Sent, Message: &dhcp4.Message{}, Err: syscall.ENETDOWN})
	read(t, r).want(t, numbers{
		"applied_changes_total": 3, "client_restarts_total": 2, "client_panics_total": 1, "hook_failures_total": 1, "troubles_total disk full": 1,
		"dropped_frames_total no cookie": 1, "send_errors_total": 1,
	})
}

func TestLinksComeAndGoWhileOthersCountAndRead(t *testing.T) {
	r := New(Config{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 200 {
				l := r.Link(fmt.Sprintf("eth%d", i%4))
				l.Changed(1)
				l.Observe(client.Event{Kind: client.Dropped, Reason: machine.WrongXID})
				r.snapshot()
				if i == 7 {
					r.Forget("eth3")
				}
			}
		})
	}
	all.Wait()
	read(t, r).want(t, numbers{"applied_changes_total": 400, "dropped_messages_total other xid @eth1": 400})
	r.Forget("eth0")
	for key := range read(t, r) {
		if key == "applied_changes_total" {
			t.Error("eth0 is still there")
		}
	}
	r.Link("eth0")
	read(t, r).want(t, numbers{"applied_changes_total": 0})
}
