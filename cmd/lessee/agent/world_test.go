package agent

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"path"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
)

// A world is an agent in virtual time, with links in memory, all on one wire
// with a real server.
type world struct {
	t         *testing.T
	srv       *dhcptest.Server
	wire      *dhcptest.Wire
	sightings chan Sighting
	plan      *plan
	agent     *Agent
	stop      func()
}

// inWorld runs a test in a bubble.
func inWorld(t *testing.T, cfg dhcptest.Config, patterns []string, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		srv := dhcptest.New(t, cfg)
		w := &world{t: t, srv: srv, wire: dhcptest.NewWire(srv), sightings: make(chan Sighting)}
		w.plan = &plan{world: w, patterns: patterns, hosts: map[string]*host{}, policy: map[string]Policy{}, version: map[string]int{}}
		w.agent = New(Config{Plan: w.plan, Sightings: w.sightings, Now: time.Now, Wall: time.Now})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { w.agent.Run(ctx); close(done) }()
		w.stop = func() { cancel(); <-done }
		test(w)
		w.stop()
		if err := w.wire.Close(); err != nil {
			t.Error(err)
		}
	})
}

// link is the link number n.
func link(n int) Link {
	return Link{Name: fmt.Sprintf("eth%d", n), Index: n + 1, Hardware: hardware(n).String(), Carrier: true}
}

func hardware(n int) dhcp4.HardwareAddr { return dhcp4.HardwareAddr{2, 0, 0, 0, byte(n >> 8), byte(n)} }

// state returns the status of a link.
func (w *world) state(name string) Status {
	w.t.Helper()
	synctest.Wait()
	s, err := w.agent.Status(name)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// bound checks that a link has a lease and its host the address.
func (w *world) bound(name string) Status {
	w.t.Helper()
	s := w.state(name)
	if s.State != "BOUND" || s.Lease == nil {
		w.t.Fatalf("%s is in %s, problem %+v", name, s.State, s.Problem)
	}
	if on := w.host(name).on(); on != s.Lease.Addr {
		w.t.Fatalf("%s leases %v, its host holds %v", name, s.Lease.Addr, on)
	}
	return s
}

func (w *world) host(name string) *host { return w.plan.host(name) }

// A plan keeps links by patterns, each with a host of its own.
type plan struct {
	world    *world
	patterns []string
	named    []string

	mu      sync.Mutex
	hosts   map[string]*host
	policy  map[string]Policy
	version map[string]int
	finish  map[string]string
	used    func(lease.Lease) (lease.Lease, []Override)
	locked  string
	broken  string // opening it panics
	hollow  string // what is opened for it makes no client
	opened  int
	closed  int           // of what was hollow
	opening time.Duration // how long it takes to open
	closing time.Duration // how long it takes to close
}

// set changes what the plan has of links, which may look at any time.
func (p *plan) set(field *string, value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*field = value
}

func (p *plan) Wants(name string) bool {
	return slices.ContainsFunc(p.patterns, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok })
}

func (p *plan) Named() []string { return p.named }

func (p *plan) Finish(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.finish[name]
}

func (p *plan) Print(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprint(p.version[name])
}

func (p *plan) OnStop(name string) Policy {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.policy[name]
}

func (p *plan) Rename(old, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hosts[name] = p.hosts[old]
	delete(p.hosts, old)
	return nil
}

func (p *plan) host(name string) *host {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hosts[name] == nil {
		p.hosts[name] = &host{}
	}
	return p.hosts[name]
}

func (p *plan) Open(_ context.Context, l Link) (*Parts, error) {
	time.Sleep(p.opening)
	h := p.host(l.FullName())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened++
	if p.broken == l.FullName() {
		panic("a mistake")
	}
	if p.hollow == l.FullName() {
		return &Parts{Close: func() error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.closed++
			return nil
		}}, nil
	}
	if p.locked == l.FullName() {
		return nil, fmt.Errorf("process 4711: %w", ErrLocked)
	}
	mac, err := net.ParseMAC(l.Hardware)
	if err != nil {
		return nil, err
	}
	hw := dhcp4.HardwareAddr(mac)
	remembered := client.Remembered{Lease: h.remembered(hw, time.Now())}
	remembered.Held = !remembered.Lease.IsZero() && h.on() == remembered.Lease.Addr
	conn := p.world.wire.Conn(hw)
	return &Parts{
		Client: &client.Config{
			Machine: machine.Config{
				Link: machine.Link{HType: dhcp4.HTypeEthernet, CHAddr: hw}, ClientID: dhcp4.HardwareClientID(dhcp4.HTypeEthernet, hw),
				CarrierDelay: 3 * time.Second, OfferWait: machine.AutoOfferWait,
				Rand: rand.New(rand.NewPCG(uint64(l.Index), uint64(p.opened))),
			},
			Conn: conn, Configurator: h, Store: &memory{h, hw}, Now: time.Now,
		},
		Remembered: remembered, Close: func() error { time.Sleep(p.closing); return conn.Close() },
		Undo: func(ctx context.Context) error { return h.Withdraw(ctx, lease.Lease{}) },
		Used: p.used,
		Explain: func(l lease.Lease) Explanation {
			return Explanation{Link: l.Addr.String(), Time: l.Start}
		},
	}, nil
}

// A host is what a lease configures. It survives its link's keepers, as the
// kernel and the disk do.
type host struct {
	mu      sync.Mutex
	applied netip.Prefix
	changes []string
	applies int
	panics  int // how often Apply panics before it works
	refuses error
	stored  lease.Lease
	owner   dhcp4.HardwareAddr
}

func (h *host) on() netip.Prefix {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.applied
}

// times is how often a lease was applied.
func (h *host) times() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.applies
}

func (h *host) story() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.changes)
}

func (h *host) Apply(_ context.Context, l lease.Lease) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.panics > 0 {
		h.panics--
		panic("the host is not well")
	}
	if h.refuses != nil {
		return h.refuses
	}
	h.applies++
	if h.applied != l.Addr {
		h.changes = append(h.changes, "apply "+l.Addr.String())
	}
	h.applied = l.Addr
	return nil
}

var _ client.Repairer = (*host)(nil)

func (*host) Unfinished() time.Duration { return 0 }

// Repair notes that it was asked for.
func (h *host) Repair(_ context.Context, l lease.Lease) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changes = append(h.changes, "repair "+l.Addr.String())
	return true, nil
}

func (h *host) Withdraw(context.Context, lease.Lease) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.applied.IsValid() {
		h.changes = append(h.changes, "withdraw "+h.applied.String())
	}
	h.applied = netip.Prefix{}
	return nil
}

// remembered is the lease of an earlier client, or what is left of one that
// belongs to another hardware address.
func (h *host) remembered(hw dhcp4.HardwareAddr, now time.Time) lease.Lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.stored
	if l.IsZero() || slices.Equal(h.owner, hw) {
		return l
	}
	return lease.Lease{Addr: l.Addr, Server: l.Server, Start: now, T1: now, T2: now, Expiry: now}
}

// memory is a store that outlives the client.
type memory struct {
	h  *host
	hw dhcp4.HardwareAddr
}

func (m *memory) Save(l lease.Lease) error {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	m.h.stored, m.h.owner = l, m.hw
	return nil
}

func (m *memory) Forget() error {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	m.h.stored = lease.Lease{}
	return nil
}

var errRefused = errors.New("no room")
