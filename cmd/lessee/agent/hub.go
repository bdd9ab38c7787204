package agent

import (
	"context"
	"sync"
)

// backlog is how many events a subscriber may be behind.
const backlog = 256

// A hub hands events to subscribers. One that does not keep up is cut off
// rather than waited for.
type hub struct {
	mu     sync.Mutex
	subs   map[*subscriber]struct{}
	closed bool
}

type subscriber struct {
	link string // empty: all
	c    chan Event
}

// Subscribe returns the events of a link, or of all if link is empty, from now
// on. The channel is closed when ctx or the agent ends, or the subscriber has
// fallen 256 events behind.
func (a *Agent) Subscribe(ctx context.Context, link string) <-chan Event {
	s := &subscriber{link, make(chan Event, backlog)}
	if !a.hub.add(s) {
		close(s.c)
		return s.c
	}
	context.AfterFunc(ctx, func() { a.hub.drop(s) })
	return s.c
}

func (h *hub) add(s *subscriber) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	if h.subs == nil {
		h.subs = map[*subscriber]struct{}{}
	}
	h.subs[s] = struct{}{}
	return true
}

// drop ends a subscription; the second time it does nothing.
func (h *hub) drop(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cut(s)
}

func (h *hub) cut(s *subscriber) {
	if _, there := h.subs[s]; there {
		delete(h.subs, s)
		close(s.c)
	}
}

// tell hands an event to all whom it concerns. It never waits.
func (h *hub) tell(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		if s.link != "" && s.link != e.Link {
			continue
		}
		select {
		case s.c <- e:
		default:
			h.cut(s)
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.subs {
		h.cut(s)
	}
}
