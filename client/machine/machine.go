package machine

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// A Machine is the client side of DHCPv4 for one link. It does nothing by
// itself: give it what happened with Step, do what Step returns, and call Step
// again no later than Deadline. It is not safe for concurrent use.
type Machine struct {
	cfg    Config
	wishes dhcp4.Options // what of it goes into messages
	state  State

	// Why nothing may be sent.
	down   bool      // the link has no carrier, for long enough to count
	lost   time.Time // when the carrier went, until it counts; zero: it is there, or counted
	paused bool      // by command
	ups    int       // how often the carrier came back of late
	upAt   time.Time // the last time

	// The Step under way.
	now time.Time
	out []Output

	// The exchange under way.
	xid        uint32
	complained uint32    // the exchange in which a bad answer was told of
	began      time.Time // start of the acquisition or renewal; secs counts from here
	secs       uint16    // of the last DHCPDISCOVER; its DHCPREQUEST repeats it
	sent       time.Time // when the first copy of the current message went out
	try        int       // how many copies went out
	wake       time.Time // when the current wait ends; zero: not by itself
	notBefore  time.Time // no DHCPDISCOVER before this instant
	offers     []Offer
	window     time.Time // when the offers are weighed; zero: none yet
	chosen     *Offer    // of REQUESTING
	inform     Inform

	// What is known from before.
	memory   lease.Lease // remembered and still unconfirmed
	former   former      // whom and what to prefer
	fallback time.Time   // when memory is used unconfirmed; zero: never

	// A lease on its way to the host: granted, checked, applied.
	next        lease.Lease
	fresh       bool // next was granted now, so it goes back to the server if it is not used
	kept        bool // the host held the address all along
	unconfirmed bool // next is memory, used because no server answered

	// The lease in use.
	lease    lease.Lease
	held     bool
	t1, t2   time.Time // of lease, moved a little; zero: never
	demanded bool      // RENEWING or REBINDING was asked for, ahead of time
	reapply  time.Time // when the host is configured again after a failure
	bound    time.Time // when BOUND was reached from outside

	// What goes wrong again and again.
	naks, failures, declines int
	blame                    map[netip.Addr]int  // declines by server
	avoid                    map[netip.Addr]bool // declined addresses
}

// former is what a host knew before and would like to have again.
type former struct{ addr, server netip.Addr }

// New returns a machine in the state Idle.
func New(cfg Config) (*Machine, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Parameters == nil {
		cfg.Parameters = DefaultParameters()
	}
	if cfg.NoServerAfter == 0 {
		cfg.NoServerAfter = noServerAfter
	}
	cfg.MaxMessageSize = max(cfg.MaxMessageSize, 576) // RFC 2132, section 9.10
	wishes, err := cfg.wishes()
	if err != nil {
		return nil, fmt.Errorf("machine: %w", err)
	}
	return &Machine{cfg: cfg, wishes: wishes, state: Idle}, nil
}

// State returns the state after the last Step.
func (m *Machine) State() State { return m.state }

// Step advances the machine by one input that happened at now and returns
// what is to be done, in order. Instants must not go backwards. Whatever the
// input, an expired lease is withdrawn first (RFC 2131, section 4.4.5).
func (m *Machine) Step(now time.Time, in Input) []Output {
	m.now, m.out = now, nil
	if m.held && !m.lease.Valid(now) {
		m.expire()
	}
	switch in := in.(type) {
	case Start:
		m.start(in)
	case Adopt:
		m.adopt(in.Lease)
	case Inform:
		m.startInform(in)
	case Timeout:
		if d := m.Deadline(); !d.IsZero() && !now.Before(d) {
			m.timeout()
		}
	case Received:
		m.received(in.Message)
	case Probed:
		m.probed(in)
	case Applied:
		m.applied(in)
	case Conflicted:
		m.conflicted(in)
	case LinkChanged:
		m.linkChanged(in)
	case Reacquire:
		m.reacquire()
	case Reapply:
		m.applyAgain()
	case Pause:
		m.pause()
	case Resume:
		m.resumed()
	case Renew:
		m.demand(Renewing)
	case Rebind:
		m.demand(Rebinding)
	case Release:
		m.release()
	case Leave:
		m.end(true)
	case Stop:
		m.end(false)
	}
	out := m.out
	m.out = nil // what it was about is not kept until the next Step
	return out
}

