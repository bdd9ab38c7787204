package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/cmd/lessee/control"
)

func waitCommand() *cli.Command {
	return &cli.Command{
		Name:      "wait",
		Usage:     "wait until the agent has configured links",
		ArgsUsage: "[IFACE...]",
		Description: `Returns as soon as each link that is named has a lease in use; without names,
each that the agent keeps and that has a carrier, if one has. For scripts, and for
network-online.target. The agent itself may still be about to begin.

   lessee wait --timeout 30s && ping -c1 192.0.2.1
   lessee wait eth0 eth1 --any`,
		Flags: join(askFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "any", Usage: "one of them is enough"},
			&cli.DurationFlag{Name: "timeout", Value: 90 * time.Second, Usage: "for all together"},
		}),
		Action: waitForLinks,
	}
}

// waitStep is how often the agent is asked. An event would tell sooner, but not
// of an agent that is not there yet.
const waitStep = 100 * time.Millisecond

func waitForLinks(c *cli.Context) error {
	links := c.Args().Slice()
	a, err := newAskerFor(c)
	if err != nil {
		return err
	}
	when := config.Configured
	if c.Bool("any") {
		when = config.First
	}
	ctx, cancel := context.WithTimeout(c.Context, a.timeout)
	defer cancel()
	tick := time.NewTicker(waitStep)
	defer tick.Stop()
	var seen []agent.Status // the last time that there was time to look
	var why error
	for {
		list, err := a.list(ctx)
		if err == nil {
			if list, err = only(list, links); err == nil && ready(when, list, len(links) > 0) {
				return nil
			}
		}
		late := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
		if !late || seen == nil && why == nil {
			seen, why = list, err
		}
		if err != nil && !late && !errors.Is(err, control.ErrNoAgent) && !errors.Is(err, errNotYet) && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return notInTime(c.Context, seen, why)
		case <-tick.C:
		}
	}
}

// errNotYet says that the agent does not keep a link, so far.
var errNotYet = errors.New("is not kept by the agent")

// only picks the links that are named, all if none is.
func only(list []agent.Status, names []string) ([]agent.Status, error) {
	if len(names) == 0 {
		return list, nil
	}
	var out []agent.Status
	for _, n := range names {
		i := slices.IndexFunc(list, func(s agent.Status) bool { return s.Link == n })
		if i < 0 {
			return nil, fmt.Errorf("%s %w", n, errNotYet)
		}
		out = append(out, list[i])
	}
	return out, nil
}

// notInTime says how the links are when the time is over.
func notInTime(ctx context.Context, list []agent.Status, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return &client.Obstacle{Report: machine.Report{Cause: machine.CauseNoServer, Text: err.Error()}, Err: context.DeadlineExceeded}
	}
	return &client.Obstacle{Report: machine.Report{Cause: machine.CauseNoServer, Text: summary(list)}, Err: context.DeadlineExceeded}
}
