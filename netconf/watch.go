package netconf

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

// A Link is what the kernel says of a link. One link keeps its index for as
// long as it lives, whatever else changes.
type Link struct {
	Index   int
	Name    string
	Addr    net.HardwareAddr
	Type    uint16 // ARPHRD_*
	Flags   uint32 // IFF_*
	Carrier bool   // up, and packets can pass
	Port    bool   // part of a bridge, a bond or the like, which has the addresses
	Gone    bool   // it was deleted, or moved to another namespace; the rest is as it was last

	// Touched grows when something that a Host may have put there is gone: an
	// address, a route, a rule; and when another link comes to share a subnet
	// with this one. Host.Repair finds out whether anything is to be done.
	Touched uint32
}

func (l Link) equal(o Link) bool {
	return l.Index == o.Index && l.Name == o.Name && bytes.Equal(l.Addr, o.Addr) && l.Type == o.Type &&
		l.Flags == o.Flags && l.Carrier == o.Carrier && l.Port == o.Port && l.Gone == o.Gone && l.Touched == o.Touched
}

// How long after a loss the kernel is asked anew, at first and at most: what
// made it lose messages may go on for a while.
const (
	resyncWait    = 50 * time.Millisecond
	resyncWaitMax = 5 * time.Second
)

// A subscription hears of links. The kernel, or whoever reads it, may lose
// messages; then it ends.
type subscription interface {
	// notices gives the present links first, and then each change; it is
	// closed at the end.
	notices() <-chan notice
	// present lists the indexes of the links that exist.
	present() ([]int, error)
	// close ends it and waits for that.
	close()
}

// WatchLinks follows all links of a namespace until ctx ends. The channel gives
// the present links first, then each change: a new link, another name, another
// hardware address, flags, the carrier, the end, and that something of a link's
// configuration was taken away. A reader who is slow misses
// what was over meanwhile, never how things are in the end; so does one whose
// kernel has lost messages. The channel is closed when ctx ends, and not before.
func WatchLinks(ctx context.Context, ns *Namespace) (<-chan Link, error) {
	own := ns == nil
	if own { // which is the calling thread's: others may have others
		var err error
		if ns, err = OpenNamespace(""); err != nil {
			return nil, err
		}
	}
	w := &linkWatcher{subscribe: func() (subscription, error) { return subscribe(ns) }, out: make(chan Link)}
	sub, err := w.subscribe()
	if err != nil {
		if own {
			_ = ns.Close() // the other error is what matters
		}
		return nil, err
	}
	go func() {
		defer close(w.out)
		w.run(ctx, sub)
		if own {
			_ = ns.Close() // nobody is left to be told
		}
	}()
	return w.out, nil
}

// A linkWatcher is one WatchLinks.
type linkWatcher struct {
	subscribe func() (subscription, error)
	out       chan Link

	now   map[int]Link // as the links are
	told  map[int]Link // as they are for the reader
	queue []int        // the links that may be news to the reader, the oldest news first
	addrs map[int][]netip.Prefix
}

// run tells of changes until ctx ends. When a subscription ends, another one
// takes its place.
func (w *linkWatcher) run(ctx context.Context, sub subscription) {
	w.now, w.told, w.addrs = map[int]Link{}, map[int]Link{}, map[int][]netip.Prefix{}
	for sub != nil {
		w.listen(ctx, sub.notices(), nil)
		sub.close()
		sub = w.again(ctx)
	}
}

// listen takes in what the kernel says, and tells the reader, until that or ctx
// ends or the time is over.
func (w *linkWatcher) listen(ctx context.Context, notices <-chan notice, over <-chan time.Time) {
	for {
		out, next := w.next()
		select {
		case <-ctx.Done():
			return
		case <-over:
			return
		case n, ok := <-notices:
			if !ok {
				return
			}
			w.take(n)
		case out <- next:
			w.pop()
		}
	}
}

// again subscribes anew, as soon as that is possible; nil: ctx has ended.
func (w *linkWatcher) again(ctx context.Context) subscription {
	for wait := resyncWait; ; wait = min(2*wait, resyncWaitMax) {
		timer := time.NewTimer(wait)
		w.listen(ctx, nil, timer.C)
		timer.Stop()
		if ctx.Err() != nil {
			return nil
		}
		if sub := w.resync(); sub != nil {
			return sub
		}
	}
}

// resync subscribes anew, and finds out which links have gone meanwhile. It
// returns nil if the kernel does not answer.
func (w *linkWatcher) resync() subscription {
	sub, err := w.subscribe()
	if err != nil {
		return nil
	}
	indexes, err := sub.present()
	if err != nil {
		sub.close()
		return nil
	}
	for i := range w.now {
		if !slices.Contains(indexes, i) {
			w.learn(Link{Index: i, Gone: true})
		}
	}
	w.touchAll()
	return sub
}

// learn takes in how a link is.
func (w *linkWatcher) learn(l Link) {
	before := w.now[l.Index]
	if l.Gone {
		delete(w.now, l.Index)
		delete(w.addrs, l.Index)
	} else {
		l.Touched = before.Touched
		if wasSetUp(before, l) {
			l.Touched++
		}
		w.now[l.Index] = l
	}
	w.tell(l.Index)
}

// tell notes that a link may be news to the reader.
func (w *linkWatcher) tell(index int) {
	if !slices.Contains(w.queue, index) {
		w.queue = append(w.queue, index)
	}
}

// next is what the reader is to be told next, and where: nowhere, if there is
// no news.
func (w *linkWatcher) next() (chan<- Link, Link) {
	for len(w.queue) > 0 {
		i := w.queue[0]
		l, is := w.now[i]
		told, was := w.told[i]
		switch {
		case is && (!was || !told.equal(l)):
			return w.out, l
		case !is && was:
			told.Gone, told.Carrier = true, false
			return w.out, told
		}
		w.queue = w.queue[1:]
	}
	return nil, Link{}
}

// pop notes that the reader has been told.
func (w *linkWatcher) pop() {
	i := w.queue[0]
	if l, is := w.now[i]; is {
		w.told[i] = l
	} else {
		delete(w.told, i)
	}
	w.queue = w.queue[1:]
}
