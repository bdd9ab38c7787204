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
   lessee status eth0 --explain
   lessee status --watch
   lessee status --format json`,
		Flags: join(askFlags(), []cli.Flag{formatFlag(),
			&cli.BoolFlag{Name: "explain", Usage: "tell of everything on the host where it comes from, and of every option that is not followed why"},
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
	show := a.show
	if c.Bool("explain") {
		show = a.explain
	}
	if !c.Bool("watch") {
		return show(c.Context, "")
	}
	clear := ""
	if isTerminal(os.Stdout) {
		clear = "\033[H\033[J"
	}
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		if err := show(c.Context, clear); err != nil {
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
	return a.printed(clear, text, document)
}

// explain prints, of one link or of all that hold a lease, where everything on
// the host comes from.
func (a *asker) explain(ctx context.Context, clear string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	list, err := a.explanations(ctx)
	if err != nil {
		return err
	}
	var texts []string
	for _, e := range list {
		texts = append(texts, view.Explanation(e, options()))
	}
	var document any = struct {
		Links []agent.Explanation `json:"links"`
	}{list}
	if a.link != "" {
		document = list[0]
	}
	return a.printed(clear, strings.Join(texts, "\n"), document)
}

// explanations are that of one link, or of all that hold a lease.
func (a *asker) explanations(ctx context.Context) (list []agent.Explanation, err error) {
	one := func(ctx context.Context, c *control.Client, link string) error {
		e, err := c.Explain(ctx, link)
		if err == nil {
			list = append(list, e)
		}
		return err
	}
	if a.link != "" {
		err = a.about(ctx, func(ctx context.Context, c *control.Client) error { return one(ctx, c, a.link) })
		return list, err
	}
	list = []agent.Explanation{}
	err = a.each(ctx, func(ctx context.Context, c *control.Client) error {
		links, err := c.List(ctx)
		for _, s := range links {
			if err == nil && s.Lease != nil {
				err = one(ctx, c, s.Link)
			}
		}
		return err
	})
	return list, err
}

// printed prints a text, after what clears the screen, or the document that
// says the same.
func (a *asker) printed(clear, text string, document any) error {
	if a.format == "json" {
		return printJSON(document)
	}
	if _, err := fmt.Print(clear, strings.TrimSuffix(text, "\n"), "\n"); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
