package main

import (
	"context"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/netconf/hook"
)

// linkHooks tell the hooks of one link what happens to it, and the script that
// configures it why it is called. It is used by the client's goroutine alone,
// and never waits for a hook.
type linkHooks struct {
	runner *hook.Runner
	at     hook.Place
	link   string // as the kernel calls it
	netns  string
	key    string       // both together
	script *hook.Script // nil: none
	once   bool         // a command that exits: that it does so is no event
	now    func() time.Time
	wall   func(time.Time) time.Time
	tale   tale
}

// hooksOf are the hooks of a link that is open for configuration.
func (o *opening) hooksOf(d *devices, r *hook.Runner, held lease.Lease) *linkHooks {
	return &linkHooks{
		runner: r, at: hook.Place{Dir: o.conf.HooksDir, Limit: o.conf.HookTimeout, Enter: o.ns.Enter},
		link: d.ifi.Name, netns: o.ns.Name(), key: o.key(d), script: d.host.script, now: o.now, wall: o.wall,
		tale: tale{held: held},
	}
}

// wall is an instant of the clients' clock as the host's clock shows it: the
// one counts on from the start of this process, the other may be set.
func (o *opening) wall(t time.Time) time.Time { return time.Now().Add(t.Sub(o.now())).Round(0) }

// notify follows the client.
func (h *linkHooks) notify(e client.Event) {
	if h == nil {
		return
	}
	h.script.Expect(h.tale.reasons(e))
	if e.Kind != client.Reported {
		return
	}
	var ev hook.Event
	var told bool
	if h.tale, ev, told = h.tale.next(e.Report); told {
		h.tell(ev)
	}
}

// tell has hooks run, and the script of a style told of what it wants to know.
func (h *linkHooks) tell(e hook.Event) {
	if h.once && e.Name == hook.Stopping {
		return
	}
	e.Time, e.Interface, e.Namespace = h.wall(h.now()), h.link, h.netns
	for _, l := range []*lease.Lease{e.Lease, e.Former} {
		if l != nil {
			onWall(l, h.wall)
		}
	}
	if reason := toldScript(e); reason != "" && h.script.Configures() {
		h.runner.Do(h.key, h.at.Limit, func(context.Context) { h.script.Tell(reason, e.Text) })
	}
	h.runner.Tell(h.at, e)
}

// close waits for the hooks of a command that ends.
func (h *linkHooks) close() error {
	if h == nil {
		return nil
	}
	return h.runner.Close()
}

// toldScript is the reason to call a script for an event that no lease on the
// host is about.
func toldScript(e hook.Event) hook.Reason {
	switch {
	case e.Name == hook.NAK:
		return hook.ReasonNAK
	case e.Name == hook.NoServer && e.Lease == nil:
		return hook.ReasonFail
	}
	return ""
}

// released tells that a lease was given up without a client.
func (h *linkHooks) released(l lease.Lease, why string) {
	if !l.IsZero() {
		h.tell(hook.Event{Name: hook.Released, State: machine.Idle.String(), Text: why, Lease: &l})
	}
}

// onWall puts a lease's instants on the host's clock.
func onWall(l *lease.Lease, wall func(time.Time) time.Time) {
	for _, t := range []*time.Time{&l.Start, &l.T1, &l.T2, &l.Expiry} {
		if !t.IsZero() {
			*t = wall(*t)
		}
	}
}

// A tale is what must be known of the past to tell hooks what happens now.
type tale struct {
	held    lease.Lease // in use; zero: none
	reboot  bool        // the lease on its way is one that was remembered
	pending hook.Name   // to be told when the host has what came with the extension
	former  lease.Lease // that was in use before the extension
	silent  bool        // that no server answers was told
	last    dhcp4.MessageType
}

