package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/view"
)

// writeText prints a document for people.
func writeText(w io.Writer, d document) error {
	p := &printer{w: w}
	if len(d.Links) > 0 {
		return writeLinks(w, d.Links)
	}
	switch {
	case d.Result == "discovered":
		p.offers(d.Offers)
	case d.Lease != nil && !d.Lease.IsZero():
		p.lease(d)
	case d.Link == "":
		p.line("%s", d.Result)
	default:
		p.line("%s: %s", d.Link, d.Result)
	}
	for _, o := range d.Overrides {
		p.line("  note: %s", view.Override(o))
	}
	for _, step := range d.Plan {
		p.step(step)
	}
	for _, n := range d.Notes {
		p.line("  note: %s", n)
	}
	if d.Result != "discovered" {
		p.others(d.Offers)
	}
	if x := d.Explanation; x != nil && p.err == nil {
		_, p.err = io.WriteString(w, view.Explanation(*x, options()))
	}
	if d.Agent != 0 {
		p.line("  note: the agent did it, process %d", d.Agent)
	}
	return p.err
}

// writeLinks prints what became of several links. Failures are on standard
// error already.
func writeLinks(w io.Writer, links []document) error {
	for _, d := range links {
		if d.Error != nil {
			continue
		}
		if err := writeText(w, d); err != nil {
			return err
		}
	}
	return nil
}

// A printer writes lines until one fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// step writes what would be done: a command, or a line of a file's difference,
// which patch(1) takes. That file may hold anything.
func (p *printer) step(text string) {
	if strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-") || strings.HasPrefix(text, "@") || strings.HasPrefix(text, `\`) {
		p.line("    %s", view.FileLine(text))
		return
	}
	p.line("  would %s", text)
}

// field writes a line with a name, if there is a value.
func (p *printer) field(name string, value string) {
	if value != "" {
		p.line("  %-12s %s", name, value)
	}
}

func (p *printer) lease(d document) {
	l := d.Lease
	server := "an unknown server"
	if l.Server.IsValid() {
		server = l.Server.String()
	}
	p.line("%s: %s, %v from %s", d.Link, d.Result, l.Addr, server)
	switch d.Result {
	case "released":
		return
	case "informed":
	default:
		p.field("until", until(*l))
	}
	p.field("routers", words(l.Routers))
	routes := l.ClasslessRoutes
	if routes == nil {
		routes = l.StaticRoutes
	}
	for _, r := range routes {
		p.field("route", r.String())
	}
	p.field("dns", words(l.DNS))
	p.field("domain", l.Domain)
	p.field("search", words(l.Search))
	p.field("host name", cmp.Or(l.HostName, l.FQDN))
	p.field("ntp", words(l.NTP))
	p.field("time zone", l.TimeZone)
	if l.MTU != 0 {
		p.field("mtu", fmt.Sprint(l.MTU))
	}
	for _, r := range l.Encrypted {
		p.field("encrypted", strings.TrimSpace(r.String()+"  "+strings.Join(r.ALPN, " ")))
	}
	p.field("portal", l.CaptivePortal)
}

// until is when a lease ends, and how long it is.
func until(l lease.Lease) string {
	if l.Infinite() {
		return "for ever"
	}
	return fmt.Sprintf("%s (%v)", l.Expiry.Local().Format(time.DateTime), l.Expiry.Sub(l.Start).Round(time.Second))
}

// offers writes a table of servers and what they offer.
func (p *printer) offers(list []agent.Offer) {
	if len(list) == 0 {
		p.line("no offers")
		return
	}
	servers := map[string]bool{}
	p.line("%-15s  %-18s  %-10s  %s", "SERVER", "OFFERS", "FOR", "ROUTERS, DNS, VERDICT")
	for _, o := range list {
		servers[o.Server] = true
		length := "-"
		if o.Seconds != nil {
			length = dhcp4.Lifetime(*o.Seconds).String()
		}
		p.line("%-15s  %-18s  %-10s  %s", orDash(o.Server), o.Address, length, verdict(o))
	}
	p.warnOf(len(servers))
}

// others tells of offers that lost, and of their servers.
func (p *printer) others(list []agent.Offer) {
	servers := map[string]bool{}
	for _, o := range list {
		servers[o.Server] = true
		if !o.Chosen {
			p.line("  note: %s from %s lost: %s", o.Address, orDash(o.Server), o.Why)
		}
	}
	p.warnOf(len(servers))
}

func (p *printer) warnOf(servers int) {
	if servers > 1 {
		p.line("warning: %d servers answer on this link; is one of them not meant to be here?", servers)
	}
}

func verdict(o agent.Offer) string {
	text := ""
	for _, s := range []dhcp4.Spec{dhcp4.Routers, dhcp4.DNS} {
		if v, ok := o.Options.Lookup(s.OptionCode()); ok {
			if t, err := s.Format(v); err == nil {
				text += t + "  "
			}
		}
	}
	if o.Chosen {
		return text + "would be chosen"
	}
	return text + "lost: " + o.Why
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// words joins values by spaces.
func words[T any](v []T) string {
	text := ""
	for i, e := range v {
		if i > 0 {
			text += " "
		}
		text += fmt.Sprint(e)
	}
	return text
}
