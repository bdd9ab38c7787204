package netconf

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// hearing is a subscription to the real kernel's messages.
type hearing struct {
	ns      *Namespace
	updates chan netlink.LinkUpdate
	out     chan Link
	done    chan struct{}
	ended   chan struct{}
}

// subscribe begins to hear of the links of a namespace. The list of present
// links comes by the same socket as the changes, so nothing falls in between.
func subscribe(ns *Namespace) (subscription, error) {
	s := &hearing{ns: ns, updates: make(chan netlink.LinkUpdate, 16), out: make(chan Link), done: make(chan struct{}), ended: make(chan struct{})}
	broken := make(chan struct{}, 1)
	err := ns.Enter(func() error {
		return netlink.LinkSubscribeWithOptions(s.updates, s.done, netlink.LinkSubscribeOptions{
			ListExisting: true,
			ErrorCallback: func(err error) {
				if errors.Is(err, netlink.ErrDumpInterrupted) { // the list may lack some
					select {
					case broken <- struct{}{}:
					default:
					}
				}
			},
		})
	})
	if err != nil {
		return nil, fmt.Errorf("watch links: %w", err)
	}
	go s.translate(broken)
	return s, nil
}

// translate puts the library's updates in our words until the kernel has lost
// some of them, or close is called.
func (s *hearing) translate(broken <-chan struct{}) {
	defer close(s.ended)
	defer close(s.out)
	for {
		select {
		case <-s.done:
			return
		case <-broken:
			return
		case u, ok := <-s.updates:
			if !ok {
				return
			}
			if u.IfInfomsg.Family != unix.AF_UNSPEC {
				continue // a bridge speaks of its ports, and of those that leave it
			}
			select {
			case s.out <- linkOf(u):
			case <-s.done:
				return
			}
		}
	}
}

func linkOf(u netlink.LinkUpdate) Link {
	a := u.Link.Attrs()
	return Link{
		Index: a.Index, Name: a.Name, Addr: slices.Clone(a.HardwareAddr), Type: u.IfInfomsg.Type, Flags: a.RawFlags,
		Carrier: hasCarrier(a.RawFlags), Port: isPort(a), Gone: u.Header.Type == unix.RTM_DELLINK,
	}
}

// isPort reports whether a link has a master that takes its packets. That of a
// VRF does not: it has a routing table.
func isPort(a *netlink.LinkAttrs) bool {
	_, isVRF := a.Slave.(*netlink.VrfSlave)
	return a.MasterIndex != 0 && !isVRF
}

func (s *hearing) links() <-chan Link { return s.out }

func (s *hearing) present() ([]int, error) { return s.ns.socket.indexes() }

// close ends the library's goroutine, which does not end by itself while it
// has something to say.
func (s *hearing) close() {
	close(s.done)
	<-s.ended
	for range s.updates {
	}
}

// hasLink reports whether the caller's namespace has a link of this index.
func hasLink(index int) (bool, error) {
	_, err := netlink.LinkByIndex(index)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return false, nil
	}
	return err == nil, err
}
