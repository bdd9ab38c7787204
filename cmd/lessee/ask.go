package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/cmd/lessee/control"
	"github.com/lessee/lessee/cmd/lessee/view"
)

// Commands that ask agents and do nothing by themselves.

// askFlags are where agents are found.
func askFlags() []cli.Flag {
	return join(agentFlags("run-dir", "control"), []cli.Flag{configFlag()})
}

func formatFlag() cli.Flag {
	return &cli.StringFlag{Name: "format", Value: "text", Usage: "of what is printed: `text` or json"}
}

// An asker asks the agents of this host.
type asker struct {
	sockets []string
	link    string // which it is about; empty: all
	format  string
	timeout time.Duration
}

// newAsker reads the flags. Without --control every agent is asked whose socket
// is in the run directory: there may be one for each link.
func newAsker(c *cli.Context) (*asker, error) {
	if c.NArg() > 1 {
		return nil, &usageError{fmt.Sprintf("%s takes one interface, not %s", c.Command.Name, strings.Join(c.Args().Slice(), " ")),
			fmt.Sprintf("lessee %s %s", c.Command.Name, c.Args().First())}
	}
	return newAskerFor(c)
}

// newAskerFor is newAsker for any number of links.
func newAskerFor(c *cli.Context) (*asker, error) {
	r := &flagReader{c: c}
	a := &asker{link: c.Args().First(), format: "text", timeout: c.Duration("timeout")}
	if has(c, "format") {
		a.format = r.oneOf("format", "text", "json")
	}
	if r.err != nil {
		return nil, r.err
	}
	conf, err := r.whereAgentsAre()
	if err != nil {
		return nil, err
	}
	a.sockets = []string{conf.Control}
	if !r.has("control") {
		others, err := filepath.Glob(filepath.Join(conf.RunDir, "control-*"))
		if err != nil {
			return nil, fmt.Errorf("look for agents in %s: %w", conf.RunDir, err)
		}
		for _, path := range others {
			if !strings.HasSuffix(path, ".lock") {
				a.sockets = append(a.sockets, path)
			}
		}
	}
	return a, nil
}

// whereAgentsAre is what is known of that. A file with mistakes is no reason not
// to ask: an agent goes on by what it has read before, and who looks after it
// may do so because of them. It is then where it is without a file.
func (r *flagReader) whereAgentsAre() (conf config.Agent, err error) {
	if file := r.file(); r.err == nil {
		conf, err = file.Agent(r.given())
		r.explain(file.Path, err)
	}
	if r.err == nil {
		return conf, nil
	}
	if _, err := os.Stat(r.c.String("config")); errors.Is(err, fs.ErrNotExist) {
		return conf, r.err
	}
	if conf, err = new(config.File).Agent(r.given()); err != nil {
		return conf, r.err
	}
	if r.c.Command.Name != "reload" { // where the agent says it
		fmt.Fprintf(os.Stderr, "lessee: note: %v\n", r.err)
	}
	return conf, nil
}

// each calls f for every agent that runs. It is an error if none does.
func (a *asker) each(ctx context.Context, f func(context.Context, *control.Client) error) error {
	var none error
	asked := 0
	for _, path := range a.sockets {
		c, err := control.Dial(path)
		if errors.Is(err, control.ErrNoAgent) {
			none = err
			continue
		}
		if err == nil {
			asked++
			err = errors.Join(explainAgent(f(ctx, c)), c.Close())
		}
		if err != nil {
			return err
		}
	}
	if asked == 0 {
		return fmt.Errorf("%w (lessee run begins one)", none)
	}
	return nil
}

// list asks all agents for their links.
func (a *asker) list(ctx context.Context) (list []agent.Status, err error) {
	err = a.each(ctx, func(ctx context.Context, c *control.Client) error {
		part, err := c.List(ctx)
		list = append(list, part...)
		return err
	})
	agent.SortByLink(list)
	return list, err
}

// about asks the agent that keeps the link.
func (a *asker) about(ctx context.Context, f func(context.Context, *control.Client) error) error {
	found := false
	err := a.each(ctx, func(ctx context.Context, c *control.Client) error {
		if found {
			return nil
		}
		err := f(ctx, c)
		if errors.Is(err, control.ErrNoSuchLink) {
			return nil
		}
		found = true
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("%s: %w (lessee status lists what is kept)", a.link, control.ErrNoSuchLink)
	}
	return err
}

// options are how to print for whoever reads standard output.
func options() view.Options {
	o := view.Options{Now: time.Now()}
	if !isTerminal(os.Stdout) {
		return o
	}
	o.Width = terminalWidth(os.Stdout)
	o.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	o.ASCII = !speaksUTF8()
	return o
}

// speaksUTF8 tells whether the locale says so.
func speaksUTF8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

// printJSON writes one document.
func printJSON(v any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
