package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/control"
	"github.com/lessee/lessee/cmd/lessee/view"
)

func watchCommand() *cli.Command {
	return &cli.Command{
		Name:      "watch",
		Usage:     "print what happens to links, as it happens",
		ArgsUsage: "[IFACE]",
		Description: `One line for each event, or one JSON document with --format json, until
interrupted or until the agent ends.

   lessee watch
   lessee watch eth0 --format json`,
		Flags:  join(askFlags(), []cli.Flag{formatFlag()}),
		Action: watchEvents,
	}
}

func watchEvents(c *cli.Context) error {
	a, err := newAsker(c)
	if err != nil {
		return err
	}
	events := make(chan agent.Event)
	ctx, cancel := context.WithCancel(c.Context)
	defer cancel()
	var listeners sync.WaitGroup
	fail := make(chan error, len(a.sockets))
	for _, path := range a.sockets {
		listeners.Go(func() { fail <- a.hear(ctx, path, events) })
	}
	go func() { listeners.Wait(); close(events) }()
	for e := range events {
		if err := a.printEvent(e); err != nil {
			return err
		}
	}
	if c.Context.Err() != nil {
		return nil
	}
	return a.whyDeaf(fail)
}

// hear passes on the events of one agent until it ends.
func (a *asker) hear(ctx context.Context, path string, out chan<- agent.Event) error {
	c, err := control.Dial(path)
	if err != nil {
		return err
	}
	defer c.Close()
	for e, err := range c.Monitor(ctx, a.link) {
		if err != nil {
			return err
		}
		select {
		case out <- e:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// whyDeaf tells why nobody is heard any more: the best reason of all agents'.
func (a *asker) whyDeaf(fail <-chan error) (err error) {
	for range a.sockets {
		if e := <-fail; err == nil || errors.Is(err, control.ErrNoAgent) && e != nil {
			err = e
		}
	}
	return explainAgent(err)
}

func (a *asker) printEvent(e agent.Event) (err error) {
	if a.format == "json" {
		err = json.NewEncoder(os.Stdout).Encode(e)
	} else {
		_, err = fmt.Print(view.EventLine(e, options()))
	}
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