// next is what a report tells hooks, if anything.
func (t tale) next(r machine.Report) (tale, hook.Event, bool) {
	e := hook.Event{State: r.To.String(), Text: r.Text}
	switch r.Cause {
	case machine.CauseGranted:
		t.reboot = r.From == machine.Rebooting
	case machine.CauseBound, machine.CauseUnconfirmed:
		return t.bound(r, e)
	case machine.CauseExtended:
		t.former, t.pending, t.silent = t.held, hook.Renewed, false
		if r.From == machine.Rebinding {
			t.pending = hook.Rebound
		}
		t.held = r.Lease
	case machine.CauseConfigured:
		if t.pending != "" {
			e.Name, e.Lease, e.Former = t.pending, some(r.Lease), some(t.former)
			t.pending, t.former = "", lease.Lease{}
			return t, e, true
		}
	case machine.CauseExpired, machine.CauseReleased, machine.CauseConflict, machine.CauseNAK:
		return t.over(r, e)
	case machine.CauseStopped:
		e.Name, e.Lease, e.Kept = hook.Stopping, some(t.held), r.Text == machine.StaysInUse
		return tale{}, e, true
	case machine.CauseNoServer:
		told := t.silent
		t.silent = true
		e.Name, e.Lease = hook.NoServer, some(t.held)
		return t, e, !told
	case machine.CauseApplyFailed:
		if !r.To.Holds() {
			t = tale{last: t.last}
		}
	case machine.CauseLinkUp, machine.CauseLinkDown:
		t.silent = false
		e.Name, e.Lease = hook.LinkUp, some(t.held)
		if r.Cause == machine.CauseLinkDown {
			e.Name = hook.LinkDown
		}
		return t, e, true
	}
	return t, e, false
}

// bound is a lease that is in use from now on. One that is adopted was so
// before, and one that is on its way is not yet.
func (t tale) bound(r machine.Report, e hook.Event) (tale, hook.Event, bool) {
	unconfirmed := r.Cause == machine.CauseUnconfirmed
	if r.To != machine.Bound {
		t.reboot = t.reboot || unconfirmed
		return t, e, false
	}
	e.Name, e.Unconfirmed = hook.Bound, unconfirmed
	if t.reboot || unconfirmed {
		e.Name = hook.Rebooted
	}
	e.Lease, e.Former = some(r.Lease), some(t.held)
	return tale{held: r.Lease, last: t.last}, e, r.From != machine.Idle
}

// over is a lease that is in use no more, or was in vain. Of one that was only
// remembered nobody has to know that it expired.
func (t tale) over(r machine.Report, e hook.Event) (tale, hook.Event, bool) {
	l := t.held
	if l.IsZero() || r.Cause == machine.CauseConflict {
		l = r.Lease
	}
	e.Name = map[machine.Cause]hook.Name{
		machine.CauseExpired: hook.Expired, machine.CauseReleased: hook.Released,
		machine.CauseConflict: hook.Conflict, machine.CauseNAK: hook.NAK,
	}[r.Cause]
	e.Lease = some(l)
	if r.Cause == machine.CauseConflict {
		e.Holder = r.Holder.String()
	}
	inUse := !t.held.IsZero() || r.From == machine.Idle
	told := inUse || r.Cause == machine.CauseConflict || r.Cause == machine.CauseNAK
	return tale{last: t.last}, e, told && (e.Lease != nil || e.Name == hook.NAK)
}

// reasons are why a script is called next. What decides it is told of before
// the script is called: changes to the host follow the messages and reports
// that they are made for.
func (t *tale) reasons(e client.Event) (apply, remove hook.Reason) {
	switch e.Kind {
	case client.Sent, client.Received:
		t.last = e.Message.Type()
	case client.Dropped:
		t.last = 0
	case client.Reported:
		apply = applyReason(e.Report)
	}
	switch t.last {
	case dhcp4.Release:
		return apply, hook.ReasonRelease
	case dhcp4.NAK, dhcp4.Decline:
		return apply, hook.ReasonExpire
	}
	return apply, hook.ReasonStop
}

func applyReason(r machine.Report) hook.Reason {
	switch {
	case r.To == machine.Renewing:
		return hook.ReasonRenew
	case r.To == machine.Rebinding:
		return hook.ReasonRebind
	case r.Cause == machine.CauseGranted && r.From == machine.Rebooting:
		return hook.ReasonReboot
	case r.Cause == machine.CauseGranted:
		return hook.ReasonBound
	case r.Cause == machine.CauseUnconfirmed:
		return hook.ReasonTimeout
	}
	return ""
}

// some is a lease, if it is one.
func some(l lease.Lease) *lease.Lease {
	if l.IsZero() {
		return nil
	}
	return &l
}
