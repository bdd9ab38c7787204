package agent

import (
	"fmt"
	"net/netip"
	"time"
)

// An Explanation tells, of everything that a lease put on the host, where it
// comes from, and of every option, what became of it. It is made when somebody
// asks for it. Times are wall time.
type Explanation struct {
	Link    string     `json:"link"`
	Address string     `json:"address"`         // with its prefix length
	Message string     `json:"message"`         // that granted the lease: "DHCPACK"
	Server  netip.Addr `json:"server,omitzero"` // which sent it
	Time    time.Time  `json:"time"`            // when it was asked for
	Host    []Fact     `json:"host"`
	Options []Fate     `json:"options"`
}

// A Fact is one thing on the host.
type Fact struct {
	Kind string `json:"kind"` // in a few fixed words, such as "route" and "name server"
	What string `json:"what"`
	From string `json:"from"` // the part of the message, or what overrides it, for people

	Options   []int      `json:"options,omitempty"`   // that From names; none: the message's header
	Overrides []Override `json:"overrides,omitempty"` // that put it there; none: the server did
}

// A Fate is what became of an option of a lease.
type Fate struct {
	Code uint8     `json:"code"`
	Name string    `json:"name"`
	Sent string    `json:"sent,omitempty"` // its value, for people; empty: the server sent none
	For  []string  `json:"for,omitempty"`  // what is done by it
	Not  []Refusal `json:"not,omitempty"`  // what of it is not followed
}

// Explain returns where everything on a link's host comes from. The error wraps
// ErrNoSuchLink, or ErrNotPossible where no lease is in use.
func (a *Agent) Explain(link string) (Explanation, error) {
	k, err := a.find(link)
	if err != nil {
		return Explanation{}, err
	}
	c, parts := k.current.Load(), k.parts.Load()
	if c == nil || parts == nil || parts.Explain == nil {
		s := k.status()
		return Explanation{}, fmt.Errorf("%s: %w: %s", link, ErrNotPossible, s.why())
	}
	l := c.Status().Lease
	if l.IsZero() {
		return Explanation{}, fmt.Errorf("%s: %w: no lease is in use", link, ErrNotPossible)
	}
	e := parts.Explain(l)
	e.Time = k.book.wall(e.Time)
	return e, nil
}
