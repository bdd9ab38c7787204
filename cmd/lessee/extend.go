package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/control"
)

func renewCommand() *cli.Command {
	return &cli.Command{
		Name:      "renew",
		Usage:     "extend the lease now, asking the server that gave it",
		ArgsUsage: "IFACE",
		Description: `Sends DHCPREQUEST by unicast, as RENEWING does (RFC 2131, section 4.4.5). The
address stays while it asks; if nobody answers, nothing changes; a DHCPNAK takes
the address away.
` + asItWasGot + `
   lessee renew eth0
   lessee renew eth0 --metric 5`,
		Flags: extendFlags(),
		Action: onLease(func(ctx context.Context, s *settings) error {
			return extend(ctx, s, control.Renew, (*client.Client).Renew)
		}),
	}
}

func rebindCommand() *cli.Command {
	return &cli.Command{
		Name:      "rebind",
		Usage:     "extend the lease now, asking any server",
		ArgsUsage: "IFACE",
		Description: `Sends DHCPREQUEST by broadcast, as REBINDING does (RFC 2131, section 4.4.5). For
when the server that gave the lease is gone.
` + asItWasGot + `
   lessee rebind eth0`,
		Flags: extendFlags(),
		Action: onLease(func(ctx context.Context, s *settings) error {
			return extend(ctx, s, control.Rebind, (*client.Client).Rebind)
		}),
	}
}

func extendFlags() []cli.Flag {
	return join(waitFlags(30*time.Second), identityFlags(), hostFlags(), overrideFlags(), stateFlags(), outputFlags())
}

// extend asks for more time, in one way or the other.
func extend(ctx context.Context, s *settings, cmd control.Command, how func(*client.Client, context.Context, lease.Lease) (lease.Lease, error)) error {
	asked, err := s.throughAgent(ctx, func(ctx context.Context, c *control.Client) (document, error) {
		st, err := c.Do(ctx, s.link, cmd)
		return document{Result: "renewed", Lease: st.Lease, Overrides: st.Overrides}, err
	})
	if asked {
		return err
	}
	ctx, cancel := within(ctx, s.timeout)
	defer cancel()
	e, err := open(ctx, s, needs{configure: true, up: true, remember: true})
	if err != nil {
		return err
	}
	l, err := e.held()
	if err != nil {
		err = fmt.Errorf("%w (lessee acquire %s gets a new one)", err, e.link)
	}
	if used, _ := e.use(l); err == nil && !e.host.Holds(used) {
		err = fmt.Errorf("%s does not hold %v, so it is not known to be free (lessee acquire %s confirms and checks it)", e.link, l.Addr, e.link)
	}
	if err == nil {
		var c *client.Client
		if c, err = e.client(ctx); err == nil {
			l, err = how(c, ctx, l)
		}
	}
	return e.done(err, func() document {
		return e.document("renewed", l)
	})
}

// errNoLease says that there is nothing to extend or give back.
var errNoLease = errors.New("no lease is remembered that is still valid")

// held is the remembered lease, if it is still good.
func (e *errand) held() (lease.Lease, error) {
	r, err := e.store.Load()
	if err != nil {
		return lease.Lease{}, fmt.Errorf("%s: %w: %w", e.link, errNoLease, err)
	}
	if !r.Usable {
		why := r.Why
		if why == "" {
			why = "nothing is stored"
		}
		return lease.Lease{}, fmt.Errorf("%s: %w: %s", e.link, errNoLease, why)
	}
	return r.Lease, nil
}
