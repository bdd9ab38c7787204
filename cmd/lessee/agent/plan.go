package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
)

// A Link is a network interface as the kernel has it.
type Link struct {
	Name      string
	Namespace string // its network namespace; empty: the agent's own
	Index     int
	Hardware  string // address, in the usual form; empty if it has none
	Carrier   bool   // up, and packets can pass
	Down      bool   // it was set down, which costs it its routes
	Port      bool   // of a bridge, a bond or the like, which has the addresses
	Touched   uint32 // grows when something is gone that may have been put there for a lease
}

// FullName is how users and files call the link: "eth0", "eth0@blue".
func (l Link) FullName() string {
	if l.Namespace == "" {
		return l.Name
	}
	return l.Name + "@" + l.Namespace
}

// key tells one link from another, whatever it is called.
type key struct {
	namespace string
	index     int
}

func (l Link) key() key { return key{l.Namespace, l.Index} }

// A Sighting tells of a link: that it is there and how, or that it is gone.
type Sighting struct {
	Link
	Gone bool
}

// A Plan says which links are kept, and how. A reload replaces it whole. Its
// methods are called from several goroutines at once.
type Plan interface {
	// Wants tells whether the link of that full name is to be kept.
	Wants(name string) bool

	// Named returns the full names that are wanted whether the link is
	// there or not; not patterns.
	Named() []string

	// Print returns a text that differs if anything differs in how the
	// link is to be kept. Equal texts: a reload changes nothing.
	Print(name string) string

	// Finish is Print for what is made of the link's leases on the host
	// and no server hears of: of that Print says nothing. Different
	// texts: the lease in use is applied once more, by the same client.
	// What the Parts do follows the plan that is in force.
	Finish(name string) string

	// OnStop says what becomes of the link's configuration at the end.
	OnStop(name string) Policy

	// Open opens what keeps a link. It may be called again after the
	// Parts of an earlier call were closed.
	Open(ctx context.Context, l Link) (*Parts, error)

	// Rename moves what is kept on disk under a link's old name.
	Rename(old, name string) error
}

// Parts are what keeps one link, open. What is nil is not done.
type Parts struct {
	Client     *client.Config // Link, Woke and Notify are the agent's to fill, who forgets it then
	Remembered client.Remembered
	Probe      string // how addresses are checked, see Status

	Notify  func(client.Event)                                  // sees every event, from the client's goroutine
	Inform  func(context.Context, netip.Addr) (Informed, error) // asks for configuration alone (DHCPINFORM), of the server if it is known
	Used    func(lease.Lease) (lease.Lease, []Override)         // what is used where a lease is granted; nil: that
	Explain func(granted lease.Lease) Explanation               // of all that it put on the host
	Notes   func(lease.Lease) []Refusal                         // what of a lease is not followed
	Undo    func(ctx context.Context) error                     // takes off whatever is configured
	Down    func() error                                        // sets the link down, if Open set it up
	Close   func() error
}

// A Policy says what becomes of a link's configuration when the agent lets go
// of it.
type Policy uint8

// The policies. Keep is the zero Policy.
const (
	Keep     Policy = iota // it stays, and nothing is sent
	Withdraw               // it is undone; the lease is remembered
	Release                // it is undone, and the lease is given back
)

var policyNames = [...]string{Keep: "keep", Withdraw: "withdraw", Release: "release"}

// ParsePolicy returns the policy called name: "keep", "withdraw" or "release".
func ParsePolicy(name string) (Policy, error) {
	for i, n := range policyNames {
		if n == name {
			return Policy(i), nil
		}
	}
	return 0, fmt.Errorf("unknown policy %q (known: %q)", name, policyNames)
}

// String returns the name that [ParsePolicy] takes.
func (p Policy) String() string { return policyNames[p] }

// ErrLocked says that another process has a link in hand. The text of what
// wraps it should name that process.
var ErrLocked = errors.New("in other hands")
