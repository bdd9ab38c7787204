package socket_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/socket"
)

// Every network interface can be asked about; not every one can carry DHCP.
func ExampleLinkByName() {
	_, err := socket.LinkByName("lo")
	fmt.Println(err)

	_, err = socket.LinkByName("no-such-link")
	fmt.Println(err, errors.Is(err, socket.ErrNoLink))
	// Output:
	// lo (link type 772) cannot carry DHCP: it is the loopback, which has no neighbours
	// "no-such-link": no such interface true
}

// A DHCPDISCOVER, and whoever answers it within a second.
func ExampleOpen() {
	link, err := socket.LinkByName("eth0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	conn, err := socket.Open(link, socket.Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer conn.Close()

	discover := &dhcp4.Message{Op: dhcp4.OpRequest, HType: link.HType, XID: 0x1f2e3d4c, CHAddr: link.CHAddr()}
	if link.NeedsBroadcast() {
		discover.Flags = dhcp4.FlagBroadcast
	}
	if err := dhcp4.MsgType.Put(&discover.Options, dhcp4.Discover); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := conn.Send(ctx, discover, netip.Addr{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	for {
		m, err := conn.Receive(ctx)
		if err != nil {
			return // the second is over
		}
		fmt.Println(m)
	}
}

// Counting what is wrong with a network.
func ExampleConfig() {
	var damaged, other atomic.Int64
	cfg := socket.Config{Dropped: func(reason error) {
		switch {
		case errors.Is(reason, socket.ErrIPChecksum), errors.Is(reason, socket.ErrUDPChecksum):
			damaged.Add(1)
		default:
			other.Add(1)
		}
	}}
	cfg.Dropped(&socket.DropError{Reason: socket.ErrUDPChecksum, Source: netip.MustParseAddrPort("192.0.2.1:67")})
	fmt.Println(damaged.Load(), other.Load())
	// Output: 1 0
}
