package control

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A request is a message to the agent.
type request struct {
	Method     string `json:"method"`
	Parameters any    `json:"parameters"`
	More       bool   `json:"more,omitempty"`
}

// A response is a message from the agent.
type response struct {
	Parameters json.RawMessage `json:"parameters"`
	Continues  bool            `json:"continues"`
	Error      string          `json:"error"`
}

// send calls a method of ours.
func (c *Client) send(ctx context.Context, r request) error {
	if c.spent {
		return errSpent
	}
	defer c.until(ctx)()
	r.Method = Interface + "." + r.Method
	b, err := json.Marshal(r)
	if err == nil {
		_, err = c.conn.Write(append(b, 0))
	}
	c.spent = c.spent || err != nil
	return err
}

// receive reads the next response into out. There are more if more says so.
func (c *Client) receive(ctx context.Context, out output) (more bool, err error) {
	defer c.until(ctx)()
	var r response
	b, err := c.in.ReadBytes(0)
	if err == nil {
		err = json.Unmarshal(b[:len(b)-1], &r)
	}
	if err == nil && r.Error != "" {
		return false, r.failure()
	}
	if err == nil {
		err = fit(r.Parameters, out)
	}
	c.spent = c.spent || err != nil
	return r.Continues && err == nil, err
}

// until has reads and writes end with ctx, from now on until it is called
// off. If that is too late, the connection cannot be used again.
func (c *Client) until(ctx context.Context) (callOff func()) {
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	return func() {
		if !stop() {
			c.spent = true
		}
	}
}

// failure is the error that a response brings. One that is not of our interface
// has its whole name.
func (r *response) failure() *Error {
	name, ours := strings.CutPrefix(r.Error, Interface+".")
	e := &Error{Name: name}
	var in map[string]any
	err := json.Unmarshal(r.Parameters, &in)
	if s, is := standardErrors[name]; is {
		if what, ok := in[s.parameter].(string); ok {
			e.Reason = fmt.Sprintf(s.reason, what)
		}
	}
	if !ours || r.Parameters == nil {
		return e
	}
	if err != nil {
		e.Reason = "for no reason that can be read: " + err.Error()
	}
	for name, of := range errorForms[name] {
		*of(e), _ = in[name].(string)
	}
	return e
}
