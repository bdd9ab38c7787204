package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/control"
	"github.com/lessee/lessee/cmd/lessee/metrics"
)

// A helm is the agent as those see it who steer it by the control socket.
type helm struct {
	agent    *agent.Agent
	registry *metrics.Registry
	reload   func(context.Context) error
}

var _ control.Agent = (*helm)(nil)

// commands are what is asked by the control socket, in the agent's words.
var commands = map[control.Command]agent.Command{
	control.Renew: agent.Renew, control.Rebind: agent.Rebind, control.Reacquire: agent.Reacquire,
	control.Release: agent.GiveBack, control.Pause: agent.PauseLink, control.Resume: agent.ResumeLink,
}

// List returns what holds on each link.
func (h *helm) List(context.Context) ([]agent.Status, error) { return h.agent.List(), nil }

// Status returns what holds on one link.
func (h *helm) Status(_ context.Context, link string) (agent.Status, error) {
	return h.agent.Status(link)
}

// Explain returns where everything on a link's host comes from.
func (h *helm) Explain(_ context.Context, link string) (agent.Explanation, error) {
	return h.agent.Explain(link)
}

// Do gives a link a command.
func (h *helm) Do(ctx context.Context, link string, c control.Command) (agent.Status, error) {
	return h.agent.Do(ctx, link, commands[c])
}

// Inform asks for configuration alone.
func (h *helm) Inform(ctx context.Context, link string) (agent.Informed, error) {
	return h.agent.Inform(ctx, link)
}

// Subscribe returns the events of a link, or of all.
func (h *helm) Subscribe(ctx context.Context, link string) (<-chan agent.Event, error) {
	if link != "" {
		if _, err := h.agent.Status(link); err != nil {
			return nil, err
		}
	}
	return h.agent.Subscribe(ctx, link), nil
}

// Reload reads the configuration again.
func (h *helm) Reload(ctx context.Context) error { return h.reload(ctx) }

// Metrics returns all metrics.
func (h *helm) Metrics(context.Context) (string, error) {
	var b strings.Builder
	if err := h.registry.WriteText(&b, h.agent.List()); err != nil {
		return "", fmt.Errorf("metrics: %w", err)
	}
	return b.String(), nil
}
