package netconf

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/lease"
)

// Apply makes the host hold l, changing only what differs from what it holds
// of ours: what somebody took away is put back, and what is not ours is left
// alone. On error, all that this call changed has been taken back.
func (h *Host) Apply(_ context.Context, l lease.Lease) error {
	h.contested = ""
	h.meetNetworkd()
	fail := func(err error) error { return fmt.Errorf("configure %s for %v: %w", h.link, l.Addr, err) }
	p, v, err := h.survey(l)
	if err != nil {
		return fail(err)
	}
	if err := errors.Join(h.putBack(), h.giveBack(false)); err != nil {
		return fail(err)
	}
	before := h.record.blank()
	before.Addresses, before.Routes, before.Rules = v.ours, v.routes, v.rules
	before.MTU, before.ARPFilter = h.record.MTU, h.record.ARPFilter
	a := &applier{Host: h, plan: p, view: v, before: before}
	if err := a.run(); err != nil {
		a.takeBack()
		return fail(err)
	}
	if len(p.Refused) > 0 && h.news(toldRefused, fmt.Sprint(p.Refused)) {
		for _, r := range p.Refused {
			h.cfg.Log.Info("not followed", "link", h.link, "what", r.What, "why", r.Why)
		}
	}
	return nil
}

// An applier is one Apply under way. Each step that changed something knows
// how to take it back.
type applier struct {
	*Host
	plan   Plan
	view   view
	before record // what of ours the kernel has
	after  record // and what it is to have

	left      time.Duration // of the lease
	mtu       int           // to be set; 0: as it is
	arpFilter *int          // to be set; nil: as it is
	undo      []func() error
}

// run makes all changes, new before old, and stops at the first that fails.
func (a *applier) run() error {
	if err := a.prepare(); err != nil {
		return err
	}
	for _, step := range []func() error{a.clear, a.address, a.routes, a.giveAllBack, a.setRules, a.oldAddresses, a.setARPFilter, a.setMTU, a.setNames, a.system} {
		if err := step(); err != nil {
			return err
		}
	}
	a.record = a.after
	a.save()
	return nil
}

// prepare decides what is ours to change, and writes down all of it before the
// first change.
func (a *applier) prepare() (err error) {
	want := a.plan.Address
	if a.left, err = a.leftOf(want.Until); err != nil {
		return err
	}
	a.after = a.before.blank()
	if _, there := a.view.has(want.Prefix); there && !a.isOurs(want) {
		a.leaveAddress()
	} else {
		a.after.Addresses = []Address{want}
	}
	a.planRoutes()
	a.after.Rules = slices.Clone(a.plan.Rules)
	both := a.before
	both.Taken = a.record.Taken
	both.Addresses = slices.Concat(a.before.Addresses, a.after.Addresses)
	both.Routes = slices.Clone(a.before.Routes)
	for _, r := range a.after.Routes {
		if !slices.Contains(both.Routes, r) {
			both.Routes = append(both.Routes, r)
		}
	}
	for _, r := range a.after.Rules {
		if !slices.Contains(both.Rules, r) {
			both.Rules = append(slices.Clone(both.Rules), r)
		}
	}
	if a.arpFilter, both.ARPFilter, a.after.ARPFilter, err = a.planARPFilter(a.plan.ARPFilter); err != nil {
		return err
	}
	if a.mtu, both.MTU, a.after.MTU, err = a.planMTU(a.plan.MTU); err != nil {
		return err
	}
	a.leaveMTU()
	a.record = both
	a.save()
	return nil
}

// isOurs reports whether the kernel has an address, and we made it so.
func (a *applier) isOurs(want Address) bool {
	return slices.ContainsFunc(a.before.Addresses, func(have Address) bool { return have.Prefix == want.Prefix })
}

// leaveAddress leaves the operator's own address alone, and uses it.
func (a *applier) leaveAddress() {
	a.after.Addresses = nil
	if want := a.plan.Address.Prefix; a.news(toldAddress, want.String()) {
		a.cfg.Log.Warn("somebody else has configured the address; it is left alone, and will not expire with the lease", "link", a.link, "addr", want)
	}
}

// leaveRoute leaves somebody else's route alone. One to the same place by the
// same way is as good as ours.
func (a *applier) leaveRoute(r Route, same bool) {
	if !same {
		a.blocked = append(a.blocked, r)
		a.decide(a.Options())
	}
	if !same && a.news("route "+r.Dest.String(), r.String()) {
		a.cfg.Log.Warn("another route to the same place is there already; it is left alone (--metric makes room for both)", "link", a.link, "route", r)
	}
}

