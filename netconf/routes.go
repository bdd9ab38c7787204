package netconf

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// planRoutes decides which of the plan's routes are to be there: those in whose
// place nobody else's stands. A gateway that was reached by one of the others
// is reached without.
func (a *applier) planRoutes() {
	var others []Route
	a.blocked = nil
	for _, r := range a.plan.Routes {
		f, there := a.view.blocked(r)
		same := func(have Route) bool { return have.key() == r.key() && have.Gateway == r.Gateway }
		if !there || slices.ContainsFunc(a.before.Routes, same) {
			a.after.Routes = append(a.after.Routes, r)
			continue
		}
		a.leaveRoute(r, f.here && f.Gateway == r.Gateway)
		if f.here {
			others = append(others, f.Route)
		}
	}
	anchor(a.after.Routes, others...)
}

// routes makes the difference between the routes that are ours and the plan's.
func (a *applier) routes() error {
	for _, c := range diff(a.view.routes, a.after.Routes) {
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
	err := a.did(a.kernel.addRoute(r))
	if errors.Is(err, unix.EEXIST) { // in the moment since we looked
		a.after.Routes = slices.DeleteFunc(a.after.Routes, func(have Route) bool { return have == r })
		a.leaveRoute(r, false)
		return nil
	}
	if err != nil {
		return fmt.Errorf("add route %v: %w", r, explain(err))
	}
	a.undo = append(a.undo, func() error { return a.kernel.delRoute(r) })
	return nil
}

func (a *applier) replaceRoute(c change) error {
	if err := a.did(a.kernel.replaceRoute(c.route)); err != nil {
		return fmt.Errorf("replace route %v by %v: %w", c.old, c.route, explain(err))
	}
	a.undo = append(a.undo, func() error { return a.kernel.replaceRoute(c.old) })
	return nil
}

func (a *applier) deleteRoute(r Route) error {
	if err := gone(a.did(a.kernel.delRoute(r))); err != nil {
		return fmt.Errorf("delete route %v: %w", r, explain(err))
	}
	a.undo = append(a.undo, func() error { return a.kernel.addRoute(r) })
	return nil
}
