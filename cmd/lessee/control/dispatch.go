package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"github.com/varlink/go/varlink"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// A method is one row of the table of methods.
type method struct {
	reads   bool         // so everybody may call it
	in, out reflect.Type // parameters of call and reply, as agent.varlink has them
	run     func(ctx context.Context, c *conn, call varlink.Call) error
}

// handle answers one message, or returns why the connection ends.
func (c *conn) handle(ctx context.Context, msg []byte) error {
	var call struct {
		Method string `json:"method"`
	}
	// The library would answer a message without a method, and go on.
	if err := json.Unmarshal(msg, &call); err != nil || call.Method == "" {
		return &cut{reason: Garbage}
	}
	err := c.service.HandleMessage(ctx, c, msg)
	var known *cut
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil, err == errOver, ctx.Err() != nil, errors.As(err, &known):
		return err
	case errors.As(err, &kind):
		return &cut{Garbage, err.Error()}
	}
	return &cut{Broken, err.Error()}
}

// VarlinkGetName returns the name of the interface. It is for the library.
func (s *server) VarlinkGetName() string { return Interface }

// VarlinkGetDescription returns agent.varlink. It is for the library.
func (s *server) VarlinkGetDescription() string { return description }

// VarlinkDispatch answers a call of one of our methods. It is for the library.
func (s *server) VarlinkDispatch(ctx context.Context, call varlink.Call, name string) error {
	c := call.Conn.(*conn)
	m, ok := methods[name]
	if !ok {
		return call.ReplyMethodNotFound(ctx, call.In.Method)
	}
	if call.WantsUpgrade() {
		return call.ReplyInvalidParameter(ctx, "upgrade")
	}
	if needed := mayChange(c.peer, s.owner); needed != "" && !m.reads {
		s.refusals.add(c.peer, &cut{NotPermitted, call.In.Method})
		return fail(ctx, call, "", &Error{Name: NameNotPermitted, Reason: needed})
	}
	return m.run(ctx, c, call)
}

// oneReply is a method that f carries out.
func oneReply[In input, Out output](reads bool, f func(context.Context, Agent, In) (Out, error)) method {
	run := func(ctx context.Context, c *conn, call varlink.Call) error {
		in := new(In)
		return answer(ctx, call, any(in).(input), func() (any, error) { return f(ctx, c.agent, *in) })
	}
	return method{reads, reflect.TypeFor[In](), reflect.TypeFor[Out](), run}
}

// answer reads what a method is called with, and replies with what f returns.
// (It is not part of oneReply, of which there is one for each type.)
func answer(ctx context.Context, call varlink.Call, in input, f func() (any, error)) error {
	if bad := parameters(call, in); bad != "" {
		return call.ReplyInvalidParameter(ctx, bad)
	}
	out, err := f()
	if err != nil {
		return fail(ctx, call, in.about(), err)
	}
	return call.Reply(ctx, out)
}

// parameters reads what a method is called with. It returns the name of what
// is missing, unknown or of the wrong type: a misspelt name must not pass for
// an absent one.
func parameters(call varlink.Call, in input) (bad string) {
	if raw := call.In.Parameters; raw != nil {
		d := json.NewDecoder(bytes.NewReader(*raw))
		d.DisallowUnknownFields()
		err := d.Decode(in)
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &kind) && kind.Field != "":
			return kind.Field
		case err != nil:
			_, name, _ := strings.Cut(err.Error(), "unknown field ")
			if name = strings.Trim(name, `"`); name != "" {
				return name
			}
			return "parameters"
		}
	}
	return in.lacks()
}

// fail answers a call with what stood in the way. A call whose peer has gone
// gets no answer.
func fail(ctx context.Context, call varlink.Call, link string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := wireError(link, err)
	out := map[string]string{}
	for name, of := range errorForms[e.Name] {
		out[name] = *of(e)
	}
	return call.ReplyError(ctx, Interface+"."+e.Name, out)
}

// wireError puts what an agent says into a form that peers know.
func wireError(link string, err error) *Error {
	var e *Error
	var o *client.Obstacle
	reason := strings.TrimPrefix(err.Error(), link+": ") // the link has its own member
	switch {
	case errors.As(err, &e) && errorForms[e.Name] != nil:
		out := *e
		if out.Link == "" {
			out.Link = link
		}
		return &out
	case errors.Is(err, agent.ErrNoSuchLink):
		return &Error{Name: NameNoSuchLink, Link: link}
	case errors.Is(err, agent.ErrNotPossible):
		return &Error{Name: NameNotPossible, Link: link, Reason: reason}
	case errors.As(err, &o):
		return &Error{Name: NameObstacle, Link: link, Cause: string(o.Report.Cause), Reason: reason}
	}
	return &Error{Name: NameFailed, Reason: err.Error()}
}
