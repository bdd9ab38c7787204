package main

import (
	"reflect"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/netconf/hook"
)

// A tale is what must be known of a link's past to tell hooks what happens to
// it now.
type tale struct {
	held    *lease.Lease      // in use; nil: none
	reboot  bool              // the lease on its way is one that was remembered
	pending hook.Name         // to be told when the host has what came with an extension
	former  *lease.Lease      // that was in use before the extension
	silent  bool              // that nobody answers was told
	last    dhcp4.MessageType // of the message that was told of just before; 0: something else was
}

// next is what a report tells hooks; nil is nothing. Of the event, what only the
// host knows is left open.
func (t *tale) next(r *machine.Report) *hook.Event {
	e := &hook.Event{State: r.To.String(), Text: r.Text, Lease: t.held}
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
		t.held = some(r)
	case machine.CauseConfigured:
		t.reconfigured(r)
		e.Name, e.Lease, e.Former = t.pending, t.held, t.former
		t.pending, t.former = "", nil
	case machine.CauseExpired, machine.CauseReleased, machine.CauseConflict, machine.CauseNAK:
		return t.over(r, e)
	case machine.CauseApplyFailed:
		if !r.To.Holds() {
			t.forget()
		}
	case machine.CauseStopped:
		e.Name, e.Kept = hook.Stopping, r.Text == machine.StaysInUse
		t.forget()
	case machine.CauseNoServer:
		if !t.silent {
			e.Name = hook.NoServer
		}
		t.silent = true
	case machine.CauseLinkUp:
		e.Name, t.silent = hook.LinkUp, false
	case machine.CauseLinkDown:
		e.Name = hook.LinkDown
	}
	if e.Name == "" {
		return nil
	}
	return e
}

// reconfigured finds out whether something else is made of the lease in use,
// though nobody extended it.
func (t *tale) reconfigured(r *machine.Report) {
	if l := some(r); t.pending == "" && t.held != nil && l != nil && !reflect.DeepEqual(t.held, l) {
		t.pending, t.former, t.held = hook.Reconfigured, t.held, l
	}
}

// bound is a lease that is in use from now on. One that is adopted was so
// before, and one that is on its way is not yet.
func (t *tale) bound(r *machine.Report, e *hook.Event) *hook.Event {
	e.Unconfirmed = r.Cause == machine.CauseUnconfirmed
	if r.To != machine.Bound {
		t.reboot = e.Unconfirmed
		return nil
	}
	e.Name = hook.Bound
	if t.reboot || e.Unconfirmed {
		e.Name = hook.Rebooted
	}
	e.Former, e.Lease = t.held, some(r)
	t.forget()
	t.held = e.Lease
	if r.From == machine.Idle {
		return nil
	}
	return e
}

// over is a lease that is in use no more, or was in vain. Of one that was only
// remembered nobody has to know that it is over.
func (t *tale) over(r *machine.Report, e *hook.Event) *hook.Event {
	inUse := t.held != nil || r.From == machine.Idle
	if e.Lease == nil || r.Cause == machine.CauseConflict {
		e.Lease = some(r)
	}
	t.forget()
	switch r.Cause {
	case machine.CauseConflict:
		e.Name, e.Holder = hook.Conflict, r.Holder.String()
		return e
	case machine.CauseNAK:
		e.Name = hook.NAK
		return e
	case machine.CauseExpired:
		e.Name = hook.Expired
	default:
		e.Name = hook.Released
	}
	if !inUse || e.Lease == nil {
		return nil
	}
	return e
}

// forget forgets all that was about a lease.
func (t *tale) forget() { *t = tale{last: t.last} }

// some is the lease of a report, if it has one.
func some(r *machine.Report) *lease.Lease {
	if r.Lease.IsZero() {
		return nil
	}
	l := r.Lease
	return &l
}

// toldScript is the reason to call a script for an event that no lease on the
// host is about.
func toldScript(e *hook.Event) hook.Reason {
	switch {
	case e.Name == hook.NAK:
		return hook.ReasonNAK
	case e.Name == hook.NoServer && e.Lease == nil:
		return hook.ReasonFail
	}
	return ""
}

// reasons are why a script is called next, to configure and to take away; an
// empty one is what it was. What decides it is told of before the script is
// called: changes to the host follow the messages that they are made for.
func (t *tale) reasons(e *client.Event) (apply, remove hook.Reason) {
	last := t.last
	t.last = 0
	switch e.Kind {
	case client.Sent, client.Received:
		t.last = e.Message.Type()
	case client.Dropped:
		if last == dhcp4.NAK {
			return "", hook.ReasonStop // it was not for us
		}
	case client.Reported:
		return applyReason(&e.Report), ""
	}
	switch t.last {
	case dhcp4.Release:
		return "", hook.ReasonRelease
	case dhcp4.NAK, dhcp4.Decline:
		return "", hook.ReasonExpire
	}
	return "", ""
}

func applyReason(r *machine.Report) hook.Reason {
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
