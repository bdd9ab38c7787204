package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/lessee/lessee/client"
)

// Config is what an agent is made of.
type Config struct {
	Plan      Plan
	Sightings <-chan Sighting // the links at the start, then every change

	Now  func() time.Time // the clients' clock, which counts while the machine sleeps; nil: client.BootTime()
	Wall func() time.Time // the host's clock, for what people are told; nil: time.Now
	Woke *Bell            // rings when the machine slept; nil: nobody tells
	Log  *slog.Logger     // nil: silence

	// Observe sees the events of all clients, for counting; Told sees what
	// people are told; Forgotten hears of links that are no more. They are
	// called from the links' goroutines and must not block. Each may be nil.
	Observe   func(link string, e client.Event)
	Told      func(Event)
	Forgotten func(link string)
}

// An Agent keeps many links. Make it with New, then call Run once; the other
// methods may be called at any time and from any goroutine.
type Agent struct {
	cfg      Config
	hub      hub
	requests chan func() // for the loop
	ended    chan *keeper
	over     chan struct{} // closed when the loop has ended

	mu      sync.RWMutex
	plan    Plan
	links   map[key]Link    // all that were sighted, wanted or not
	keepers map[key]*keeper // of those that are wanted
}

// New returns an agent that does nothing yet.
func New(cfg Config) *Agent {
	if cfg.Now == nil {
		cfg.Now = client.BootTime()
	}
	if cfg.Wall == nil {
		cfg.Wall = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Agent{
		cfg: cfg, plan: cfg.Plan,
		requests: make(chan func()), ended: make(chan *keeper), over: make(chan struct{}),
		links: map[key]Link{}, keepers: map[key]*keeper{},
	}
}

// Run keeps links until ctx ends, then lets go of each as its policy says, and
// returns when that is done.
func (a *Agent) Run(ctx context.Context) {
	defer close(a.over)
	defer a.hub.close()
	// Keepers outlive ctx: each is stopped by its own policy.
	keeping := context.WithoutCancel(ctx)
	for {
		select {
		case <-ctx.Done():
			a.stopAll()
			return
		case s := <-a.cfg.Sightings:
			a.sighted(keeping, s)
		case f := <-a.requests:
			f()
		case k := <-a.ended:
			a.buried(keeping, k)
		}
	}
}

// sighted follows what the kernel tells of a link.
func (a *Agent) sighted(ctx context.Context, s Sighting) {
	a.mu.Lock()
	before, known := a.links[s.key()]
	if s.Gone {
		delete(a.links, s.key())
	} else {
		a.links[s.key()] = s.Link
	}
	k := a.keepers[s.key()]
	a.mu.Unlock()
	switch {
	case k == nil && !s.Gone:
		a.consider(ctx, s.Link)
	case k == nil:
	case s.Gone:
		k.setLink(client.LinkState{Gone: true})
	case s.Port && !before.Port && !a.named(s.Link):
		a.cfg.Log.Info("the link is now part of another one, which has the addresses", "link", k.name)
		// An address left there would be in the way of the other link's.
		k.stop(max(k.plan.OnStop(k.name), Withdraw))
	case k.link.Name != s.Name, k.link.Hardware != s.Hardware:
		// Another one takes over; see buried.
		a.cfg.Log.Info("the link has changed", "link", k.name, "name", s.FullName(), "hardware_address", s.Hardware)
		k.stop(a.policyFor(k, s.Link))
	default:
		k.setLink(client.LinkState{Up: s.Carrier, Reset: s.Down, Touched: known && s.Touched != before.Touched})
	}
}

// policyFor is what becomes of a link's configuration when it is called l from
// now on: it stays if somebody takes over.
func (a *Agent) policyFor(k *keeper, l Link) Policy {
	if a.plan.Wants(l.FullName()) {
		return Keep
	}
	return k.plan.OnStop(k.name)
}

// consider begins to keep a link, if it is wanted and nobody keeps one of its
// name: a link that was deleted may come back before its keeper has let go. The
// ports of bridges and the like have to be named in full.
func (a *Agent) consider(ctx context.Context, l Link) {
	if _, err := a.find(l.FullName()); err == nil || !a.plan.Wants(l.FullName()) || l.Port && !a.named(l) {
		return
	}
	k := newKeeper(a, a.plan, l)
	a.mu.Lock()
	a.keepers[l.key()] = k
	a.mu.Unlock()
	go func() {
		k.run(ctx)
		a.ended <- k
	}()
}

// named reports whether a link is wanted by its full name.
func (a *Agent) named(l Link) bool { return slices.Contains(a.plan.Named(), l.FullName()) }

// considerAll begins to keep all links that are wanted and not kept.
func (a *Agent) considerAll(ctx context.Context) {
	a.mu.RLock()
	var idle []Link
	for _, l := range a.links {
		if a.keepers[l.key()] == nil {
			idle = append(idle, l)
		}
	}
	a.mu.RUnlock()
	for _, l := range idle {
		a.consider(ctx, l)
	}
}

// buried forgets a keeper that has ended, and lets another one take the link
// over if it is still there and wanted.
func (a *Agent) buried(ctx context.Context, k *keeper) {
	a.mu.Lock()
	delete(a.keepers, k.link.key())
	l, there := a.links[k.link.key()]
	a.mu.Unlock()
	if there && l.Name != k.link.Name {
		if err := k.plan.Rename(k.name, l.FullName()); err != nil {
			a.cfg.Log.Warn("what is remembered was not found under the new name", "link", l.FullName(), "error", err)
		}
	}
	if (!there || l.FullName() != k.name || !a.plan.Wants(k.name)) && a.cfg.Forgotten != nil {
		a.cfg.Forgotten(k.name)
	}
	a.considerAll(ctx)
}

// stopTime bounds how long links are waited for at the end: a DHCPRELEASE may
// have to wait for ARP.
const stopTime = 15 * time.Second

// stopAll lets go of all links at once.
func (a *Agent) stopAll() {
	left := 0
	for _, k := range a.all() {
		k.stop(k.plan.OnStop(k.name))
		left++
	}
	limit := time.NewTimer(stopTime)
	defer limit.Stop()
	for left > 0 {
		select {
		case <-a.ended:
			left--
		case <-limit.C:
			a.cfg.Log.Error("some links do not let go", "links", left)
			go func() { // whoever comes later must not wait for us
				for ; left > 0; left-- {
					<-a.ended
				}
			}()
			return
		}
	}
}

// Reload puts another plan in force. Links for which nothing changes notice
// nothing; those that are kept otherwise are taken over with everything left
// configured; where only something else is made of leases, the one in use is
// applied once more; those that are not wanted any more are let go as the old
// plan says. It returns when the change is under way.
func (a *Agent) Reload(ctx context.Context, p Plan) error {
	return a.ask(ctx, func() {
		a.mu.Lock()
		a.plan = p
		a.mu.Unlock()
		for _, k := range a.all() {
			switch {
			case !p.Wants(k.name):
				k.stop(k.plan.OnStop(k.name))
			case p.Print(k.name) != k.print:
				k.stop(Keep)
			case p.Finish(k.name) != k.finished:
				k.finished = p.Finish(k.name)
				k.reapply(context.WithoutCancel(ctx))
			}
		}
		a.considerAll(context.WithoutCancel(ctx))
	})
}

// Refused tells on every link that a new configuration was not taken, and why.
func (a *Agent) Refused(why error) {
	for _, k := range a.all() {
		k.book.problem(KindRefused, why.Error())
	}
}

// ask has f run by the loop.
func (a *Agent) ask(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case a.requests <- func() { f(); close(done) }:
	case <-a.over:
		return errOver
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	<-done
	return nil
}

var errOver = errors.New("the agent has ended")

// all returns the keepers in no order.
func (a *Agent) all() (list []*keeper) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, k := range a.keepers {
		list = append(list, k)
	}
	return list
}

// find returns the keeper of a link.
func (a *Agent) find(name string) (*keeper, error) {
	for _, k := range a.all() {
		if k.name == name {
			return k, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", name, ErrNoSuchLink)
}
