package client_test

import (
	"context"
	"fmt"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/machine"
)

// A lease from a server in memory. On a real link, package socket has the Conn.
func ExampleClient_Acquire() {
	srv, err := dhcptest.NewServer(dhcptest.Config{LeaseTime: 3600})
	if err != nil {
		panic(err)
	}
	wire := dhcptest.NewWire(srv)
	defer wire.Close()
	hw := dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}

	c, err := client.New(client.Config{
		Conn: wire.Conn(hw),
		Machine: machine.Config{
			Link:      machine.Link{HType: dhcp4.HTypeEthernet, CHAddr: hw},
			OfferWait: machine.AutoOfferWait,
		},
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	l, err := c.Acquire(ctx, client.Remembered{})
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Server, l.Expiry.Sub(l.Start))
	// Output: 192.0.2.1 1h0m0s
}
