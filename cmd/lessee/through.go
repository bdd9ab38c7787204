package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/cmd/lessee/control"
)

// throughAgent lets the agent that has the link in hand carry out a command,
// and says so. It reports whether there is such an agent.
func (s *settings) throughAgent(ctx context.Context, ask func(context.Context, *control.Client) (document, error)) (asked bool, err error) {
	name := kernelName(s.link)
	h, held := holderOf(s.runDir, name)
	if !held || h.control == "" {
		return false, nil
	}
	s.link = name
	ctx, cancel := within(ctx, s.timeout)
	defer cancel()
	c, err := control.Dial(h.control)
	if err != nil {
		return true, fmt.Errorf("%s is kept by the agent, process %d: %w", name, h.pid, err)
	}
	d, err := ask(ctx, c)
	err = errors.Join(explainAgent(err), c.Close())
	if err != nil {
		return true, err
	}
	d.Agent, d.Notes = h.pid, append(d.Notes, s.unheeded()...)
	return true, s.print(d)
}

// unheeded tells of flags that say how a link is kept, for the agent goes by its
// own.
func (s *settings) unheeded() []string {
	var flags []string
	for _, set := range config.LinkSettings() {
		if f, given := s.flags[set.Name]; given && !f.Former {
			flags = append(flags, "--"+f.Flag)
		}
	}
	if flags == nil {
		return nil
	}
	return []string{"the agent goes by its own settings, and not by " + strings.Join(flags, ", ")}
}

// explainAgent puts what an agent says into the terms that exit codes are
// chosen by.
func explainAgent(err error) error {
	var e *control.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &client.Obstacle{Report: machine.Report{Cause: machine.CauseNoServer, Text: "the agent is still at it"}, Err: err}
	case !errors.As(err, &e):
		return err
	case errors.Is(err, control.ErrObstacle):
		return &client.Obstacle{Report: machine.Report{Cause: machine.Cause(e.Cause), Text: e.Reason}}
	case errors.Is(err, control.ErrNotPermitted):
		return fmt.Errorf("%w: %w", err, os.ErrPermission)
	}
	return err
}
