package agent

import (
	"net/netip"
	"time"
)

// keptEvents is how many events a book keeps.
const keptEvents = 32

// An entry is an Event as a book keeps it: in half the room, because there are
// many, and most are about no lease.
type entry struct {
	time              time.Time
	kind, from, state string
	text              string
	lease             *entryLease
}

type entryLease struct {
	addr   netip.Prefix
	server netip.Addr
	expiry time.Time
}

// keep puts an event in the book, in the place of the oldest if it is full. The
// room grows by a few at a time: most links see some ten events in their lives,
// and twice that is what append would make room for. The caller holds mu.
func (b *book) keep(e Event) {
	n := entry{time: e.Time, kind: e.Kind, from: e.From, state: e.State, text: e.Text}
	if e.Address.IsValid() {
		n.lease = &entryLease{e.Address, e.Server, e.Expiry}
	}
	switch list := b.events; {
	case len(list) == keptEvents:
		copy(list, list[1:])
		list[keptEvents-1] = n
	case len(list) == cap(list):
		b.events = append(make([]entry, 0, min(len(list)+4, keptEvents)), list...)
		fallthrough
	default:
		b.events = append(b.events, n)
	}
}

// told returns the events that are kept. The caller holds mu.
func (b *book) told() []Event {
	out := make([]Event, 0, len(b.events))
	for _, n := range b.events {
		e := Event{Time: n.time, Link: b.name, Kind: n.kind, From: n.from, State: n.state, Text: n.text}
		if l := n.lease; l != nil {
			e.Address, e.Server, e.Expiry = l.addr, l.server, l.expiry
		}
		out = append(out, e)
	}
	return out
}
