package netconf

import (
	"context"
	"fmt"
)

// LinkState is what a link is like. Gone is for ever.
type LinkState struct {
	Carrier bool // up, and packets can pass
	Gone    bool
}

// Watch follows one link of a namespace, by its index, until ctx ends. The
// channel gives the present state first, then each change; it is closed when ctx
// ends or the link is gone. Who follows many links is better served by
// [WatchLinks].
func Watch(ctx context.Context, ns *Namespace, index int) (<-chan LinkState, error) {
	watching, stop := context.WithCancel(ctx)
	links, err := WatchLinks(watching, ns)
	if err != nil {
		stop()
		return nil, err
	}
	// Asked only now: if the link goes after this, the watcher hears of it.
	there, err := hasLink(ns, index)
	if err != nil {
		stop()
		return nil, fmt.Errorf("watch links: %w", err)
	}
	out := make(chan LinkState)
	go func() {
		defer close(out)
		defer stop()
		if !there {
			tell(ctx, out, LinkState{Gone: true})
			return
		}
		pick(ctx, links, index, out)
	}()
	return out, nil
}

// pick tells of one link out of many.
func pick(ctx context.Context, links <-chan Link, index int, out chan<- LinkState) {
	var last *LinkState
	for l := range links {
		s := LinkState{Carrier: l.Carrier, Gone: l.Gone}
		if l.Index != index || last != nil && *last == s {
			continue
		}
		last = &s
		if !tell(ctx, out, s) || s.Gone {
			return
		}
	}
}

// tell passes a state on, unless ctx ends first.
func tell(ctx context.Context, out chan<- LinkState, s LinkState) bool {
	select {
	case out <- s:
		return true
	case <-ctx.Done():
		return false
	}
}
