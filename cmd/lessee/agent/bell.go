package agent

import "sync"

// A Bell rings for all who listen. The nil Bell never rings.
type Bell struct {
	mu        sync.Mutex
	listeners map[<-chan struct{}]chan struct{}
}

// Listen returns a channel that gets a value after each Ring; of several that
// were not taken, one is left.
func (b *Bell) Listen() <-chan struct{} {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners == nil {
		b.listeners = map[<-chan struct{}]chan struct{}{}
	}
	c := make(chan struct{}, 1)
	b.listeners[c] = c
	return c
}

// Leave ends what Listen began.
func (b *Bell) Leave(c <-chan struct{}) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.listeners, c)
}

// Ring rings. It never waits.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.listeners {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
