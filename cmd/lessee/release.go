package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
)

func releaseCommand() *cli.Command {
	return &cli.Command{
		Name:      "release",
		Usage:     "give the lease back and undo what it did to the host",
		ArgsUsage: "IFACE",
		Description: `Sends DHCPRELEASE (RFC 2131, section 4.4.6), takes address and routes away, puts
/etc/resolv.conf and the MTU back, and forgets the lease. If the lease is not
valid any more nothing is sent, and the rest is done all the same.

   lessee release eth0`,
		Flags:        join(waitFlags(10*time.Second), identityFlags(), hostFlags(), stateFlags(), outputFlags()),
		Action:       onLink(release),
		OnUsageError: onUsageError,
	}
}

func release(ctx context.Context, s *settings) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	o, err := open(ctx, s, needs{host: true, store: true})
	if err != nil {
		return err
	}
	l, err := o.held()
	if err == nil {
		var c *client.Client
		if c, err = o.client(nil); err == nil {
			err = c.Release(ctx, l)
		}
	} else if errors.Is(err, errNoLease) {
		// Nothing to say to a server; what an earlier lease did to
		// the host may still be there.
		err = o.undo(ctx, err)
	}
	if err == nil {
		err = o.host.Down()
	}
	return o.done(err, func() document { return document{Result: "released", Lease: &l} })
}

// undo withdraws whatever an earlier lease left. If that is nothing, why says
// that there was nothing to release.
func (o *errand) undo(ctx context.Context, why error) error {
	if !o.host.Holds(lease.Lease{}) {
		return why
	}
	return errors.Join(o.host.Withdraw(ctx, lease.Lease{}), o.store.Forget())
}
