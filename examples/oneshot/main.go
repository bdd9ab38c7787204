// Oneshot gets a lease on a link in memory and prints it: the shortest program
// around package client. With a link's name as its argument it works on that
// link instead (as root), and leaves the host's configuration alone.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/client/socket"
)

func main() {
	conn, link, err := open(os.Args[1:])
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.New(client.Config{
		Conn:    conn,
		Machine: machine.Config{Link: link, OfferWait: machine.AutoOfferWait},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	lease, err := c.Acquire(ctx, client.Remembered{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("address", lease.Addr, "from", lease.Server)
	fmt.Println("routers", lease.Routers)
}

// open returns a way to a server: on a real link, or in memory.
func open(args []string) (client.Conn, machine.Link, error) {
	if len(args) == 0 {
		srv, err := dhcptest.NewServer(dhcptest.Config{Options: dhcptest.MustOptions("routers=192.0.2.254")})
		if err != nil {
			return nil, machine.Link{}, err
		}
		addr := dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}
		return dhcptest.NewWire(srv).Conn(addr), machine.Link{HType: dhcp4.HTypeEthernet, CHAddr: addr}, nil
	}
	l, err := socket.LinkByName(args[0])
	if err != nil {
		return nil, machine.Link{}, err
	}
	conn, err := socket.Open(l, socket.Config{})
	return conn, machine.Link{HType: l.HType, CHAddr: l.CHAddr(), Broadcast: l.NeedsBroadcast()}, err
}
