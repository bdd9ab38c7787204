package netconf

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/netconf/system"
)

// What a lease says of the host as a whole, rather than of the link: its name,
// its time servers, its time zone.

// Accept says whether something of a lease is followed that is about the host
// as a whole.
type Accept uint8

// What may be said.
const (
	AcceptAuto   Accept = iota // of the host's name: on a host that has none of its own
	AcceptAlways               // whatever is there now
	AcceptNever
)

// Whole is what the host as a whole should hold for a lease.
type Whole struct {
	HostName    string // one label; "": the lease says nothing, or nothing that is followed
	Always      bool   // also on a host that has a name of its own
	TimeServers []netip.Addr
	TimeZone    string

	// What of it is not done as long as others have their way.
	nameIdle, clockIdle, zoneIdle bool
}

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

// parts are all of them.
func (w *whole) parts() []share {
	return []share{{toldName, &w.name}, {toldClock, &w.clock}, {toldZone, &w.zone}}
}

// The kinds of trouble.
const (
	toldName  = "the host's name is not set"
	toldClock = "time servers are not set"
	toldZone  = "the time zone is not set"
)

// wholeOf is the host beside a link.
func wholeOf(c Config, link string) *whole {
	p := system.Place{RunDir: c.runDir(), StateDir: c.StateDir, BootID: bootID(), Step: c.step}
	return &whole{link, c.Namespace.Name(), system.HostName{Place: p}, system.TimeServers{Place: p}, system.TimeZone{Place: p}}
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
	w, want, metric := wholeOf(a.cfg, a.key()), a.plan.Whole, max(a.options.Metric, 0)
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
	for _, s := range w.parts() {
		f := set[s.kind]
		if f == nil {
			f = func() error { return s.Unset(w.link) }
		}
		a.trouble(s.kind, s.kind, f())
	}
	return nil
}

// withdrawSystem takes the link's say in the host as a whole away.
func (h *Host) withdrawSystem() {
	for _, s := range wholeOf(h.cfg, h.key()).parts() {
		h.trouble(s.kind, s.kind, s.Unset(h.key()))
	}
}

// holdsSystem reports whether the link has, or may have, a say in the host as a
// whole.
func (h *Host) holdsSystem() bool {
	for _, s := range wholeOf(h.cfg, h.key()).parts() {
		if s.Holds(h.key()) {
			return true
		}
	}
	return false
}

// renameSystem gives the say of one link to another, and the other's to it.
func renameSystem(c Config, from, to string) error {
	var errs []error
	for _, s := range wholeOf(c, from).parts() {
		errs = append(errs, s.Rename(from, to))
	}
	return errors.Join(errs...)
}

// forgetSystem takes the say of a link away that does not exist any more.
func forgetSystem(c Config, link string) error {
	var errs []error
	for _, s := range wholeOf(c, link).parts() {
		errs = append(errs, s.Unset(link))
	}
	return errors.Join(errs...)
}

// systemLinks are all links that have a say in the host as a whole.
func systemLinks(c Config) (links []string) {
	for _, s := range wholeOf(c, "").parts() {
		links = append(links, s.Links()...)
	}
	slices.Sort(links)
	return slices.Compact(links)
}

// whole plans what the host as a whole is to hold.
func (p *planner) whole() {
	p.hostName()
	p.timeServers()
	p.timeZone()
}

// elsewhere reports whether the link has no say in the host as a whole, because
// it is in a network namespace of its own. What the lease says is refused.
func (p *planner) elsewhere(what string) bool {
	if w := p.options.whole; w != nil && w.where != "" {
		p.refuse(what, fmt.Sprintf("the link is in network namespace %s, and the host as a whole is not its", w.where))
		return true
	}
	return false
}

// malformed refuses an option that is there and says nothing, with the reason.
func malformed[T any](p *planner, o dhcp4.Option[T]) {
	if _, err := o.Get(p.lease.Options); err != nil && !errors.Is(err, dhcp4.ErrUnset) {
		var m *dhcp4.MalformedError
		if errors.As(err, &m) {
			p.refuse(fmt.Sprintf("option %d (%v)", uint8(m.Code), m.Code), m.Why)
		}
	}
}

