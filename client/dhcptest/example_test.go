package dhcptest_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

// A server that is deaf to the first two requests, then slow. In a test, make
// the server with New and put this into a bubble of testing/synctest: then it
// takes no time.
func Example() {
	srv, err := dhcptest.NewServer(dhcptest.Config{
		Options: dhcptest.MustOptions("routers=192.0.2.1", "domain-name-servers=192.0.2.53"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.On(dhcp4.Discover, dhcptest.First(2, dhcptest.Ignore), dhcptest.Delay(10*time.Millisecond))

	wire := dhcptest.NewWire(srv)
	defer wire.Close()
	conn := wire.Conn(dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1})

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	discover := &dhcp4.Message{Op: dhcp4.OpRequest, HType: dhcp4.HTypeEthernet, CHAddr: dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}}
	if err := dhcp4.MsgType.Put(&discover.Options, dhcp4.Discover); err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		if err := conn.Send(ctx, discover, netip.Addr{}); err != nil {
			fmt.Println(err)
		}
	}
	offer, err := conn.Receive(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(offer.Type(), offer.YIAddr)
	for _, e := range srv.Log() {
		fmt.Println(e.Sent, e.Message.Type(), e.Src, "to", e.Dst)
	}
	// Output:
	// DHCPOFFER 192.0.2.2
	// false DHCPDISCOVER 0.0.0.0 to 255.255.255.255
	// false DHCPDISCOVER 0.0.0.0 to 255.255.255.255
	// false DHCPDISCOVER 0.0.0.0 to 255.255.255.255
	// true DHCPOFFER 192.0.2.1 to 192.0.2.2
}

// The logic alone, without any link.
func ExampleServer_Handle() {
	srv, err := dhcptest.NewServer(dhcptest.Config{LeaseTime: 600})
	if err != nil {
		fmt.Println(err)
		return
	}
	discover := &dhcp4.Message{Op: dhcp4.OpRequest, HType: dhcp4.HTypeEthernet, CHAddr: dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}}
	if err := dhcp4.MsgType.Put(&discover.Options, dhcp4.Discover); err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range srv.Handle(time.Now(), discover) {
		fmt.Printf("to %v at %v, port %d\n", r.To.Addr, r.To.Hardware, r.To.Port)
		fmt.Print(r.Message.Options[2].Code, " ", r.Message.Options[2], "\n")
	}
	// Output:
	// to 192.0.2.2 at 02:00:00:00:00:01, port 68
	// dhcp-lease-time 10m0s
}

// A rule of one's own: a server that hands out its addresses on weekdays only.
func ExampleRule() {
	onWeekdays := func(next dhcptest.Handler) dhcptest.Handler {
		return func(x *dhcptest.Exchange) []dhcptest.Reply {
			if d := x.Now.Weekday(); d == time.Saturday || d == time.Sunday {
				return []dhcptest.Reply{x.NAK("closed on " + d.String())}
			}
			return next(x)
		}
	}
	srv, err := dhcptest.NewServer(dhcptest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.Always(onWeekdays)
	req := &dhcp4.Message{Op: dhcp4.OpRequest, HType: dhcp4.HTypeEthernet, CHAddr: dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}}
	if err := dhcp4.MsgType.Put(&req.Options, dhcp4.Discover); err != nil {
		fmt.Println(err)
		return
	}
	for day := 6; day <= 9; day++ {
		for _, r := range srv.Handle(time.Date(2026, 3, day, 9, 0, 0, 0, time.UTC), req) {
			fmt.Println(day, r.Message.Type())
		}
	}
	// Output:
	// 6 DHCPOFFER
	// 7 DHCPNAK
	// 8 DHCPNAK
	// 9 DHCPOFFER
}
