package control

import (
	"context"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// An Agent is what is controlled. Its methods are called from many goroutines
// at once, and return soon after their ctx ends: a peer that goes away, and the
// end of [Serve], end it.
//
// An error may be an [*Error], which the peer sees as it is. It may wrap
// agent.ErrNoSuchLink, agent.ErrNotPossible or a *client.Obstacle, which the
// peer sees as the errors of those names. Of any other it sees the text.
type Agent interface {
	// List returns what holds on every link. What of it does not belong
	// in a short list is left out later.
	List(ctx context.Context) ([]agent.Status, error)

	// Status returns what holds on one link.
	Status(ctx context.Context, link string) (agent.Status, error)

	// Explain returns where everything on a link's host comes from.
	Explain(ctx context.Context, link string) (agent.Explanation, error)

	// Do carries out a command and returns when it has been, with what
	// holds then.
	Do(ctx context.Context, link string, c Command) (agent.Status, error)

	// Inform asks for configuration for the address that link has.
	Inform(ctx context.Context, link string) (agent.Informed, error)

	// Subscribe returns a channel on which the events of link, or of all
	// if link is empty, come from now until ctx ends. They are taken off
	// it at once, whatever the peer does. The channel is closed when no
	// more will come.
	Subscribe(ctx context.Context, link string) (<-chan agent.Event, error)

	// Reload reads the configuration again. If it is refused, the old
	// one stays in force.
	Reload(ctx context.Context) error

	// Metrics returns all metrics as OpenMetrics text.
	Metrics(ctx context.Context) (string, error)
}

// A Command is something that a link is told to do.
type Command string

// The commands, by the names of their methods.
const (
	Renew     Command = "Renew"     // extend the lease, asking its server
	Rebind    Command = "Rebind"    // extend the lease, asking any server
	Reacquire Command = "Reacquire" // verify the lease, or get another, as at the start
	Release   Command = "Release"   // give the lease back, and stay without
	Pause     Command = "Pause"     // send nothing until Resume
	Resume    Command = "Resume"    // go on
)
