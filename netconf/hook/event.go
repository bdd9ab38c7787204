package hook

import (
	"encoding/json"
	"time"

	"github.com/lessee/lessee/client/lease"
)

// Version is that of the JSON document, which grows by new members only.
const Version = 1

// A Name says what happened.
type Name string

// The events.
const (
	Bound        Name = "bound"        // a new lease is configured
	Renewed      Name = "renewed"      // its server extended the lease, and the host has what is new in it
	Rebound      Name = "rebound"      // any server did
	Rebooted     Name = "rebooted"     // a remembered lease is configured, or still is
	Reconfigured Name = "reconfigured" // a reload makes something else of the lease in use, and the host has it
	Expired      Name = "expired"      // nobody extended the lease; it is being taken off the host
	Released     Name = "released"     // the lease was given back; it is being taken off the host
	Conflict     Name = "conflict"     // another host uses the address, which was declined
	NAK          Name = "nak"          // a server refused the lease; what of it was in use is being taken off the host
	NoServer     Name = "no-server"    // nobody answers; told once until something else happens
	LinkUp       Name = "link-up"      // the carrier is back
	LinkDown     Name = "link-down"    // the carrier is lost, for longer than the carrier delay
	Stopping     Name = "stopping"     // lessee lets go of the link
)

// Names returns all events.
func Names() []Name {
	return []Name{Bound, Renewed, Rebound, Rebooted, Reconfigured, Expired, Released, Conflict, NAK, NoServer, LinkUp, LinkDown, Stopping}
}

// An Event is one thing that happened to a link, as hooks read it on standard
// input. Instants are on the host's clock, those in leases too.
type Event struct {
	Version   int       `json:"lessee"` // of this form; see [Version]
	Name      Name      `json:"event"`
	Time      time.Time `json:"time"`
	Interface string    `json:"interface"`
	Namespace string    `json:"namespace,omitempty"` // the network namespace that the hook runs in, if it has a name
	State     string    `json:"state"`               // of RFC 2131, figure 5, after the event
	Text      string    `json:"text,omitempty"`      // for people

	// Lease is what the event is about: of Bound, Renewed, Rebound,
	// Rebooted and Reconfigured the lease that is in use from now on, of
	// Expired, Released, Conflict and NAK the one that is not any more, of
	// the others the one in use, if any.
	Lease *lease.Lease `json:"lease,omitempty"`
	// Former is the lease that was in use before, where Lease is another.
	Former *lease.Lease `json:"former,omitempty"`

	Unconfirmed bool   `json:"unconfirmed,omitempty"` // Rebooted: no server was there to confirm the lease
	Kept        bool   `json:"kept,omitempty"`        // Stopping: the lease stays on the host
	Holder      string `json:"holder,omitempty"`      // Conflict: the hardware address of the other host
	Missed      int    `json:"missed,omitempty"`      // events before this one that hooks were too slow for
}

// JSON returns the document: one line, with a newline at its end.
func (e *Event) JSON() ([]byte, error) {
	e.Version = Version
	b, err := json.Marshal(e)
	return append(b, '\n'), err
}
