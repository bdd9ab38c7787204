package arpcheck

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mdlayher/arp"
)

// A fakeWire is a wire made of channels, so that the clock of a synctest
// bubble runs on while it is read.
type fakeWire struct {
	net    *fakeLink
	addr   netip.Addr
	in     chan received
	errs   chan error
	rearm  chan struct{} // the deadline changed
	mu     sync.Mutex
	until  time.Time
	narrow bool
	closed bool
}

func (w *fakeWire) read() ([]byte, net.HardwareAddr, error) {
	for {
		w.mu.Lock()
		until := w.until
		w.mu.Unlock()
		var timer <-chan time.Time
		if !until.IsZero() {
			timer = time.After(time.Until(until))
			if !until.After(time.Now()) && len(w.in)+len(w.errs) == 0 {
				return nil, nil, os.ErrDeadlineExceeded
			}
		}
		select {
		case r := <-w.in:
			b, err := r.packet.MarshalBinary()
			return b, r.from, err
		case err := <-w.errs:
			return nil, nil, err
		case <-timer:
		case <-w.rearm:
		}
	}
}

func (w *fakeWire) setDeadline(t time.Time) error {
	w.mu.Lock()
	w.until = t
	w.mu.Unlock()
	select {
	case w.rearm <- struct{}{}:
	default:
	}
	return nil
}

func (w *fakeWire) write(b []byte) error {
	p, err := parse(b)
	if err != nil {
		return err
	}
	n := w.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.fail) > 0 {
		err := n.fail[0]
		n.fail = n.fail[1:]
		if err != nil {
			n.tell("lose %s: %v", kindOf(p), err)
			return err
		}
	}
	n.tell("send %s", kindOf(p))
	if n.onSend != nil {
		n.onSend(w, p)
	}
	return nil
}

func (w *fakeWire) watch(addr netip.Addr) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.narrow = addr == w.addr
	return nil
}

func (w *fakeWire) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return nil
}

// hear lets the wire hear p, sent by the one it names.
func (w *fakeWire) hear(p *arp.Packet) { w.in <- heard(p) }

func kindOf(p *arp.Packet) string {
	switch {
	case isProbe(p):
		return "probe"
	case isAnnouncement(p):
		return "announcement"
	}
	return "other"
}

// A fakeLink opens fakeWires and writes down what is sent.
type fakeLink struct {
	start  time.Time
	mu     sync.Mutex
	wires  []*fakeWire
	fail   []error // answers to the next sends; nil: sent
	onSend func(*fakeWire, *arp.Packet)
	log    strings.Builder
}

func (n *fakeLink) tell(format string, args ...any) {
	fmt.Fprintf(&n.log, "%v %s\n", time.Since(n.start), fmt.Sprintf(format, args...))
}

func (n *fakeLink) story() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.log.String()
}

// wire returns the i-th wire opened.
func (n *fakeLink) wire(i int) *fakeWire {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.wires[i]
}

func (n *fakeLink) opened() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.wires)
}

// newFake returns a Checker on a fakeLink. It is closed with the test.
func newFake(t *testing.T, cfg Config) (*Checker, *fakeLink) {
	t.Helper()
	n := &fakeLink{start: time.Now()}
	if cfg.Timing == (Timing{}) {
		cfg.Timing = cfg.Mode.Timing()
	}
	cfg.Now = time.Now
	c := &Checker{
		ifi: net.Interface{Name: "test0", HardwareAddr: us}, cfg: cfg,
		rand: rand.New(rand.NewPCG(1, 2)),
		own: &ownAddrs{extra: cfg.Own, list: func() ([]net.Interface, error) {
			return []net.Interface{{HardwareAddr: us}, {HardwareAddr: ours}}, nil
		}},
		listen: func(_ *net.Interface, addr netip.Addr) (wire, error) {
			w := &fakeWire{net: n, addr: addr, in: make(chan received, 16), errs: make(chan error, 16), rearm: make(chan struct{}, 1)}
			n.mu.Lock()
			n.wires = append(n.wires, w)
			n.mu.Unlock()
			return w, nil
		},
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, n
}
