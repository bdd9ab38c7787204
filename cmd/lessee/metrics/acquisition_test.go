package metrics

import (
	"testing"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
)

// acquire has a link ask for a lease by a message of type t, and get one a
// second later.
func acquire(l *Link, at time.Time, t dhcp4.MessageType) {
	m := &dhcp4.Message{}
	_ = dhcp4.MsgType.Put(&m.Options, t)
	l.Observe(client.Event{Kind: client.Sent, Time: at, Message: m})
	l.Observe(client.Event{Kind: client.Reported, Time: at.Add(time.Second), Report: machine.Report{
		Cause: machine.CauseBound, From: machine.Applying, To: machine.Bound,
	}})
}

func TestARememberedLeaseThatIsConfirmedIsAnAcquisitionToo(t *testing.T) {
	l := newLink("eth0")
	acquire(l, time.Unix(1000, 0), dhcp4.Request)
	if h := l.snapshot().lease; h.sum != time.Second {
		t.Errorf("%v until the lease, want 1s", h.sum)
	}
}

func TestAClientThatIsBegunAnewHasNoLeaseAtFirst(t *testing.T) {
	l := newLink("eth0")
	acquire(l, time.Unix(1000, 0), dhcp4.Discover)
	l.restarted(true)
	acquire(l, time.Unix(2000, 0), dhcp4.Discover)
	if h := l.snapshot().lease; h.sum != 2*time.Second {
		t.Errorf("%v until two leases, want 2s", h.sum)
	}
}
