// Printconf brings its own Configurator: what a lease would do to the host is
// printed instead of done, by way of netconf's plan.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/netconf"
)

// printer is a Configurator that changes nothing.
type printer struct{ link string }

func (p printer) Apply(_ context.Context, l lease.Lease) error {
	plan := netconf.PlanFor(l, netconf.Options{MTU: true})
	for _, step := range plan.Steps(p.link) {
		fmt.Println(step)
	}
	for _, r := range plan.Refused {
		fmt.Printf("# not followed: %s: %s\n", r.What, r.Why)
	}
	return nil
}

func (p printer) Withdraw(_ context.Context, l lease.Lease) error {
	fmt.Println("ip address del", l.Addr, "dev", p.link)
	return nil
}

func main() {
	srv, err := dhcptest.NewServer(dhcptest.Config{Options: dhcptest.MustOptions(
		"routers=192.0.2.1", "domain-name-servers=192.0.2.53", "interface-mtu=68",
		"classless-static-routes=10.0.0.0/8 via 192.0.2.254,224.0.0.0/4 via 192.0.2.254",
	)})
	if err != nil {
		log.Fatal(err)
	}
	addr := dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}
	c, err := client.New(client.Config{
		Conn:         dhcptest.NewWire(srv).Conn(addr),
		Configurator: printer{"eth0"},
		Machine:      machine.Config{Link: machine.Link{HType: dhcp4.HTypeEthernet, CHAddr: addr}},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := c.Acquire(ctx, client.Remembered{}); err != nil {
		log.Fatal(err)
	}
}
