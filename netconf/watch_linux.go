package netconf

import (
	"context"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// LinkState is what a link is like. Gone is for ever.
type LinkState struct {
	Carrier bool // up, and packets can pass
	Gone    bool
}

// Watch follows a link, by its index, until ctx ends. The channel gives the
// present state first, then each change; it is closed when ctx ends or the link
// is gone.
func Watch(ctx context.Context, index int) (<-chan LinkState, error) {
	w := &watcher{index: index, out: make(chan LinkState)}
	updates, err := w.subscribe(ctx)
	if err != nil {
		return nil, err
	}
	// Asked for here, in the caller's thread: threads have namespaces.
	first, err := w.look()
	if err != nil {
		return nil, fmt.Errorf("watch links: %w", err)
	}
	go w.run(ctx, first, updates)
	return w.out, nil
}

// A watcher is one Watch.
type watcher struct {
	index int
	out   chan LinkState
	last  *LinkState
}

// subscribe begins to hear of links, and learns how this one is now.
func (w *watcher) subscribe(ctx context.Context) (<-chan netlink.LinkUpdate, error) {
	updates := make(chan netlink.LinkUpdate, 16)
	err := netlink.LinkSubscribeWithOptions(updates, ctx.Done(), netlink.LinkSubscribeOptions{
		ErrorCallback: func(error) {}, // the channel is closed then, and we begin anew
	})
	if err != nil {
		return nil, fmt.Errorf("watch links: %w", err)
	}
	return updates, nil
}

// run reports changes. When the kernel could not keep up with us, or the
// subscription broke, the link is asked for and the subscription made anew.
func (w *watcher) run(ctx context.Context, first LinkState, updates <-chan netlink.LinkUpdate) {
	defer close(w.out)
	if !w.tell(ctx, first) {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case u, ok := <-updates:
			if !ok {
				if updates = w.again(ctx); updates == nil {
					return
				}
				continue
			}
			if u.Link.Attrs().Index != w.index {
				continue
			}
			s := LinkState{Carrier: hasCarrier(u.Link.Attrs())}
			if u.Header.Type == unix.RTM_DELLINK {
				s = LinkState{Gone: true}
			}
			if !w.tell(ctx, s) {
				return
			}
		}
	}
}

// again resubscribes; nil ends the watcher.
func (w *watcher) again(ctx context.Context) <-chan netlink.LinkUpdate {
	updates, err := w.subscribe(ctx)
	if err != nil {
		return nil
	}
	if now, err := w.look(); err != nil || !w.tell(ctx, now) {
		return nil
	}
	return updates
}

// look asks for the link.
func (w *watcher) look() (LinkState, error) {
	l, err := netlink.LinkByIndex(w.index)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return LinkState{Gone: true}, nil
	}
	if err != nil {
		return LinkState{}, err
	}
	return LinkState{Carrier: hasCarrier(l.Attrs())}, nil
}

// tell passes a state on if it is news, and reports whether there is more to
// come.
func (w *watcher) tell(ctx context.Context, s LinkState) bool {
	if w.last != nil && *w.last == s {
		return true
	}
	w.last = &s
	select {
	case w.out <- s:
		return !s.Gone
	case <-ctx.Done():
		return false
	}
}