// hostName takes option 12, in which a server names the client (RFC 2132,
// section 3.14), and where that is missing option 81, by which it says what it
// has in the DNS (RFC 4702).
func (p *planner) hostName() {
	malformed(p, dhcp4.HostName)
	malformed(p, dhcp4.FQDN)
	full := p.lease.HostName
	if full == "" {
		full = p.lease.FQDN
	}
	if full == "" {
		return
	}
	name, what := system.FirstLabel(full), fmt.Sprintf("host name %q", full)
	why := system.BadName(name)
	switch {
	case p.elsewhere(what):
		return
	case p.options.HostName == AcceptNever:
		p.refuse(what, "the operator keeps the host's own (accept-hostname)")
		return
	case why != "":
		p.refuse(what, why)
		return
	}
	p.Whole.HostName, p.Whole.Always = name, p.options.HostName == AcceptAlways
	if w := p.options.whole; w != nil {
		p.Whole.nameIdle = p.others(what, w.name.Why(w.link, system.Name{Metric: p.metric, Name: name, Always: p.Whole.Always}))
	}
}

// steps are the plan for the host as a whole as commands, for people to read.
func (w *Whole) steps() (out []string) {
	if w.HostName != "" && !w.nameIdle {
		out = append(out, "hostname "+w.HostName)
	}
	for _, a := range w.TimeServers {
		if w.clockIdle {
			break
		}
		out = append(out, fmt.Sprintf("time server %v", a))
	}
	if w.TimeZone != "" && !w.zoneIdle {
		out = append(out, "time zone "+w.TimeZone)
	}
	return out
}

// others refuses what is planned and not done as long as others have their way.
func (p *planner) others(what, why string) (idle bool) {
	if why != "" {
		p.refuse(what, why)
	}
	return why != ""
}

func (p *planner) timeServers() {
	malformed(p, dhcp4.NTPServers)
	if len(p.lease.NTP) == 0 {
		return
	}
	const what = "time servers"
	switch {
	case p.elsewhere(what):
		return
	case p.options.TimeServers != AcceptAlways:
		p.refuse(what, "the operator keeps the clock's own (accept-time-servers)")
		return
	}
	for i, a := range p.lease.NTP {
		why := system.BadServer(a)
		switch {
		case len(p.Whole.TimeServers) == system.MaxServers:
			p.refuse(fmt.Sprintf("%d time servers", len(p.lease.NTP)-i), fmt.Sprintf("more than %d", system.MaxServers))
			return
		case why == "" && a == p.lease.Addr.Addr():
			why = "the host's own address"
		case slices.Contains(p.Whole.TimeServers, a):
			continue
		}
		if why != "" {
			p.refuse(fmt.Sprintf("time server %v", a), why)
			continue
		}
		p.Whole.TimeServers = append(p.Whole.TimeServers, a)
	}
	if w := p.options.whole; w != nil && len(p.Whole.TimeServers) > 0 {
		p.Whole.clockIdle = p.others(what, w.clock.Why())
	}
}

// timeZone takes option 101 (RFC 4833). Option 100 has rules for a clock that
// no program of a host reads but out of the environment that it starts in.
func (p *planner) timeZone() {
	malformed(p, dhcp4.TZDatabase)
	if _, posix := p.lease.Options.Lookup(dhcp4.PosixTimezone.Code); posix && p.options.TimeZone == AcceptAlways {
		p.refuse("option 100 (posix-timezone)", "there is no place on a host for it; a zone of the TZ database is option 101")
	}
	zone := p.lease.TimeZone
	if zone == "" {
		return
	}
	what := fmt.Sprintf("time zone %q", zone)
	switch {
	case p.elsewhere(what):
		return
	case p.options.TimeZone != AcceptAlways:
		p.refuse(what, "the operator keeps the host's own (accept-timezone)")
		return
	}
	if why := system.BadZone(zone); why != "" {
		p.refuse(what, why)
		return
	}
	p.Whole.TimeZone = zone
	if w := p.options.whole; w != nil {
		p.Whole.zoneIdle = p.others(what, w.zone.Why(w.link, system.Zone{Metric: p.metric, Name: zone}))
	}
}
