package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/varlink/go/varlink"
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
		receive, err := c.send(ctx, "Monitor", in, varlink.More)
		for more := err == nil; more; {
			var out eventOf
			if more, err = c.receive(ctx, receive, &out); err == nil && !yield(out.Event, nil) {
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
	receive, err := c.send(ctx, method, in, 0)
	if err == nil {
		_, err = c.receive(ctx, receive, out)
	}
	if err != nil {
		return c.explain(ctx, method, err)
	}
	return nil
}

// A receiver is what the library gives to get a reply with.
type receiver = func(ctx context.Context, out any) (flags uint64, err error)

// send sends a call.
func (c *Client) send(ctx context.Context, method string, in any, flags uint64) (receiver, error) {
	if c.spent {
		return nil, errSpent
	}
	receive, err := c.conn.Send(ctx, Interface+"."+method, in, flags)
	c.spent = err != nil
	return receive, err
}

// receive gets the next reply.
func (c *Client) receive(ctx context.Context, receive receiver, out output) (more bool, err error) {
	var raw json.RawMessage // the library ignores it if a reply does not fit
	flags, err := receive(ctx, &raw)
	if err == nil {
		err = fit(raw, out)
	}
	if err != nil {
		c.spent = asError(err) == nil
		return false, err
	}
	return flags&varlink.Continues != 0, nil
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
	if e := asError(err); e != nil {
		return e
	}
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = context.DeadlineExceeded // the socket noticed it before ctx did
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNRESET):
		err = fmt.Errorf("the agent closed the connection: its log says why (%w)", err)
	}
	return fmt.Errorf("%s by the agent at %s: %w", method, c.path, err)
}

// asError returns what the other end says stood in the way, or nil if it did
// not say so.
func asError(err error) *Error {
	var reply *varlink.Error
	var noMethod *varlink.MethodNotFound
	var noInterface *varlink.InterfaceNotFound
	var notYet *varlink.MethodNotImplemented
	var parameter *varlink.InvalidParameter
	switch {
	case errors.As(err, &noMethod):
		return &Error{Name: nameMethodNotFound, Reason: unsupported(noMethod.Method)}
	case errors.As(err, &noInterface):
		return &Error{Name: nameInterfaceNotFound, Reason: unsupported(noInterface.Interface)}
	case errors.As(err, &notYet):
		return &Error{Name: nameMethodNotImplemented, Reason: unsupported(notYet.Method)}
	case errors.As(err, &parameter):
		return &Error{Name: nameInvalidParameter, Reason: fmt.Sprintf("the agent does not accept the parameter %q", parameter.Parameter)}
	case errors.As(err, &reply):
		return ownError(reply)
	}
	return nil
}

func unsupported(what string) string {
	return fmt.Sprintf("the agent does not know %s: it is another version of lessee", what)
}

// ownError reads an error of our interface. One that is not gets its whole
// name.
func ownError(reply *varlink.Error) *Error {
	name, ours := strings.CutPrefix(reply.Name, Interface+".")
	e := &Error{Name: name}
	if raw, ok := reply.Parameters.(*json.RawMessage); ok && raw != nil && ours {
		var in map[string]any
		if err := json.Unmarshal(*raw, &in); err != nil {
			e.Reason = "for no reason that can be read: " + err.Error()
		}
		for name, of := range errorForms[e.Name] {
			*of(e), _ = in[name].(string)
		}
	}
	return e
}
