package machine

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// An Output is something to be done, in the order given. The set is closed.
type Output interface{ output() }

type (
	// Send sends a message; an invalid To means broadcast. Last says that
	// a server hears by it that an address is ours no more. It waits for
	// the outputs before it, as what was remembered must be forgotten by
	// then, and must have left the host before those after it are carried
	// out, as they take its source address away.
	Send struct {
		Message *dhcp4.Message
		To      netip.Addr
		Last    bool
	}

	// Probe looks for another holder of Addr; the answer is [Probed]. Any
	// other output about a lease ends a probe that is under way.
	Probe struct{ Addr netip.Addr }

	// Announce tells the link that Addr is ours, and watches it from then
	// on; a conflict is [Conflicted].
	Announce struct{ Addr netip.Addr }

	// Apply makes the host hold what Lease says; the answer is [Applied].
	Apply struct{ Lease lease.Lease }

	// Withdraw undoes what was applied.
	Withdraw struct{ Lease lease.Lease }

	// Save remembers Lease for the next start.
	Save struct{ Lease lease.Lease }

	// Forget removes what was remembered.
	Forget struct{}

	// Drop says that Message was not used, and why.
	Drop struct {
		Message *dhcp4.Message
		Reason  Reason
	}

	// Report tells users and logs what happened. From and To are equal if
	// the state did not change.
	Report struct {
		From, To State
		Cause    Cause
		Text     string      // the cause in detail, for people
		Lease    lease.Lease // which the report is about, if any
		Offers   []Offer     // with CauseChosen, CauseRefused and CauseSurveyed
		Holder   dhcp4.HardwareAddr
		Try      int       // how many times the current message was sent
		Next     time.Time // when something happens by itself; zero: never
	}
)

func (Send) output()     {}
func (Probe) output()    {}
func (Announce) output() {}
func (Apply) output()    {}
func (Withdraw) output() {}
func (Save) output()     {}
func (Forget) output()   {}
func (Drop) output()     {}
func (Report) output()   {}

// A Cause is why a [Report] was made.
type Cause string

// The causes.
const (
	CauseStarted      Cause = "started"
	CauseSent         Cause = "sent"           // a message was sent, or sent again
	CauseChosen       Cause = "offer chosen"   // Offers tells which and why
	CauseRefused      Cause = "offers refused" // none of the Offers was acceptable
	CauseSurveyed     Cause = "surveyed"
	CauseGranted      Cause = "granted"   // DHCPACK: Lease, not yet in use
	CauseUnchecked    Cause = "unchecked" // the address could not be probed
	CauseFree         Cause = "address free"
	CauseBound        Cause = "bound"       // Lease is configured
	CauseExtended     Cause = "extended"    // Lease has new times
	CauseConfigured   Cause = "configured"  // and the host has them
	CauseUnconfirmed  Cause = "unconfirmed" // no server answered: a remembered lease is used
	CauseInformed     Cause = "informed"
	CauseNoServer     Cause = "no server answered"
	CauseNAK          Cause = "refused by server"
	CauseConflict     Cause = "address in use"
	CauseApplyFailed  Cause = "host not configured"
	CauseExpired      Cause = "expired"
	CauseRenewalDue   Cause = "renewal due"
	CauseRebindingDue Cause = "rebinding due"
	CauseReleased     Cause = "released"
	CauseStopped      Cause = "stopped"
	CauseLinkDown     Cause = "link down"
	CauseLinkUp       Cause = "link up"
	CausePaused       Cause = "paused"
	CauseResumed      Cause = "resumed"
	CauseNotPossible  Cause = "not possible now" // a command that this state has no answer to
	CauseNote         Cause = "note"             // nothing changed, but somebody should know
)

// A Reason tells why a message was dropped.
type Reason string

// The reasons.
const (
	NotReply         Reason = "not a reply"                                // A1
	WrongXID         Reason = "other xid"                                  // A12
	WrongCHAddr      Reason = "other chaddr"                               // A13
	WrongClientID    Reason = "other client identifier"                    // H6
	NotExpected      Reason = "not expected in this state"                 // C7, E14
	NoServerID       Reason = "no server identifier"                       // RFC 2131, table 3, or one that no server has
	WrongServer      Reason = "from a server that was not asked"           // C15, E11, E13
	ServerNotAllowed Reason = "from a server that the user refuses"        // C11
	WrongYIAddr      Reason = "for another address than the one asked for" // C20
	BadLease         Reason = "grants no usable lease"                     // C8, C9
	LacksOption      Reason = "lacks a required option"                    // C11
	TooMany          Reason = "too many offers"
)