// takeBack undoes what was done, the last first. What cannot be undone is
// logged, and the record goes on to name it.
func (a *applier) takeBack() {
	failed := false
	undo := append([]func() error{a.giveAllBack, a.putBack}, a.undo...) // others' come after ours, as they did before
	for _, f := range slices.Backward(undo) {
		if err := gone(f()); err != nil {
			failed = true
			a.cfg.Log.Error("not taken back", "link", a.link, "error", err)
		}
	}
	if !failed {
		a.record = a.before
	}
	a.save()
}

// shortLease is where the part of a second that the kernel does not count
// matters: of a lease of 2 s that is asked for anew after one, it would have 1.
const shortLease = 10 * time.Second

// leftOf is how long an address lasts if nobody takes it off, in whole seconds as
// the kernel counts them; 0 is for ever. It is not longer than the lease, but for
// a short one: of that it must not be less, or the address goes before whoever
// keeps the lease has extended it.
func (h *Host) leftOf(until time.Time) (time.Duration, error) {
	if until.IsZero() {
		return 0, nil
	}
	left := until.Sub(h.cfg.Now())
	switch {
	case left <= 0:
		return 0, fmt.Errorf("the lease has expired %v ago", -left)
	case left < shortLease:
		left += time.Second - 1
	}
	return left.Truncate(time.Second), nil
}

// clear takes old address and routes away before the new ones come. Of two
// addresses of one subnet the kernel counts the later one as secondary, and
// takes it away along with the first: new before old does not work there.
func (a *applier) clear() error {
	want := a.plan.Address.Prefix
	if !slices.ContainsFunc(a.before.Addresses, func(old Address) bool { return old.Prefix != want && old.Prefix.Masked() == want.Masked() }) {
		return nil
	}
	for _, r := range slices.Backward(a.view.routes) {
		if err := a.deleteRoute(r); err != nil {
			return err
		}
	}
	a.view.routes = nil
	return a.oldAddresses()
}

// giveAllBack puts back all that was taken along: the last time that it is
// tried.
func (a *applier) giveAllBack() error { return a.giveBack(true) }

// address puts the address on the link, or renews its lifetime.
func (a *applier) address() error {
	if len(a.after.Addresses) == 0 {
		return nil
	}
	want := a.after.Addresses[0]
	if i := slices.IndexFunc(a.before.Addresses, func(have Address) bool { return have.Prefix == want.Prefix }); i >= 0 {
		old := a.before.Addresses[i]
		if err := a.did(a.kernel.replaceAddr(want, a.left)); err != nil {
			return fmt.Errorf("renew address %v: %w", want.Prefix, explain(err))
		}
		a.undo = append(a.undo, func() error {
			left, err := a.leftOf(old.Until)
			if err != nil {
				return a.kernel.delAddr(old.Prefix)
			}
			return a.kernel.replaceAddr(old, left)
		})
		return nil
	}
	err := a.did(a.kernel.addAddr(want, a.left))
	if errors.Is(err, unix.EEXIST) { // in the moment since we looked
		a.leaveAddress()
		return nil
	}
	if err != nil {
		return fmt.Errorf("add address %v: %w", want.Prefix, explain(err))
	}
	a.undo = append(a.undo, func() error {
		if err := a.keepAt(want.Prefix, nil); err != nil {
			return err
		}
		return a.kernel.delAddr(want.Prefix)
	})
	return nil
}

// oldAddresses takes away what former leases left, but for the address that
// stays.
func (a *applier) oldAddresses() error {
	for _, old := range a.view.ours {
		if old.Prefix == a.plan.Address.Prefix {
			continue
		}
		deleted, err := a.deleteAddress(a.view, old.Prefix)
		if deleted {
			a.undo = append(a.undo, func() error {
				left, err := a.leftOf(old.Until)
				if err != nil {
					return nil // it would have expired by now
				}
				return a.kernel.addAddr(old, left)
			})
		}
		if err != nil {
			return err
		}
	}
	a.view.ours = nil
	return nil
}

// did counts a change that was made.
func (h *Host) did(err error) error {
	if err == nil {
		h.changes.Add(1)
	}
	return err
}
