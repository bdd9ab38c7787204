package client

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
)

// An Event is something that a program or a person may want to see. Which
// fields are set depends on Kind.
type Event struct {
	Time time.Time
	Kind Kind

	Message *dhcp4.Message // Sent, Received, Dropped: not to be changed
	To      netip.Addr     // Sent: the server; invalid for broadcast
	Reason  machine.Reason // Dropped
	Err     error          // Sent: why it was not sent; Trouble
	Report  machine.Report // Reported
}

// Kind says what an [Event] is about.
type Kind uint8

// The kinds of events.
const (
	_        Kind = iota
	Sent          // a message was sent, or could not be
	Received      // a message came that is well-formed; whether it is used follows
	Dropped       // the message received last is not used
	Reported      // the machine reports: a state, an offer, a lease, a problem
	Trouble       // something beside the exchange failed, such as saving the lease; Err
	Repaired      // the host was asked to repair: what was gone is back, or Trouble told why not
)
