package lease_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// A lease counts from when the granted request was sent (RFC 2131, section
// 4.4.1), not from when the answer came.
func ExampleFromACK() {
	ack := &dhcp4.Message{Op: dhcp4.OpReply, YIAddr: netip.MustParseAddr("192.0.2.7")}
	for _, err := range []error{
		dhcp4.MsgType.Put(&ack.Options, dhcp4.ACK),
		dhcp4.ServerID.Put(&ack.Options, netip.MustParseAddr("192.0.2.1")),
		dhcp4.SubnetMask.Put(&ack.Options, 24),
		dhcp4.LeaseTime.Put(&ack.Options, 3600),
	} {
		if err != nil {
			panic(err)
		}
	}
	sent := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	l, notes, err := lease.FromACK(ack, sent)
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr, "from", l.Server)
	fmt.Println("renewed at", l.T1.Format(time.TimeOnly), "rebound at", l.T2.Format(time.TimeOnly), "over at", l.Expiry.Format(time.TimeOnly))
	fmt.Println(len(notes), "notes")
	// Output:
	// 192.0.2.7/24 from 192.0.2.1
	// renewed at 12:30:00 rebound at 12:52:30 over at 13:00:00
	// 0 notes
}
