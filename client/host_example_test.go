package client_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/lessee/lessee/arpcheck"
	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/client/socket"
	"github.com/lessee/lessee/client/store"
	"github.com/lessee/lessee/netconf"
)

// configure gets a lease for a link, checks the address, configures the host and
// remembers the lease, as "lessee acquire" does.
func configure(ctx context.Context, name string) (err error) {
	host, err := netconf.Open(name, netconf.Config{RunDir: "/run/example", StateDir: "/var/lib/example", ResolvConf: "/etc/resolv.conf"})
	if err != nil {
		return err
	}
	if err := host.Up(ctx); err != nil { // sets the link up, and waits for its carrier
		return err
	}
	link, err := socket.LinkByName(name)
	if err != nil {
		return err
	}
	conn, err := socket.Open(link, socket.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	checker, err := arpcheck.New(link.Interface(), arpcheck.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, checker.Close()) }()
	now, id := client.BootTime(), dhcp4.HardwareClientID(link.HType, link.Addr)
	leases, err := store.Open("/var/lib/example", name, link.Addr, id, now)
	if err != nil {
		return err
	}
	known, err := leases.Load()
	if err != nil {
		fmt.Println("begins anew:", err) // the file was broken
	}
	var r client.Remembered
	if known.Usable {
		r = client.Remembered{Lease: known.Lease, Held: host.Holds(known.Lease)}
	}
	c, err := client.New(client.Config{
		Conn: conn, Prober: checker, Configurator: host, Store: leases, Now: now,
		Machine: machine.Config{
			Link:      machine.Link{HType: link.HType, CHAddr: link.CHAddr(), Broadcast: link.NeedsBroadcast()},
			ClientID:  id,
			OfferWait: machine.AutoOfferWait,
		},
	})
	if err != nil {
		return err
	}
	lease, err := c.Acquire(ctx, r)
	if err != nil {
		return errors.Join(err, host.Down())
	}
	fmt.Println(lease.Addr, "from", lease.Server)
	return nil
}

// All packages together: a host that gets its configuration. It needs root.
func Example_configureHost() {
	if err := configure(context.Background(), "eth0"); err != nil {
		fmt.Println(err)
	}
}
