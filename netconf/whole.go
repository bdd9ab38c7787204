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

// whole plans what the host as a whole is to hold.
func (p *planner) whole() {
	p.hostName()
	p.timeServers()
	p.timeZone()
}

// elsewhere reports whether the link has no say in the host as a whole, because
// it is in a network namespace of its own. What the lease says is refused.
func (p *planner) elsewhere(code dhcp4.Code, what string) bool {
	if w := p.options.whole; w != nil && w.where != "" {
		p.refuse(code, what, fmt.Sprintf("the link is in network namespace %s, and the host as a whole is not its", w.where))
		return true
	}
	return false
}

// malformed refuses an option that is there and says nothing, with the reason.
func (p *planner) malformed(o dhcp4.Spec) {
	value, there := p.lease.Options.Lookup(o.OptionCode())
	if !there {
		return
	}
	var m *dhcp4.MalformedError
	if _, err := o.Format(value); errors.As(err, &m) {
		p.refuse(m.Code, fmt.Sprintf("option %d (%v)", uint8(m.Code), m.Code), m.Why)
	}
}

// hostName takes option 12, in which a server names the client (RFC 2132,
// section 3.14), and where that is missing option 81, by which it says what it
// has in the DNS (RFC 4702).
func (p *planner) hostName() {
	p.malformed(dhcp4.HostName)
	p.malformed(dhcp4.FQDN)
	full, code := p.lease.HostName, dhcp4.HostName.Code
	if full == "" {
		full, code = p.lease.FQDN, dhcp4.FQDN.Code
	}
	if full == "" {
		return
	}
	name, what := system.FirstLabel(full), fmt.Sprintf("host name %q", full)
	why := system.BadName(name)
	switch {
	case p.elsewhere(code, what):
		return
	case p.options.HostName == AcceptNever:
		p.refuse(code, what, "the operator keeps the host's own (accept-hostname)")
		return
	case why != "":
		p.refuse(code, what, why)
		return
	}
	p.because(KindHostName, name, option(code))
	p.Whole.HostName, p.Whole.Always = name, p.options.HostName == AcceptAlways
	if w := p.options.whole; w != nil {
		p.Whole.nameIdle = p.others(code, what, w.name.Why(w.link, system.Name{Metric: p.metric, Name: name, Always: p.Whole.Always}))
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
func (p *planner) others(code dhcp4.Code, what, why string) (idle bool) {
	if why != "" {
		p.refuse(code, what, why)
	}
	return why != ""
}

func (p *planner) timeServers() {
	code := dhcp4.NTPServers.Code
	p.malformed(dhcp4.NTPServers)
	if len(p.lease.NTP) == 0 {
		return
	}
	const what = "time servers"
	switch {
	case p.elsewhere(code, what):
		return
	case p.options.TimeServers != AcceptAlways:
		p.refuse(code, what, "the operator keeps the clock's own (accept-time-servers)")
		return
	}
	for i, a := range p.lease.NTP {
		why := system.BadServer(a)
		switch {
		case len(p.Whole.TimeServers) == system.MaxServers:
			p.refuse(code, fmt.Sprintf("%d time servers", len(p.lease.NTP)-i), fmt.Sprintf("more than %d", system.MaxServers))
			return
		case why == "" && a == p.lease.Addr.Addr():
			why = "the host's own address"
		case slices.Contains(p.Whole.TimeServers, a):
			continue
		}
		if why != "" {
			p.refuse(code, fmt.Sprintf("time server %v", a), why)
			continue
		}
		p.because(KindTimeServer, a, option(code))
		p.Whole.TimeServers = append(p.Whole.TimeServers, a)
	}
	if w := p.options.whole; w != nil && len(p.Whole.TimeServers) > 0 {
		p.Whole.clockIdle = p.others(code, what, w.clock.Why())
	}
}

// timeZone takes option 101 (RFC 4833). Option 100 has rules for a clock that
// no program of a host reads but out of the environment that it starts in.
func (p *planner) timeZone() {
	p.malformed(dhcp4.TZDatabase)
	if _, posix := p.lease.Options.Lookup(dhcp4.PosixTimezone.Code); posix && p.options.TimeZone == AcceptAlways {
		p.refuse(dhcp4.PosixTimezone.Code, "option 100 (posix-timezone)", "there is no place on a host for it; a zone of the TZ database is option 101")
	}
	zone := p.lease.TimeZone
	if zone == "" {
		return
	}
	code, what := dhcp4.TZDatabase.Code, fmt.Sprintf("time zone %q", zone)
	switch {
	case p.elsewhere(code, what):
		return
	case p.options.TimeZone != AcceptAlways:
		p.refuse(code, what, "the operator keeps the host's own (accept-timezone)")
		return
	}
	if why := system.BadZone(zone); why != "" {
		p.refuse(code, what, why)
		return
	}
	p.because(KindTimeZone, zone, option(code))
	p.Whole.TimeZone = zone
	if w := p.options.whole; w != nil {
		p.Whole.zoneIdle = p.others(code, what, w.zone.Why(w.link, system.Zone{Metric: p.metric, Name: zone}))
	}
}
