package dhcptest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// An Event is a datagram that a server received or sent.
type Event struct {
	Time time.Time
	Sent bool // by the server

	// Message is nil if what came is no DHCP message. For replies it is
	// the message before any edit of its bytes.
	Message *dhcp4.Message

	// Src and Dst are the IP addresses, unset if Handle was called
	// directly. Peer is the other host on the link; of a reply, empty if
	// it was broadcast.
	Src, Dst netip.Addr
	Peer     dhcp4.HardwareAddr

	// Frame is the datagram from the IP header on, as it was on the wire.
	Frame []byte

	// Err says why what came could not be read, or why the reply could
	// not be sent.
	Err error
}

// String returns the event in one line.
func (e Event) String() string {
	arrow := "<-"
	if e.Sent {
		arrow = "->"
	}
	text := fmt.Sprintf("%s %s %v > %v", e.Time.Format("15:04:05.000"), arrow, e.Src, e.Dst)
	if e.Message != nil {
		text += " " + e.Message.String()
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Received returns a predicate for [Server.WaitFor]: a message of type t came.
func Received(t dhcp4.MessageType) func(Event) bool { return ofType(t, false) }

// Sent returns a predicate for [Server.WaitFor]: a message of type t went out.
func Sent(t dhcp4.MessageType) func(Event) bool { return ofType(t, true) }

func ofType(t dhcp4.MessageType, sent bool) func(Event) bool {
	return func(e Event) bool { return e.Sent == sent && e.Err == nil && e.Message != nil && e.Message.Type() == t }
}

// Nth returns a predicate that is true for the nth event for which want is, n
// counting from 1. Use it for one call of WaitFor only.
func Nth(n int, want func(Event) bool) func(Event) bool {
	return func(e Event) bool {
		if want(e) {
			n--
			return n == 0
		}
		return false
	}
}

// Log returns all that was received and sent so far, or since the last
// [Server.ForgetLog], in order. The messages are shared: do not change them.
func (s *Server) Log() []Event {
	events, _, _ := s.diary.after(0)
	return slices.Clone(events)
}

// ForgetLog empties the log, for tests that live for years.
func (s *Server) ForgetLog() { s.diary.forget() }

// WaitFor returns the first event, past or to come, for which want is true.
// want is called once for each event, in order. The error is ctx's cause.
func (s *Server) WaitFor(ctx context.Context, want func(Event) bool) (Event, error) {
	for seen := 0; ; {
		events, next, came := s.diary.after(seen)
		for _, e := range events {
			if want(e) {
				return e, nil
			}
		}
		seen = next
		select {
		case <-came:
		case <-ctx.Done():
			return Event{}, fmt.Errorf("waited in vain, %d events so far: %w", seen, context.Cause(ctx))
		}
	}
}

// A diary is the log, with a bell.
type diary struct {
	mu     sync.Mutex
	events []Event
	gone   int           // how many came before these
	came   chan struct{} // closed and made anew at each event
}

func (d *diary) add(e Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
	close(d.came)
	d.came = make(chan struct{})
}

// after returns the events from the nth on, the number of the next one, and
// what is closed when it comes.
func (d *diary) after(n int) (events []Event, next int, came <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := max(0, n-d.gone)
	return d.events[from:len(d.events):len(d.events)], d.gone + len(d.events), d.came
}

func (d *diary) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone += len(d.events)
	d.events = nil
}
