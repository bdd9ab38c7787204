package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
)

func renewCommand() *cli.Command {
	return &cli.Command{
		Name:      "renew",
		Usage:     "extend the lease now, asking the server that gave it",
		ArgsUsage: "IFACE",
		Description: `Sends DHCPREQUEST by unicast, as RENEWING does (RFC 2131, section 4.4.5). The
address stays while it asks; if nobody answers, nothing changes; a DHCPNAK takes
the address away.

   lessee renew eth0`,
		Flags: extendFlags(),
		Action: onLink(func(ctx context.Context, s *settings) error {
			return extend(ctx, s, (*client.Client).Renew)
		}),
		OnUsageError: onUsageError,
	}
}

func rebindCommand() *cli.Command {
	return &cli.Command{
		Name:      "rebind",
		Usage:     "extend the lease now, asking any server",
		ArgsUsage: "IFACE",
		Description: `Sends DHCPREQUEST by broadcast, as REBINDING does (RFC 2131, section 4.4.5). For
when the server that gave the lease is gone.

   lessee rebind eth0`,
		Flags: extendFlags(),
		Action: onLink(func(ctx context.Context, s *settings) error {
			return extend(ctx, s, (*client.Client).Rebind)
		}),
		OnUsageError: onUsageError,
	}
}

func extendFlags() []cli.Flag {
	return join(waitFlags(30*time.Second), identityFlags(), hostFlags(), stateFlags(), outputFlags())
}

// extend asks for more time, in one way or the other.
func extend(ctx context.Context, s *settings, how func(*client.Client, context.Context, lease.Lease) (lease.Lease, error)) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	o, err := open(ctx, s, needs{host: true, store: true})
	if err != nil {
		return err
	}
	var l lease.Lease
	if l, err = o.held(); err == nil {
		var c *client.Client
		if c, err = o.client(nil); err == nil {
			l, err = how(c, ctx, l)
		}
	}
	return o.done(err, func() document {
		return document{Result: "renewed", Lease: &l, Notes: o.notes(l)}
	})
}

// errNoLease says that there is nothing to extend or give back.
var errNoLease = errors.New("no lease is remembered that is still valid")

// held is the remembered lease, if it is still good.
func (o *errand) held() (lease.Lease, error) {
	r, err := o.store.Load()
	if err != nil {
		return lease.Lease{}, fmt.Errorf("%s: %w: %w (lessee acquire %s gets a new one)", o.link, errNoLease, err, o.link)
	}
	if !r.Usable {
		why := r.Why
		if why == "" {
			why = "nothing is stored"
		}
		return lease.Lease{}, fmt.Errorf("%s: %w: %s (lessee acquire %s gets a new one)", o.link, errNoLease, why, o.link)
	}
	return r.Lease, nil
}
