package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// ErrNoAgent says that no agent listens at a path.
var ErrNoAgent = errors.New("no agent runs there")

// errSpent says that a connection cannot be used again: what it would answer
// with belongs to an earlier call.
var errSpent = errors.New("the connection has ended with an earlier call; connect again")

// A Client asks an agent. It is not safe for concurrent use. A call that its
// ctx ends, or the connection, spends the client; an [*Error] does not.
type Client struct {
	conn  *net.UnixConn
	in    *bufio.Reader
	path  string
	spent bool
}

// Dial connects to the agent at path. The error is ErrNoAgent if none is there.
//
// It does not go by the library, which can connect to anything by any name, and
// so brings the resolver of DNS names along: 200 KB of program.
func Dial(path string) (*Client, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	switch {
	case err == nil:
		return &Client{conn: conn, in: bufio.NewReader(conn), path: path}, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED):
		err = fmt.Errorf("%w (%w)", ErrNoAgent, err)
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w (the socket is for its owner and its group)", err)
	}
	return nil, fmt.Errorf("connect to the agent at %s: %w", path, err)
}

// Close ends the connection.
func (c *Client) Close() error {
	c.spent = true
	return c.conn.Close()
}

// List returns what holds on every link, in short: without events, offers and
// the options of the lease.
func (c *Client) List(ctx context.Context) ([]agent.Status, error) {
	var out linksOf
	err := c.ask(ctx, "List", nothing{}, &out)
	return out.Links, err
}

// Status returns all that is known of a link.
func (c *Client) Status(ctx context.Context, link string) (agent.Status, error) {
	var out statusOf
	err := c.ask(ctx, "Status", oneLink{link}, &out)
	return out.Status, err
}

// Do has a command carried out, and returns when it has been. After Renew,
// Rebind and Reacquire the Status is what holds then; the others give none.
func (c *Client) Do(ctx context.Context, link string, cmd Command) (agent.Status, error) {
	var out statusOf
	var as output = &nothing{}
	switch cmd {
	case Renew, Rebind, Reacquire:
		as = &out
	}
	err := c.ask(ctx, string(cmd), oneLink{link}, as)
	return out.Status, err
}

// Explain returns where everything on a link's host comes from.
func (c *Client) Explain(ctx context.Context, link string) (agent.Explanation, error) {
	var out explanationOf
	err := c.ask(ctx, "Explain", oneLink{link}, &out)
	return out.Explanation, err
}

// Inform has the agent ask for configuration for the address that a link has.
func (c *Client) Inform(ctx context.Context, link string) (agent.Informed, error) {
	var out informedOf
	err := c.ask(ctx, "Inform", oneLink{link}, &out)
	return agent.Informed(out), err
}

// Reload has the agent read its configuration again. The error says what is
// wrong with it; the old one is then still in force.
func (c *Client) Reload(ctx context.Context) error {
	return c.ask(ctx, "Reload", nothing{}, &nothing{})
}

// Metrics returns all metrics as OpenMetrics text.
func (c *Client) Metrics(ctx context.Context) (string, error) {
	var out textOf
	err := c.ask(ctx, "Metrics", nothing{}, &out)
	return out.Text, err
}
