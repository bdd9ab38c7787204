package main

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/netconf/hook"
)

// linkHooks tell the hooks of one link what happens to it, and the script that
// configures it why it is called. They are used by one goroutine at a time, and
// never wait for a hook.
type linkHooks struct {
	runner *hook.Runner
	at     hook.Place
	link   string // as the kernel calls it
	netns  string
	key    string // both together
	script *hook.Script
	once   bool // a command that exits: that it does so is no event
	now    func() time.Time
	wall   func(time.Time) time.Time
	policy func() lease.Policy // what is made of what servers grant: hooks are told what is used
	tale   tale
}

// hooksOf are the hooks of a link that is open for configuration, and held a
// lease when that began, if any.
func (o *opening) hooksOf(d *devices, r *hook.Runner, held client.Remembered) *linkHooks {
	h := &linkHooks{
		runner: r, at: hook.Place{Dir: o.conf.HooksDir, Limit: o.conf.HookTimeout, Enter: o.ns.Enter},
		link: d.ifi.Name, netns: o.ns.Name(), key: o.key(d), script: d.host.script, now: o.now, wall: wallBy(o.now), policy: d.policy,
	}
	h.holds(held)
	return h
}

// holds notes what was in use before the client begins.
func (h *linkHooks) holds(r client.Remembered) {
	if h != nil && r.Held {
		used, _ := h.policy().Use(r.Lease)
		h.tale.held = &used
	}
}

// wallBy tells an instant of the clients' clock, which is now, as the host's
// clock shows it: the one counts on from the start of this process, the other
// may be set.
func wallBy(now func() time.Time) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return time.Now().Add(t.Sub(now())).Round(0) }
}

// notify follows the client.
func (h *linkHooks) notify(e *client.Event) {
	if h == nil {
		return
	}
	if e.Kind == client.Reported && !e.Report.Lease.IsZero() {
		e.Report.Lease, _ = h.policy().Use(e.Report.Lease)
	}
	h.script.Expect(h.tale.reasons(e))
	if e.Kind != client.Reported {
		return
	}
	if ev := h.tale.next(&e.Report); ev != nil && !(h.once && ev.Name == hook.Stopping) {
		h.tell(ev)
	}
}

// tell has hooks run, and the script of a style told of what it wants to know.
func (h *linkHooks) tell(e *hook.Event) {
	e.Time, e.Interface, e.Namespace = h.wall(h.now()), h.link, h.netns
	e.Lease, e.Former = hook.OnClock(e.Lease, h.wall), hook.OnClock(e.Former, h.wall)
	if reason := toldScript(e); reason != "" && h.script.Configures() {
		h.runner.Do(h.key, h.at.Limit, func(context.Context) { h.script.Tell(reason, strings.ReplaceAll(e.Text, `"`, "")) })
	}
	h.runner.Tell(h.at, e)
}

// released tells that a lease was given up without a client.
func (h *linkHooks) released(l *lease.Lease, why string) {
	if !l.IsZero() {
		used, _ := h.policy().Use(*l)
		h.tell(&hook.Event{Name: hook.Released, State: machine.Idle.String(), Text: why, Lease: &used})
	}
}

// close waits for the hooks of a command that ends, for as long as they may take.
func (h *linkHooks) close() error {
	if h == nil {
		return nil
	}
	return h.runner.Close(math.MaxInt64)
}
