package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// Monitor returns the events of link, or of all if link is empty, as they
// happen. They end with an error, after which there are no more: that of ctx,
// or that the connection or the agent has ended. The client is closed when the
// loop over them ends, because nothing else tells the agent to stop.
func (c *Client) Monitor(ctx context.Context, link string) iter.Seq2[agent.Event, error] {
	var in someLink
	if link != "" {
		in.Link = &link
	}
	return func(yield func(agent.Event, error) bool) {
		defer c.Close()
		err := c.send(ctx, request{Method: "Monitor", Parameters: in, More: true})
		for more := err == nil; more; {
			var out eventOf
			if more, err = c.receive(ctx, &out); err == nil && !yield(out.Event, nil) {
				return
			}
		}
		if err != nil {
			yield(agent.Event{}, c.explain(ctx, "Monitor", err))
		}
	}
}

// ask calls a method that replies once, and reads the reply into out.
func (c *Client) ask(ctx context.Context, method string, in any, out output) error {
	err := c.send(ctx, request{Method: method, Parameters: in})
	if err == nil {
		_, err = c.receive(ctx, out)
	}
	if err != nil {
		return c.explain(ctx, method, err)
	}
	return nil
}

// fit reads a reply, which must have the member that it is there for.
func fit(raw json.RawMessage, out output) error {
	name := out.member()
	if raw == nil && name == "" {
		return nil
	}
	var members map[string]json.RawMessage
	err := json.Unmarshal(raw, &members)
	if v := members[name]; err == nil && name != "" && (v == nil || string(v) == "null") {
		err = fmt.Errorf("it has no %s", name)
	}
	if err == nil {
		err = json.Unmarshal(raw, out)
	}
	if err != nil {
		return fmt.Errorf("the reply makes no sense: %w", err)
	}
	return nil
}

// explain makes the errors of calls.
func (c *Client) explain(ctx context.Context, method string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.Is(err, io.EOF), errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNRESET):
		err = fmt.Errorf("the agent closed the connection: its log says why (%w)", err)
	}
	return fmt.Errorf("%s by the agent at %s: %w", method, c.path, err)
}