// Deadline returns when Step wants a Timeout; the zero Time means never. It
// is a function of the state: there is no timer to cancel.
func (m *Machine) Deadline() time.Time {
	var d time.Time
	switch m.state {
	case Init, InitReboot, Requesting, Informing:
		d = m.wake
	case Rebooting:
		d = earliest(m.wake, m.fallback)
	case Selecting:
		d = m.selectingDeadline()
	case Checking, Applying:
		d = m.next.Expiry // whoever checks and applies has no longer than the lease
	case Bound, Renewing, Rebinding:
		d = m.holdDeadline()
	}
	if m.held {
		d = earliest(d, m.lease.Expiry)
	}
	if !m.lost.IsZero() {
		d = earliest(d, m.lost.Add(m.cfg.CarrierDelay))
	}
	return d
}

// timeout does what was due.
func (m *Machine) timeout() {
	if m.carrierMissed() {
		return
	}
	switch m.state {
	case Init:
		m.discover()
	case Selecting:
		m.selectingTimeout()
	case Requesting:
		m.sendRequest()
	case InitReboot:
		m.reboot()
	case Rebooting:
		m.sendReboot()
	case Checking, Applying:
		m.tooLate()
	case Bound, Renewing, Rebinding:
		m.holdTimeout()
	case Informing:
		m.sendInform()
	}
}

// received sorts an acceptable message by its type.
func (m *Machine) received(msg *dhcp4.Message) {
	if reason := m.refuse(msg); reason != "" {
		m.drop(msg, reason)
		return
	}
	switch msg.Type() {
	case dhcp4.Offer:
		m.offered(msg)
	case dhcp4.ACK:
		m.acked(msg)
	default: // refuse lets nothing else pass
		m.naked(msg)
	}
}

func (m *Machine) emit(o Output) { m.out = append(m.out, o) }

func (m *Machine) drop(msg *dhcp4.Message, reason Reason) {
	m.emit(Drop{Message: msg, Reason: reason})
}

// enter changes the state and reports it.
func (m *Machine) enter(to State, r Report) {
	r.From, r.To = m.state, to
	m.state = to
	r.Try, r.Next = m.try, m.Deadline()
	m.emit(r)
}

// say reports without a change of state.
func (m *Machine) say(r Report) { m.enter(m.state, r) }

// notPossible answers a command that this state has no other answer to.
func (m *Machine) notPossible(why string) { m.say(Report{Cause: CauseNotPossible, Text: why}) }

// complain notes what is wrong with an answer, once in an exchange: whoever
// sends a thousand of them is counted, and not written down each time.
func (m *Machine) complain(text string) {
	if m.complained != m.xid {
		m.complained = m.xid
		m.note(text)
	}
}

// note reports what is worth a line and changes nothing.
func (m *Machine) note(text string) { m.say(Report{Cause: CauseNote, Text: text}) }

// Status is a copy of what users may want to know.
type Status struct {
	State State
	Quiet bool        // nothing is sent: no carrier, or paused
	Lease lease.Lease // in use; the zero Lease if none
	Next  lease.Lease // granted, not yet in use
	Try   int         // copies of the current message sent so far
	Since time.Time   // start of the acquisition or renewal under way
	Wake  time.Time   // when something happens by itself; zero: never
}

// Status returns a copy of the machine's state.
func (m *Machine) Status() Status {
	s := Status{State: m.state, Quiet: m.quiet(), Try: m.try, Since: m.began, Wake: m.Deadline()}
	if m.held && (m.state != Applying || m.kept) {
		s.Lease = m.lease
	}
	if m.state == Checking || m.state == Applying {
		s.Next = m.next
	}
	return s
}
