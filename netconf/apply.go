package netconf

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/netconf/resolv"
)

// An applier is one Apply under way. Each step that changed something knows
// how to take it back.
type applier struct {
	*Host
	plan Plan
	undo []func() error
}

// run makes all changes, new before old, and stops at the first that fails.
func (a *applier) run(before record) error {
	if old := before.Address; old != nil && old.Prefix != a.plan.Address.Prefix && old.Prefix.Masked() == a.plan.Address.Prefix.Masked() {
		var err error
		if before, err = a.clear(before); err != nil {
			return err
		}
	}
	for _, step := range []func(record) error{a.address, a.routes, a.oldAddress, a.setMTU, a.names} {
		if err := step(before); err != nil {
			return err
		}
	}
	return a.record.save(a.path)
}

// clear takes old address and routes away before the new ones come. Of two
// addresses of one subnet the kernel counts the later one as secondary, and
// takes it away along with the first: new before old does not work there.
func (a *applier) clear(before record) (record, error) {
	for _, r := range slices.Backward(before.Routes) {
		if err := a.deleteRoute(r); err != nil {
			return before, err
		}
	}
	if err := a.oldAddress(before); err != nil {
		return before, err
	}
	a.record.Address = nil
	before.Address, before.Routes = nil, nil
	return before, nil
}

// takeBack undoes what was done, the last first. What cannot be undone is
// logged; the record still knows of it.
func (a *applier) takeBack() {
	for _, f := range slices.Backward(a.undo) {
		if err := gone(f()); err != nil {
			a.cfg.Log.Error("not taken back", "link", a.link, "error", err)
		}
	}
}

// left is how long an address lasts, in whole seconds as the kernel counts
// them and never longer than the lease; 0 is for ever.
func (a *applier) left(until time.Time) (time.Duration, error) {
	if until.IsZero() {
		return 0, nil
	}
	left := until.Sub(a.cfg.Now())
	if left < time.Second {
		return 0, fmt.Errorf("the lease has %v left, less than the second that the kernel counts by", left)
	}
	return left.Truncate(time.Second), nil
}

// address puts the address on the link, or renews its lifetime.
func (a *applier) address(before record) error {
	want := a.plan.Address
	left, err := a.left(want.Until)
	if err != nil {
		return err
	}
	if before.Address != nil && before.Address.Prefix == want.Prefix {
		old := *before.Address
		a.record.Address = &want
		if err := a.kernel.replaceAddr(want, left); err != nil {
			return fmt.Errorf("renew address %v: %w", want.Prefix, explain(err))
		}
		a.undo = append(a.undo, func() error {
			left, err := a.left(old.Until)
			if err != nil {
				return a.kernel.delAddr(old.Prefix)
			}
			return a.kernel.replaceAddr(old, left)
		})
		return nil
	}
	a.record.Address = &want
	if err := a.record.save(a.path); err != nil {
		return err
	}
	err = a.kernel.addAddr(want, left)
	if errors.Is(err, unix.EEXIST) {
		return a.adopt(want, left)
	}
	if err != nil {
		return fmt.Errorf("add address %v: %w", want.Prefix, explain(err))
	}
	a.undo = append(a.undo, func() error { return a.kernel.delAddr(want.Prefix) })
	return nil
}

// adopt deals with an address that is there already: ours from a process that
// left no record, or the operator's, which is used and left alone.
func (a *applier) adopt(want Address, left time.Duration) error {
	list, err := a.kernel.addrs()
	if err != nil {
		return fmt.Errorf("look for address %v: %w", want.Prefix, explain(err))
	}
	if i := slices.IndexFunc(list, func(k kernelAddr) bool { return k.prefix == want.Prefix }); i >= 0 && list[i].ours {
		if err := a.kernel.replaceAddr(want, left); err != nil {
			return fmt.Errorf("renew address %v: %w", want.Prefix, explain(err))
		}
		return nil
	}
	a.record.Address = nil
	a.cfg.Log.Warn("somebody else has configured the address; it is left alone, and will not expire with the lease", "link", a.link, "addr", want.Prefix)
	return nil
}

