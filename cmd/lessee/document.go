package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// A document is what a command found out or did: the one thing that it prints,
// in whatever format. Its JSON form is documented in the README and does not change
// but by new members; text.go and env.go have the other two.
type document struct {
	Version int    `json:"lessee"` // of this form: 1
	Link    string `json:"link"`
	Result  string `json:"result"` // bound, unconfirmed, renewed, informed, released, discovered, planned, nothing, failed

	Error  *problem      `json:"error,omitempty"` // with failed
	Lease  *lease.Lease  `json:"lease,omitempty"` // as it is used
	Offers []agent.Offer `json:"offers,omitempty"`
	Plan   []string      `json:"plan,omitempty"`  // with planned: what would be done to the host, a step a line
	Notes  []string      `json:"notes,omitempty"` // what was not followed, and why

	Probe string `json:"probe,omitempty"` // how the address was checked for conflicts: fast, rfc5227, off

	Overrides []agent.Override `json:"overrides,omitempty"` // what of the lease is not as the server sent it

	Explanation *agent.Explanation `json:"explanation,omitempty"` // with --explain

	Agent int        `json:"agent,omitempty"` // the process that did it, if it was the agent
	Links []document `json:"links,omitempty"` // with --boot: each link that is bound, in that order, and those that are not; the first one is the document itself
}

// problem is why a command failed.
type problem struct {
	Exit  int    `json:"exit"`            // the exit code
	Cause string `json:"cause,omitempty"` // what stood in the way, in a few fixed words
	Text  string `json:"text"`
}

// failure is the document of an error.
func failure(link string, err error) document {
	d := document{Version: 1, Link: link, Result: "failed", Error: &problem{Exit: exitCode(err), Text: err.Error()}}
	var o *client.Obstacle
	if errors.As(err, &o) {
		d.Error.Cause = string(o.Report.Cause)
		d.Offers = agent.OffersOf(o.Report.Offers)
	}
	return d
}

// print writes a document in the format that was asked for. A failure in the
// text format is on standard error already.
func (s *settings) print(d document) error {
	d.Version, d.Link = 1, s.link
	var err error
	switch s.format {
	case "json":
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(d)
	case "env":
		err = writeEnv(os.Stdout, envOf(d))
	default:
		if d.Error == nil {
			err = writeText(os.Stdout, d)
		}
	}
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
