package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/netconf"
)

func acquireCommand() *cli.Command {
	return &cli.Command{
		Name:      "acquire",
		Usage:     "get a lease, check the address, configure the link, print the lease, exit",
		ArgsUsage: "IFACE",
		Description: `The four messages of RFC 2131: DHCPDISCOVER asks all servers, each may answer
with a DHCPOFFER, DHCPREQUEST tells all which one was chosen, DHCPACK grants the
lease. Then the address is probed by ARP (RFC 5227): if another host uses it, a
DHCPDECLINE says so to the server, and after at least 10 s it begins again.
A lease that is remembered from an earlier time is confirmed first (INIT-REBOOT).

What is done to the host: the link is set up; the address, with the lease's
lifetime, so that it goes by itself at expiry; routes (proto dhcp); the MTU;
/etc/resolv.conf. "lessee release IFACE" undoes all of it.

   lessee acquire eth0
   lessee acquire eth0 --dry-run           what would be done?
   lessee acquire eth0 --no-apply --format json
   eval "$(lessee acquire eth0 --format env)" && echo "$LESSEE_ADDRESS"
   lessee acquire eth0 --probe rfc5227 --timeout 5m
   lessee acquire eth0 --require routers --deny-server 192.0.2.66`,
		Flags: join([]cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "take no lease and change nothing: print what the best offer would do"},
			&cli.BoolFlag{Name: "no-apply", Usage: "take the lease and leave the host alone"},
			&cli.StringFlag{Name: "probe", Value: "fast", Usage: "how to check the address: `fast` (200 ms), rfc5227 (4 to 7 s), or off"},
			&cli.DurationFlag{Name: "offer-wait", Usage: "collect offers for `TIME`; 0 takes the first one; default: 0 for a first lease, up to 500ms where there is a former one to weigh by"},
			&cli.DurationFlag{Name: "initial-delay", Usage: "wait for a random part of `TIME` first (RFC 2131 suggests up to 10s)"},
			&cli.StringFlag{Name: "no-server", Value: "use", Usage: "with a remembered lease that no server confirms: `use` or fail"},
		}, waitFlags(time.Minute), identityFlags(), choiceFlags(), hostFlags(), stateFlags(), outputFlags()),
		Action:       onLink(acquire),
		OnUsageError: onUsageError,
	}
}

func acquire(ctx context.Context, s *settings) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if s.dryRun {
		return plan(ctx, s)
	}
	o, err := open(ctx, s, needs{host: !s.noApply, store: true, check: true})
	if err != nil {
		return err
	}
	l, result, err := o.acquire(ctx)
	return o.done(err, func() document {
		return document{Result: result, Lease: &l, Notes: o.notes(l)}
	})
}

// done closes the errand and prints the document, unless something failed.
func (o *errand) done(err error, d func() document) error {
	if errClose := o.close(); err == nil {
		err = errClose
	}
	if err != nil {
		return err
	}
	return o.print(d())
}

// notes are what of the lease was not followed, and why.
func (o *errand) notes(l lease.Lease) (out []string) {
	if o.host == nil {
		return nil
	}
	for _, r := range netconf.PlanFor(l, o.hostConfig().Options).Refused {
		out = append(out, fmt.Sprintf("%s: %s", r.What, r.Why))
	}
	return out
}

// hostConfig is how the flags want the host configured.
func (s *settings) hostConfig() netconf.Config {
	return netconf.Config{
		Options:    netconf.Options{Metric: s.metric, MSRoutes: s.msRoutes, MTU: !s.noMTU},
		StateDir:   s.stateDir,
		ResolvConf: s.resolvConf,
		Now:        client.BootTime(),
		Log:        s.log,
	}
}

// acquire runs the client until the link is configured.
func (o *errand) acquire(ctx context.Context) (l lease.Lease, result string, err error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	links, err := o.watch(watching)
	if err != nil {
		return l, "", err
	}
	c, err := o.client(links)
	if err != nil {
		return l, "", err
	}
	l, err = c.Acquire(ctx, o.remembered())
	if o.unconfirmed {
		return l, "unconfirmed", err
	}
	return l, "bound", err
}

// plan prints what the best offer would do to the host. It takes no lease.
func plan(ctx context.Context, s *settings) error {
	s.machine.Survey = true
	if s.machine.OfferWait == machine.AutoOfferWait {
		s.machine.OfferWait = 0 // the survey's own default
	}
	offers, o, err := survey(ctx, s)
	if err != nil {
		return err
	}
	for _, of := range offers {
		if of.Chosen {
			p := netconf.PlanFor(of.Lease, o.hostConfig().Options)
			d := document{Result: "planned", Lease: &of.Lease, Plan: p.Steps(o.link)}
			for _, r := range p.Refused {
				d.Notes = append(d.Notes, fmt.Sprintf("%s: %s", r.What, r.Why))
			}
			return s.print(d)
		}
	}
	return nothingOffered(offers)
}
