// Watch keeps a lease of a few seconds for a while and prints every change of
// state: Config.Notify shows what happens.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/machine"
)

func main() {
	srv, err := dhcptest.NewServer(dhcptest.Config{LeaseTime: 2})
	if err != nil {
		log.Fatal(err)
	}
	addr := dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}
	c, err := client.New(client.Config{
		Conn:    dhcptest.NewWire(srv).Conn(addr),
		Machine: machine.Config{Link: machine.Link{HType: dhcp4.HTypeEthernet, CHAddr: addr}},
		Notify: func(e client.Event) {
			if r := e.Report; e.Kind == client.Reported && r.From != r.To {
				fmt.Printf("%v -> %v: %s\n", r.From, r.To, r.Cause)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := c.Run(ctx, client.Remembered{}); !errors.Is(err, context.DeadlineExceeded) {
		log.Fatal(err)
	}
}
