package client

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// A Conn carries DHCP messages on one link. Package socket has the real one. Its
// methods may be called at the same time.
type Conn interface {
	// Arrived returns a channel that has a token whenever there may be
	// something to Take, and that is always the same.
	Arrived() <-chan struct{}

	// Take returns the next well-formed message from a server. It never
	// waits: nil means that there is none just now. As long as there may
	// be more, there is a token in Arrived. An error ends the client.
	Take() (*dhcp4.Message, error)

	// Send sends m from the address in its ciaddr to the server at to, or
	// as a broadcast if to is invalid. It must not block for longer than
	// it takes to hand m to the kernel. An error counts as a lost packet.
	Send(ctx context.Context, m *dhcp4.Message, to netip.Addr) error

	// Flush returns when what was sent by unicast has left the host.
	Flush(ctx context.Context) error
}

// A Prober detects address conflicts (RFC 5227). Package arpcheck has the
// real one.
type Prober interface {
	// Probe returns the hardware address of the host that uses addr, or
	// nil if nobody does. An error means that it could not be found out.
	Probe(ctx context.Context, addr netip.Addr) (holder net.HardwareAddr, err error)

	// Announce tells the link that addr is ours and returns after the
	// last announcement.
	Announce(ctx context.Context, addr netip.Addr) error

	// Guard listens from now on for other hosts that use addr, until
	// Unguard, and Heard has a token whenever there may be something to
	// Check. Heard is always the same channel.
	Guard(addr netip.Addr) error
	Heard() <-chan struct{}

	// Check deals with what was heard. It never waits. A holder means that
	// another host uses the address and that it must be given up: the
	// guard ends, as it does with an error.
	Check() (holder net.HardwareAddr, err error)

	// Unguard ends a guard, if there is one.
	Unguard()
}

// A Configurator makes a host hold what a lease says. Package netconf has the
// real one; a program with its own idea of a host's configuration brings its
// own.
type Configurator interface {
	// Apply makes the host hold l, changing only what differs from what
	// an earlier Apply made. On error everything that this call changed
	// has been taken back.
	Apply(ctx context.Context, l lease.Lease) error

	// Withdraw undoes what was applied for l. What is gone already is no
	// error.
	Withdraw(ctx context.Context, l lease.Lease) error
}

// A Repairer is a [Configurator] that puts back, when asked, what somebody took
// away of what was applied for l, and does what could not be done then. It
// reports whether there was anything.
type Repairer interface {
	Repair(ctx context.Context, l lease.Lease) (repaired bool, err error)

	// Unfinished is asked after each Apply and Repair: when something could
	// not be done that may be possible later, and is no reason not to use the
	// lease, it returns how long to wait before the next Repair; else 0.
	Unfinished() time.Duration
}

// A Store remembers one lease across restarts. Package store has the real one.
type Store interface {
	Save(l lease.Lease) error
	Forget() error
}

// LinkState is what a client must know of its link. Gone is for ever. Reset
// says of a link that is up that it was set down in between, so that the kernel
// has dropped its routes. Touched says that something is gone from the host
// that may have been put there for the lease; see [Repairer].
type LinkState struct{ Up, Reset, Gone, Touched bool }
