package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/control"
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
If the agent has the link in hand, it is asked to verify its lease.

What is done to the host: the link is set up; the address, with the lease's
lifetime, so that it goes by itself at expiry; routes (proto dhcp); the MTU;
name servers (--resolver); the name of a host that has none. "lessee release
IFACE" undoes all of it.

   lessee acquire eth0
   lessee acquire eth0 --dry-run           what would be done?
   lessee acquire eth0 --explain           where does it all come from?
   lessee acquire eth0 --no-apply --format json
   lease=$(lessee acquire eth0 --format env) && eval "$lease" && echo "$LESSEE_ADDRESS"
   lessee acquire eth0 --probe rfc5227 --timeout 5m
   lessee acquire eth0 --require routers --deny-server 192.0.2.66

At boot, before there is a root file system, all links are tried side by side
(--boot), as the kernel's command line says (ip=dhcp, ip=:::::eth0:dhcp), and
links that appear meanwhile take part. Leases are remembered in "boot" in
--run-dir, from where "lessee run" takes them over.

   lessee acquire --boot                   the first link that gets a lease
   lessee acquire --boot 'en*' --boot-wait all`,
		Flags: join([]cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "take no lease and change nothing: print what the best offer would do"},
			&cli.BoolFlag{Name: "explain", Usage: "tell of everything on the host where it comes from, and of what is not followed why"},
			&cli.BoolFlag{Name: "no-apply", Usage: "take the lease and leave the host alone"},
		}, gettingFlags(), waitFlags(time.Minute), bootFlags(), identityFlags(), choiceFlags(), hostFlags(), overrideFlags(), stateFlags(), outputFlags()),
		Action: func(c *cli.Context) error {
			if c.Bool("boot") {
				return acquireAtBoot(c)
			}
			return withoutBoot(onLink(acquire))(c)
		},
	}
}

func acquire(ctx context.Context, s *settings) error {
	if s.explain && (s.dryRun || s.noApply) {
		return &usageError{"--explain tells of what is on the host; with --dry-run and --no-apply nothing is put there", "lessee acquire " + s.link + " --explain"}
	}
	if s.dryRun {
		return showPlan(ctx, s)
	}
	if !s.noApply {
		asked, err := s.throughAgent(ctx, func(ctx context.Context, c *control.Client) (document, error) {
			st, err := c.Do(ctx, s.link, control.Reacquire)
			d := document{Result: "bound", Lease: st.Lease, Probe: st.Probe, Overrides: st.Overrides}
			if err == nil && s.explain {
				var x agent.Explanation
				x, err = c.Explain(ctx, s.link)
				d.Explanation = &x
			}
			return d, err
		})
		if asked {
			return err
		}
	}
	ctx, cancel := within(ctx, s.timeout)
	defer cancel()
	e, err := open(ctx, s, needs{configure: !s.noApply, up: !s.noApply, remember: true, check: true})
	if err != nil {
		return err
	}
	l, result, err := e.acquire(ctx)
	if err != nil && e.host != nil {
		err = errors.Join(err, e.host.Down()) // it was set up for nothing
	}
	return e.done(err, func() document {
		d := e.document(result, l)
		d.Offers = agent.OffersOf(e.offers)
		d.Notes = append(d.Notes, e.wishNotGranted(l)...)
		return d
	})
}

// wishNotGranted tells that the lease is of another address than the one that
// was wished for.
func (e *errand) wishNotGranted(l lease.Lease) []string {
	wish := e.settings.machine.RequestAddr
	switch {
	case !wish.IsValid() || wish == l.Addr.Addr():
		return nil
	case e.offers == nil:
		return []string{fmt.Sprintf("%v was wished for, and the lease is kept that was there (lessee release %s ends it)", wish, e.link)}
	}
	return []string{fmt.Sprintf("%v was wished for, and the server granted another address", wish)}
}

// done closes the errand and prints the document, unless something failed.
func (e *errand) done(err error, d func() document) error {
	if errClose := e.close(); err == nil {
		err = errClose
	}
	if err != nil {
		return err
	}
	return e.print(d())
}

// document tells of a granted lease as it is used, and what of it is not
// followed.
func (e *errand) document(result string, granted lease.Lease) document {
	l, overrides := e.use(granted)
	d := document{Result: result, Lease: &l, Overrides: overrides}
	if e.devices.checker != nil {
		d.Probe = e.conf.Probe.String()
	}
	if e.host == nil {
		return d
	}
	if !e.host.script.Configures() { // what a script follows, nobody knows
		plan := netconf.PlanFor(l, e.host.Options())
		d.Notes = append(refusals(plan), e.untold(plan)...)
	}
	if e.explain {
		x := explain(e.link, granted, l, overrides, e.host, e.devices.machine.Parameters)
		d.Explanation = &x
	}
	return d
}

func refusals(p netconf.Plan) (out []string) {
	for _, r := range p.Refused {
		out = append(out, fmt.Sprintf("%s: %s", r.What, r.Why))
	}
	return out
}

// untold is what went wrong with the host, but for what the plan refuses for that
// very reason.
func (s *settings) untold(p netconf.Plan) (out []string) {
	for _, t := range s.troubles {
		text := t.Error()
		if !slices.ContainsFunc(p.Refused, func(r netconf.Refusal) bool { return strings.Contains(text, r.Why) }) {
			out = append(out, strings.TrimPrefix(text, s.link+": "))
		}
	}
	return out
}

// hostConfig is how flags and file want the host configured.
func (s *settings) hostConfig() netconf.Config {
	return netconf.Config{
		Options: s.conf.Host, Resolver: s.conf.Resolver, ResolvConf: s.conf.ResolvConf, Log: s.log,
		Trouble: func(err error) { s.troubles = append(s.troubles, err) },
	}
}

// acquire runs the client until the link is configured.
func (e *errand) acquire(ctx context.Context) (l lease.Lease, result string, err error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	c, err := e.client(watching)
	if err != nil {
		return l, "", err
	}
	r := e.memory()
	e.hooks.holds(r)
	l, err = c.Acquire(ctx, r)
	if e.unconfirmed {
		return l, "unconfirmed", err
	}
	return l, "bound", err
}