// routes makes the difference between the routes that are ours and the plan's.
func (a *applier) routes(before record) error {
	for _, c := range diff(before.Routes, a.plan.Routes) {
		var err error
		switch c.op {
		case opAdd:
			err = a.addRoute(c.route)
		case opReplace:
			err = a.replaceRoute(c)
		case opDelete:
			err = a.deleteRoute(c.route)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) addRoute(r Route) error {
	a.record.Routes = append(a.record.Routes, r)
	if err := a.record.save(a.path); err != nil {
		return err
	}
	err := a.kernel.addRoute(r)
	if errors.Is(err, unix.EEXIST) {
		a.record.Routes = a.record.Routes[:len(a.record.Routes)-1]
		same, errLook := a.kernel.hasRoute(r)
		if errLook == nil && !same {
			a.cfg.Log.Warn("another route to the same place is there already; it is left alone (--metric makes room for both)", "link", a.link, "route", r)
		}
		return errLook
	}
	if err != nil {
		return fmt.Errorf("add route %v: %w", r, explain(err))
	}
	a.undo = append(a.undo, func() error { return a.kernel.delRoute(r) })
	return nil
}

func (a *applier) replaceRoute(c change) error {
	i := slices.Index(a.record.Routes, c.old)
	a.record.Routes[i] = c.route
	if err := a.kernel.replaceRoute(c.route); err != nil {
		return fmt.Errorf("replace route %v by %v: %w", c.old, c.route, explain(err))
	}
	a.undo = append(a.undo, func() error { return a.kernel.replaceRoute(c.old) })
	return nil
}

func (a *applier) deleteRoute(r Route) error {
	if err := gone(a.kernel.delRoute(r)); err != nil {
		return fmt.Errorf("delete route %v: %w", r, explain(err))
	}
	a.record.Routes = slices.DeleteFunc(a.record.Routes, func(have Route) bool { return have == r })
	a.undo = append(a.undo, func() error { return a.kernel.addRoute(r) })
	return nil
}

// oldAddress takes away the address of the lease before, if it was another.
func (a *applier) oldAddress(before record) error {
	old := before.Address
	if old == nil || old.Prefix == a.plan.Address.Prefix {
		return nil
	}
	if err := gone(a.kernel.delAddr(old.Prefix)); err != nil {
		return fmt.Errorf("delete address %v: %w", old.Prefix, explain(err))
	}
	a.undo = append(a.undo, func() error {
		left, err := a.left(old.Until)
		if err != nil {
			return nil // it would have expired by now
		}
		return a.kernel.addAddr(*old, left)
	})
	return nil
}

// setMTU follows the plan, or puts back what was there.
func (a *applier) setMTU(before record) error {
	want := a.plan.MTU
	if want == before.MTU {
		return nil
	}
	now, err := a.kernel.mtu()
	if err != nil {
		return fmt.Errorf("read the MTU: %w", explain(err))
	}
	switch {
	case before.MTU == 0:
		a.record.OldMTU = now
	case want == 0:
		want, a.record.OldMTU = before.OldMTU, 0
	}
	a.record.MTU = a.plan.MTU
	if want == now {
		return nil
	}
	if err := a.record.save(a.path); err != nil {
		return err
	}
	if err := a.kernel.setMTU(want); err != nil {
		if errors.Is(err, unix.EINVAL) { // the link cannot: that is no reason to have no address
			a.record.MTU, a.record.OldMTU = before.MTU, before.OldMTU
			a.cfg.Log.Warn("the link does not take the MTU", "link", a.link, "mtu", want)
			return nil
		}
		return fmt.Errorf("set the MTU to %d: %w", want, explain(err))
	}
	a.undo = append(a.undo, func() error { return a.kernel.setMTU(now) })
	return nil
}

// names hands the name servers to the resolver. One that somebody else manages
// is left to them.
func (a *applier) names(before record) error {
	if a.plan.Resolv.IsZero() {
		if before.Resolv {
			a.record.Resolv = false
			return a.resolv.Unset(a.link)
		}
		return nil
	}
	a.record.Resolv = true
	if err := a.record.save(a.path); err != nil {
		return err
	}
	err := a.resolv.Set(a.link, a.plan.Resolv)
	var managed *resolv.ManagedError
	if errors.As(err, &managed) {
		a.record.Resolv = before.Resolv
		a.cfg.Log.Warn("the resolver is left alone", "link", a.link, "why", managed)
		return nil
	}
	return err
}

// gone takes what says that a thing is not there any more for success.
func gone(err error) error {
	switch {
	case errors.Is(err, unix.ESRCH), errors.Is(err, unix.EADDRNOTAVAIL), errors.Is(err, unix.ENODEV), errors.Is(err, ErrNoLink):
		return nil
	}
	return err
}

// explain adds what helps.
func explain(err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w (CAP_NET_ADMIN is needed: be root, or give the program the capability)", err)
	case errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%w: %w", ErrNoLink, err)
	}
	return err
}
