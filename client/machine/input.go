package machine

import (
	"net/netip"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// An Input is something that happened. The set is closed.
type Input interface{ input() }

type (
	// Start begins an acquisition. A Remembered lease is confirmed first
	// (INIT-REBOOT) if it is still valid; one that is not serves as the
	// address to wish for. Held says that it is configured on the host
	// already, and stays so until a server says no.
	Start struct {
		Remembered lease.Lease
		Held       bool
	}

	// Adopt takes a lease that is in use on the host as BOUND, without a
	// message.
	Adopt struct{ Lease lease.Lease }

	// Inform asks for configuration for an address set by other means
	// (RFC 2131, section 4.4.3). Server may be the zero Addr: broadcast.
	Inform struct {
		Addr   netip.Prefix
		Server netip.Addr
	}

	// Timeout says that the time has come to look at Deadline. An early
	// one is harmless.
	Timeout struct{}

	// Received is a message that came from the link.
	Received struct{ Message *dhcp4.Message }

	// Probed answers a [Probe]. A Holder means conflict. Err means that
	// the check could not be made.
	Probed struct {
		Addr   netip.Addr
		Holder dhcp4.HardwareAddr
		Err    error
	}

	// Applied answers an [Apply] of the same lease.
	Applied struct {
		Lease lease.Lease
		Err   error
	}

	// Conflicted says that another host uses the address that is in use
	// here, and that it was not defended (RFC 5227, section 2.4).
	Conflicted struct {
		Addr   netip.Addr
		Holder dhcp4.HardwareAddr
	}

	// LinkChanged says that the link's carrier came or went. Reset says,
	// with Up, that the link was set down in between: its routes are gone,
	// however short that was.
	LinkChanged struct{ Up, Reset bool }

	Renew     struct{} // extend the lease now, by unicast to its server
	Rebind    struct{} // extend the lease now, by broadcast to any server
	Reacquire struct{} // have the lease in use verified, or begin to get one
	Reapply   struct{} // have the host configured by the lease in use once more: what is made of leases has changed
	Pause     struct{} // send nothing until Resume; a lease in use stays, until it expires
	Resume    struct{} // end a Pause
	Release   struct{} // give the lease back and end
	Leave     struct{} // take the lease off the host, remembered as it is, and end
	Stop      struct{} // end; what is configured stays, what is half done is undone
)

func (Start) input()       {}
func (Adopt) input()       {}
func (Inform) input()      {}
func (Timeout) input()     {}
func (Received) input()    {}
func (Probed) input()      {}
func (Applied) input()     {}
func (Conflicted) input()  {}
func (LinkChanged) input() {}
func (Renew) input()       {}
func (Rebind) input()      {}
func (Reacquire) input()   {}
func (Reapply) input()     {}
func (Pause) input()       {}
func (Resume) input()      {}
func (Release) input()     {}
func (Leave) input()       {}
func (Stop) input()        {}
