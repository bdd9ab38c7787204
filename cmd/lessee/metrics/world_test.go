package metrics

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// A world is a real client with a scripted server, in virtual time, and the
// counters that watch it.
type world struct {
	t        *testing.T
	server   *dhcptest.Server
	registry *Registry
	link     chan client.LinkState
	holder   net.HardwareAddr // of the addresses that are probed
	conflict chan net.HardwareAddr
	heard    chan struct{} // tells of conflict

	mu       sync.Mutex
	applyErr error
}

func newWorld(t *testing.T, cfg dhcptest.Config) *world {
	return &world{
		t: t, server: dhcptest.New(t, cfg), registry: New(Config{Version: "test"}),
		link: make(chan client.LinkState), conflict: make(chan net.HardwareAddr, 1), heard: make(chan struct{}, 1),
	}
}

// live runs a client on link eth0 for as long as story lasts. Nothing takes time
// but probing and what the server is told to, so times are known exactly.
func (w *world) live(r client.Remembered, story func()) {
	wire := dhcptest.NewWire(w.server)
	defer wire.Close()
	mac := dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}
	c, err := client.New(client.Config{
		Machine: machine.Config{
			Link: machine.Link{HType: dhcp4.HTypeEthernet, CHAddr: mac},
			Rand: rand.New(rand.NewPCG(1, 2)),
		},
		Conn: wire.Conn(mac), Prober: w, Configurator: w, Link: w.link, Now: time.Now,
		Notify: w.registry.Link("eth0").Observe,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, r) }()
	w.link <- client.LinkState{Up: true}
	story()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		w.t.Errorf("the client ended with %v", err)
	}
}

// pass lets time pass and everything that is due happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

const probing = 150 * time.Millisecond

func (w *world) Probe(ctx context.Context, _ netip.Addr) (net.HardwareAddr, error) {
	select {
	case <-time.After(probing):
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.holder, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (w *world) Announce(context.Context, netip.Addr) error { return nil }

func (w *world) Guard(netip.Addr) error { return nil }
func (w *world) Heard() <-chan struct{} { return w.heard }
func (w *world) Unguard()               {}

func (w *world) Check() (net.HardwareAddr, error) {
	select {
	case holder := <-w.conflict:
		return holder, nil
	default:
		return nil, nil
	}
}

func (w *world) Apply(context.Context, lease.Lease) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.applyErr
}

func (w *world) Withdraw(context.Context, lease.Lease) error { return nil }

// set changes what the host and its neighbours do.
func (w *world) set(holder net.HardwareAddr, applyErr error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holder, w.applyErr = holder, applyErr
}

// numbers are the samples of a text, by how they are written but for the
// labels that all have: "naks_total", "messages_total sent DHCPOFFER".
type numbers map[string]float64

// read checks what the registry writes, and returns it.
func read(t *testing.T, r *Registry, list ...agent.Status) numbers {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b, list); err != nil {
		t.Fatal(err)
	}
	samples, err := check(b.String(), false)
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	n := numbers{}
	for _, s := range samples {
		key := strings.TrimPrefix(s.name, "lessee_")
		for _, label := range []string{"direction", "type", "reason", "kind", "le", "state"} {
			if v, ok := s.labels[label]; ok {
				key += " " + v
			}
		}
		if link, ok := s.labels["link"]; ok && link != "eth0" {
			key += " @" + link
		}
		n[key] = s.value
	}
	return n
}

// want complains about each number that is not as it should be.
func (n numbers) want(t *testing.T, want numbers) {
	t.Helper()
	for key, value := range want {
		got, ok := n[key]
		if !ok || got != value {
			t.Errorf("%s: %v (there: %v), want %v", key, got, ok, value)
		}
	}
}
