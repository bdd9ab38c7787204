package netconf

import (
	"errors"

	"github.com/lessee/lessee/netconf/atomicfile"
	"github.com/lessee/lessee/netconf/system"
)

// How the host as a whole is made to hold what leases say of it; whole.go plans
// it.

// A whole is the host beside the link, as far as the link has a say in it.
type whole struct {
	link  string
	where string // the network namespace that the link is in; "": the host's

	name  system.HostName
	clock system.TimeServers
	zone  system.TimeZone
}

// A part of the host that links share.
type part interface {
	Unset(link string) error
	Holds(link string) bool
	Links() []string
	Rename(from, to string) error
}

// A share is a part, and what it is called when it gives trouble.
type share struct {
	kind string
	part
}

// each does something with all of them.
func (w *whole) each(do func(share) error) error {
	return errors.Join(do(share{toldName, &w.name}), do(share{toldClock, &w.clock}), do(share{toldZone, &w.zone}))
}

// The kinds of trouble.
const (
	toldName  = "the host's name is not set"
	toldClock = "time servers are not set"
	toldZone  = "the time zone is not set"
)

// wholeOf is the host beside a link.
func wholeOf(c Config, link string) *whole {
	p := system.Place{RunDir: c.runDir(), StateDir: c.StateDir, BootID: atomicfile.BootID(), Step: c.step}
	return &whole{link, c.Namespace.Name(), system.HostName{Place: p}, system.TimeServers{Place: p}, system.TimeZone{Place: p}}
}

// rehearse makes all parts tell what they would do, and do nothing.
func (w *whole) rehearse(tell func(what string)) {
	w.name.Dry, w.clock.Dry, w.zone.Dry = tell, tell, tell
}

// beside lets options know the host beside the link, so that a plan can tell
// what of a lease others have a say in.
func (o Options) beside(c Config, link string) Options {
	o.whole = wholeOf(c, link)
	return o
}

// system makes the host as a whole hold what the plan says of it. None of that
// is a reason to have no address.
func (a *applier) system() error {
	w, want, metric := wholeOf(a.cfg, a.key()), a.plan.Whole, max(a.Options().Metric, 0)
	switch {
	case a.dry == nil:
	case a.dry.kernelOnly:
		return nil
	default:
		w.rehearse(func(what string) { a.dry.step(KindHost, "%s", what) })
	}
	set := map[string]func() error{}
	if want.HostName != "" {
		set[toldName] = func() error {
			return w.name.Set(w.link, system.Name{Metric: metric, Name: want.HostName, Always: want.Always})
		}
	}
	if len(want.TimeServers) > 0 {
		set[toldClock] = func() error { return w.clock.Set(w.link, metric, want.TimeServers) }
	}
	if want.TimeZone != "" {
		set[toldZone] = func() error { return w.zone.Set(w.link, system.Zone{Metric: metric, Name: want.TimeZone}) }
	}
	return w.each(func(s share) error {
		f := set[s.kind]
		if f == nil {
			f = func() error { return s.Unset(w.link) }
		}
		a.trouble(s.kind, s.kind, f())
		return nil
	})
}

// withdrawSystem takes the link's say in the host as a whole away.
func (h *Host) withdrawSystem() {
	_ = wholeOf(h.cfg, h.key()).each(func(s share) error { // what goes wrong is trouble, and told
		h.trouble(s.kind, s.kind, s.Unset(h.key()))
		return nil
	})
}

// OwnHostName returns what the host is called without us: the name that a lease
// gave it, and that it loses with the lease, is not its own to tell servers of.
func OwnHostName(c Config) (string, error) { return wholeOf(c, "").name.Own() }

// holdsSystem reports whether the link has, or may have, a say in the host as a
// whole.
func (h *Host) holdsSystem() (holds bool) {
	_ = wholeOf(h.cfg, h.key()).each(func(s share) error { // never fails
		holds = holds || s.Holds(h.key())
		return nil
	})
	return holds
}

// renameSystem gives the say of one link to another, and the other's to it.
func renameSystem(c Config, from, to string) error {
	return wholeOf(c, from).each(func(s share) error { return s.Rename(from, to) })
}

// forgetSystem takes the say of a link away that does not exist any more.
func forgetSystem(c Config, link string) error {
	return wholeOf(c, link).each(func(s share) error { return s.Unset(link) })
}

// systemLinks are all links that have a say in the host as a whole, some of them
// twice.
func systemLinks(c Config) (links []string) {
	_ = wholeOf(c, "").each(func(s share) error { // never fails
		links = append(links, s.Links()...)
		return nil
	})
	return links
}
