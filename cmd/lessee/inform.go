package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/cmd/lessee/control"
)

func informCommand() *cli.Command {
	return &cli.Command{
		Name:      "inform",
		Usage:     "ask for configuration for an address that was set by other means",
		ArgsUsage: "IFACE",
		Description: `Sends DHCPINFORM (RFC 2131, section 4.4.3) from the link's address and prints
what the server answers: routers, name servers and so on. There is no lease, and
the host is left alone. If the link has a lease all the same, the client is who
it was when it got that, and overrides are the same.

   lessee inform eth0
   lessee inform eth0 --address 192.0.2.9/24 --server 192.0.2.1 --format json`,
		Flags: join([]cli.Flag{
			&cli.StringFlag{Name: "address", Usage: "ask for `ADDRESS/BITS`, which the link has; default: its first one"},
			&cli.StringFlag{Name: "server", Usage: "ask the server at `ADDRESS` alone; default: all"},
		}, waitFlags(time.Minute), identityFlags(), overrideFlags(), stateFlags(), outputFlags()),
		Action: informAction,
	}
}

// informAction reads the two flags that only this command has.
func informAction(c *cli.Context) error {
	return onLease(func(ctx context.Context, s *settings) error {
		r := &flagReader{c: c}
		var in machine.Inform
		if v := c.String("server"); v != "" {
			in.Server = r.addr("server", v)
		}
		if v := c.String("address"); v != "" {
			var err error
			if in.Addr, err = netip.ParsePrefix(v); err != nil || !in.Addr.Addr().Is4() {
				r.bad("address", v, fmt.Errorf("want an IPv4 address and the length of its prefix"), "192.0.2.9/24")
			}
		}
		if r.err != nil {
			return r.err
		}
		return inform(ctx, s, in)
	})(c)
}

func inform(ctx context.Context, s *settings, in machine.Inform) error {
	if in == (machine.Inform{}) { // else the user knows better than the agent
		asked, err := s.throughAgent(ctx, func(ctx context.Context, c *control.Client) (document, error) {
			i, err := c.Inform(ctx, s.link)
			return document{Result: "informed", Lease: &i.Lease, Overrides: i.Overrides}, err
		})
		if asked {
			return err
		}
	}
	ctx, cancel := within(ctx, s.timeout)
	defer cancel()
	e, err := open(ctx, s, needs{})
	if err != nil {
		return err
	}
	var l lease.Lease
	in.Addr, err = e.addr(in.Addr)
	if err == nil {
		var c *client.Client
		if c, err = e.client(ctx); err == nil {
			l, err = c.Inform(ctx, in)
		}
	}
	return e.done(err, func() document {
		_, overrides := e.use(l)
		l = informed(l, e.policy())
		return document{Result: "informed", Lease: &l, Overrides: overrides}
	})
}

// informed is what is used of a server's answer. The address was set by other
// means, and so was the length of its prefix.
func informed(l lease.Lease, policy lease.Policy) lease.Lease {
	used, _ := policy.Use(l)
	used.Addr, used.MaskDerived = l.Addr, l.MaskDerived
	return used
}

// addr is the link's address that was asked for, or its first IPv4 address. It
// is looked for in the caller's namespace.
func (d *devices) addr(asked netip.Prefix) (netip.Prefix, error) {
	addrs, err := d.ifi.Interface().Addrs()
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("addresses of %s: %w", d.ifi.Name, err)
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		switch {
		case err != nil || !p.Addr().Is4():
		case !asked.IsValid():
			return p, nil
		case asked.Addr() == p.Addr():
			return asked, nil
		}
	}
	if asked.IsValid() { // answers to it would go nowhere
		return netip.Prefix{}, &usageError{fmt.Sprintf("%s does not have %v", d.ifi.Name, asked.Addr()), fmt.Sprintf("ip address add %v dev %s", asked, d.ifi.Name)}
	}
	return netip.Prefix{}, &usageError{d.ifi.Name + " has no IPv4 address to ask for", "lessee acquire " + d.ifi.Name}
}
