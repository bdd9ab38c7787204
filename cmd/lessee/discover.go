package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

func discoverCommand() *cli.Command {
	return &cli.Command{
		Name:      "discover",
		Usage:     "list every server that answers, and what each offers; take nothing",
		ArgsUsage: "IFACE",
		Description: `Sends DHCPDISCOVER, collects every DHCPOFFER for a while, and prints them with
the one that "lessee acquire" with the same flags would choose, and why the
others lose. No DHCPREQUEST is sent, so the servers forget their offers.
A second server that nobody meant to be there shows here.

   lessee discover eth0
   lessee discover eth0 --wait 10s --format json
   lessee discover eth0 --request-address 192.0.2.77 --require ntp-servers`,
		Flags: join([]cli.Flag{
			&cli.DurationFlag{Name: "wait", Value: 4 * time.Second, Usage: "collect offers for `TIME`; servers that ping an address first take up to 3s"},
		}, waitFlags(time.Minute), identityFlags(), choiceFlags(), stateFlags(), outputFlags()),
		Action: onLink(discover),
	}
}

func discover(ctx context.Context, s *settings) error {
	offers, _, err := survey(ctx, s)
	if err != nil {
		return err
	}
	if len(offers) == 0 {
		return nothingOffered(offers)
	}
	return s.print(document{Result: "discovered", Offers: agent.OffersOf(offers)})
}

// survey collects offers on a link that is up already. They are weighed by what
// is remembered, which it returns too.
func survey(ctx context.Context, s *settings) (_ []machine.Offer, remembered lease.Lease, err error) {
	s.machine.Survey = true
	ctx, cancel := within(ctx, s.timeout)
	defer cancel()
	e, err := open(ctx, s, needs{remember: true, check: false})
	if err != nil {
		return nil, remembered, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	c, err := e.client(ctx)
	if err != nil {
		return nil, remembered, err
	}
	r := e.memory()
	offers, err := c.Discover(ctx, r)
	return offers, r.Lease, err
}

// nothingOffered is the failure of a survey: silence, or nothing but offers
// that were refused.
func nothingOffered(offers []machine.Offer) error {
	r := machine.Report{Cause: machine.CauseNoServer, Text: "no offer came"}
	if len(offers) > 0 {
		r = machine.Report{Cause: machine.CauseRefused, Text: fmt.Sprintf("none of %d offers is acceptable; the last one: %v", len(offers), offers[len(offers)-1]), Offers: offers}
	}
	return &client.Obstacle{Report: r}
}
