package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/control"
	"github.com/lessee/lessee/cmd/lessee/view"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:      "status",
		Usage:     "what the agent holds, since when, until when, and why",
		ArgsUsage: "[IFACE]",
		Description: `Without a name: a line for each link. With one: everything about it, its lease,
what of it is not followed and why, its offers and why each lost, and what
happened last. In a pipe the columns are plain, and easy to cut.

   lessee status
   lessee status eth0
   lessee status --watch
   lessee status --format json`,
		Flags: join(askFlags(), []cli.Flag{formatFlag(),
			&cli.BoolFlag{Name: "watch", Usage: "follow it, until interrupted"},
		}),
		Action: status,
	}
}

// refresh is how often a status that is followed is asked for when nothing
// happens: its bars shrink.
const refresh = time.Second

func status(c *cli.Context) error {
	a, err := newAsker(c)
	if err != nil {
		return err
	}
	if !c.Bool("watch") {
		return a.show(c.Context, "")
	}
	clear := ""
	if isTerminal(os.Stdout) {
		clear = "\033[H\033[J"
	}
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		if err := a.show(c.Context, clear); err != nil {
			return err
		}
		select {
		case <-c.Context.Done():
			return nil
		case <-tick.C:
		}
	}
}

// show prints the status once, after what clears the screen.
func (a *asker) show(ctx context.Context, clear string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var text string
	var document any
	if a.link == "" {
		list, err := a.list(ctx)
		if err != nil {
			return err
		}
		text, document = view.Table(list, options()), struct {
			Links []agent.Status `json:"links"`
		}{list}
	} else {
		var s agent.Status
		err := a.about(ctx, func(ctx context.Context, c *control.Client) (err error) {
			s, err = c.Status(ctx, a.link)
			return err
		})
		if err != nil {
			return err
		}
		text, document = view.Full(s, options()), s
	}
	if a.format == "json" {
		return printJSON(document)
	}
	if _, err := fmt.Print(clear, strings.TrimSuffix(text, "\n"), "\n"); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
