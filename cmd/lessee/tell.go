package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/cmd/lessee/control"
)

// Commands that tell the agent something, and have no other way.

func reacquireCommand() *cli.Command {
	return tellLink("reacquire", control.Reacquire, "under way", "have the agent verify the lease of a link, or get one",
		`As if the cable had been pulled and put back: a lease in use is verified with a
server and stays meanwhile. After "lessee release" it begins anew.`)
}

func pauseCommand() *cli.Command {
	return tellLink("pause", control.Pause, "paused", "have the agent send nothing on a link, until resume",
		`The lease stays in use until it expires. For work on the network that must not be
disturbed.`)
}

func resumeCommand() *cli.Command {
	return tellLink("resume", control.Resume, "resumed", "end a pause; the lease is verified", "")
}

// tellLink is a command for one link that an agent keeps.
func tellLink(name string, cmd control.Command, done, usage, description string) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "IFACE", Description: description + "\n\n   lessee " + name + " eth0",
		Flags: join(askFlags(), waitFlags(time.Minute)),
		Action: func(c *cli.Context) error {
			a, err := newAsker(c)
			if err != nil {
				return err
			}
			if a.link == "" {
				return &usageError{name + " needs the name of an interface", fmt.Sprintf("lessee %s %s", name, someLink())}
			}
			ctx, cancel := context.WithTimeout(c.Context, a.timeout)
			defer cancel()
			return a.about(ctx, func(ctx context.Context, cl *control.Client) error {
				s, err := cl.Do(ctx, a.link, cmd)
				if err != nil {
					return err
				}
				line := fmt.Sprintf("%s: %s", a.link, cmp.Or(s.State, done))
				if s.Lease != nil {
					line += ", " + s.Lease.Addr.String()
				}
				_, err = fmt.Println(line)
				return err
			})
		},
	}
}

func reloadCommand() *cli.Command {
	return &cli.Command{
		Name:  "reload",
		Usage: "have the agent read its configuration again",
		Description: `Links for which nothing changes notice nothing. A file with mistakes is refused,
and the old configuration stays in force: see lessee config check.`,
		Flags: join(askFlags(), waitFlags(10*time.Second)),
		Action: func(c *cli.Context) error {
			err := everyAgent(c, func(ctx context.Context, cl *control.Client) error { return cl.Reload(ctx) })
			if errors.Is(err, control.ErrFailed) {
				return &usageError{err.Error(), "lessee config check"}
			}
			return err
		},
	}
}

func metricsCommand() *cli.Command {
	return &cli.Command{
		Name:  "metrics",
		Usage: "print the agent's metrics as OpenMetrics text",
		Description: `See also --metrics-file and --metrics-listen of lessee run, and
examples/monitoring.`,
		Flags: join(askFlags(), waitFlags(10*time.Second)),
		Action: func(c *cli.Context) error {
			return everyAgent(c, func(ctx context.Context, cl *control.Client) error {
				text, err := cl.Metrics(ctx)
				if err == nil {
					_, err = fmt.Print(text)
				}
				return err
			})
		},
	}
}

// everyAgent asks all agents the same.
func everyAgent(c *cli.Context, f func(context.Context, *control.Client) error) error {
	if c.Args().Present() {
		return &usageError{c.Command.Name + " takes no arguments", "lessee " + c.Command.Name}
	}
	a, err := newAsker(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context, a.timeout)
	defer cancel()
	return a.each(ctx, f)
}
