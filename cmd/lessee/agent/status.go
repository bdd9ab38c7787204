package agent

import (
	"net/netip"
	"sort"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
)

// A Status is what holds on one link, since when, until when, and why. It is a
// copy; times are wall time as the host's clock shows it now.
type Status struct {
	Link     string `json:"link"`                       // "eth0", or "eth0@blue" in network namespace blue
	State    string `json:"state"`                      // RFC 2131's name, such as "BOUND", or one of the words below
	Hardware string `json:"hardware_address,omitempty"` // of the link
	Probe    string `json:"probe,omitempty"`            // how its addresses are checked for conflicts: "fast", "rfc5227" or "off"
	Carrier  bool   `json:"carrier"`
	Paused   bool   `json:"paused,omitempty"`

	Since time.Time `json:"since"`         // when State was entered
	Next  time.Time `json:"next,omitzero"` // when something happens by itself; the zero Time: not by itself
	Try   int       `json:"try,omitempty"` // copies sent of the message under way

	Lease       *lease.Lease `json:"lease,omitempty"`        // in use
	SecondsLeft *int64       `json:"seconds_left,omitempty"` // of it; nil without a lease and for one that never expires

	Overrides []Override `json:"overrides,omitempty"` // what of Lease is not as the server sent it

	Problem *Problem       `json:"problem,omitempty"` // the last one; nil if all has been well since the start
	Events  []Event        `json:"events,omitempty"`  // the last ones, the oldest first
	Offers  []Offer        `json:"offers,omitempty"`  // of the last choice among offers
	Refused []Refusal      `json:"refused,omitempty"` // what of the lease is not followed
	Counts  map[string]int `json:"counts,omitempty"`  // of Events, by Kind
}

// SortByLink puts what holds on several links in the order of their names.
func SortByLink(list []Status) {
	// slices.SortFunc would be code of its own for this type, 25 KB of it.
	sort.Slice(list, func(i, j int) bool { return list[i].Link < list[j].Link })
}

// States that no machine has: there is none then.
const (
	Absent = "ABSENT" // no such interface
	Locked = "LOCKED" // another process has it in hand
	Failed = "FAILED" // the client ended, and is started again at Next
)

// A Problem is something that stood in the way.
type Problem struct {
	Time time.Time `json:"time"`
	Kind string    `json:"kind"` // in a few fixed words
	Text string    `json:"text"`
}

// An Event is one thing that happened to a link.
type Event struct {
	Time    time.Time    `json:"time"`
	Link    string       `json:"link"`
	Kind    string       `json:"kind"`  // in a few fixed words; those of machine.Cause, and a few of the agent's own
	From    string       `json:"from"`  // the state before
	State   string       `json:"state"` // and after
	Text    string       `json:"text,omitempty"`
	Address netip.Prefix `json:"address,omitzero"` // of the lease that it is about
	Server  netip.Addr   `json:"server,omitzero"`
	Expiry  time.Time    `json:"expiry,omitzero"`
}

// An Offer is one DHCPOFFER and what became of it.
type Offer struct {
	Server  string        `json:"server,omitempty"`
	Address string        `json:"address"`
	Seconds *uint32       `json:"lease_seconds,omitempty"`
	Chosen  bool          `json:"chosen"`
	Why     string        `json:"why,omitempty"` // it lost
	Options dhcp4.Options `json:"options"`
}

// An Override is an option of a lease of which the configuration makes
// something else than the server sent, or tried to.
type Override struct {
	Code uint8  `json:"code"`
	Name string `json:"name"`
	How  string `json:"how"`            // supersede, default, prepend or append
	Sent string `json:"sent,omitempty"` // what the server sent, for people; empty: nothing
	From string `json:"from"`           // where the configuration says so: "--supersede", or a file and a line
	Why  string `json:"why,omitempty"`  // it could not be done
}

// OverridesOf returns overrides in a form for people and programs; from tells
// where each stands.
func OverridesOf(list []lease.Override, from func(lease.How, dhcp4.Code) string) (out []Override) {
	for _, o := range list {
		p := Override{Code: uint8(o.Code), Name: o.Code.String(), How: string(o.How), From: from(o.How, o.Code)}
		if o.Sent != nil {
			p.Sent = dhcp4.RawOption{Code: o.Code, Value: o.Sent}.String()
		}
		if o.Err != nil {
			p.Why = o.Err.Error()
		}
		out = append(out, p)
	}
	return out
}

// Informed is what a server answered to DHCPINFORM, as it is used.
type Informed struct {
	Lease     lease.Lease `json:"lease"` // without times
	Overrides []Override  `json:"overrides,omitempty"`
}

// A Refusal is something in a lease that is not followed.
type Refusal struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// OffersOf returns offers in a form for people and programs.
func OffersOf(list []machine.Offer) (out []Offer) {
	for _, o := range list {
		p := Offer{Address: o.Addr.String(), Chosen: o.Chosen, Why: o.Why, Options: o.Message.Options.Clone()} // the rest of the message goes
		if o.Server.IsValid() {
			p.Server = o.Server.String()
		}
		if t, err := dhcp4.LeaseTime.Get(o.Message.Options); err == nil {
			p.Seconds = (*uint32)(&t)
		}
		out = append(out, p)
	}
	return out
}
