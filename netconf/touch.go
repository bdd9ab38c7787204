package netconf

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// A notice is something that the kernel tells of a link.
type notice struct {
	Link                // how it is; of others than linkChanged only the index
	kind   noticeKind   //
	prefix netip.Prefix // of an address
}

type noticeKind uint8

const (
	linkChanged noticeKind = iota
	addrAdded              // or renewed
	addrDeleted
	otherLost // a route or a rule of our kind was deleted
)

// take takes in a notice.
func (w *linkWatcher) take(n notice) {
	switch n.kind {
	case linkChanged:
		w.learn(n.Link)
	case addrAdded:
		if !slices.Contains(w.addrs[n.Index], n.prefix) {
			w.addrs[n.Index] = append(w.addrs[n.Index], n.prefix)
			w.touchSharers(n)
		}
	case addrDeleted:
		w.addrs[n.Index] = slices.DeleteFunc(w.addrs[n.Index], func(p netip.Prefix) bool { return p == n.prefix })
		if len(w.addrs[n.Index]) == 0 {
			delete(w.addrs, n.Index)
		}
		w.touch(n.Index)
		w.touchSharers(n)
	case otherLost:
		w.touch(n.Index)
	}
}

// touch notes that something of a link was taken away.
func (w *linkWatcher) touch(index int) {
	if l, is := w.now[index]; is {
		l.Touched++
		w.now[index] = l
		w.tell(index)
	}
}

// touchSharers touches the other links that have an address in the subnet of
// one that came or went: that is what SourceAuto looks at. Only addresses that
// came while we listened are known; those of leases are renewed now and then.
func (w *linkWatcher) touchSharers(n notice) {
	for index, list := range w.addrs {
		if index != n.Index && slices.ContainsFunc(list, func(p netip.Prefix) bool { return sameSubnet(p, n.prefix) }) {
			w.touch(index)
		}
	}
}

// touchAll is for what may have been missed.
func (w *linkWatcher) touchAll() {
	for index := range w.now {
		w.touch(index)
	}
}

// wasSetUp reports whether a link was down, and is up: the kernel has deleted
// its routes without a word.
func wasSetUp(before, now Link) bool {
	return before.Name != "" && before.Flags&unix.IFF_UP == 0 && now.Flags&unix.IFF_UP != 0
}

// sameSubnet reports whether each of two addresses is in the subnet of the
// other.
func sameSubnet(a, b netip.Prefix) bool {
	return a.Bits() < 32 && b.Bits() < 32 && a.Contains(b.Addr()) && b.Contains(a.Addr())
}
