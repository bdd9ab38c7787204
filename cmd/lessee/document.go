package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/view"
)

// A document is what a command found out or did: the one thing that it prints,
// in whatever format. Its JSON form is documented in `lessee help` and does not
// change but by new members.
type document struct {
	Version int    `json:"lessee"` // of this form: 1
	Link    string `json:"link"`
	Result  string `json:"result"` // bound, unconfirmed, renewed, informed, released, discovered, planned, nothing, failed

	Error  *problem      `json:"error,omitempty"` // with failed
	Lease  *lease.Lease  `json:"lease,omitempty"` // as it is used
	Offers []agent.Offer `json:"offers,omitempty"`
	Plan   []string      `json:"plan,omitempty"`  // with planned: what would be done to the host, a step a line
	Notes  []string      `json:"notes,omitempty"` // what was not followed, and why

	Probe string `json:"probe,omitempty"` // how the address was checked for conflicts: fast, rfc5227, off

	Overrides []agent.Override `json:"overrides,omitempty"` // what of the lease is not as the server sent it

	Explanation *agent.Explanation `json:"explanation,omitempty"` // with --explain

	Agent int        `json:"agent,omitempty"` // the process that did it, if it was the agent
	Links []document `json:"links,omitempty"` // with --boot: each link that is bound, in that order, and those that are not; the first one is the document itself
}

// problem is why a command failed.
type problem struct {
	Exit  int    `json:"exit"`            // the exit code
	Cause string `json:"cause,omitempty"` // what stood in the way, in a few fixed words
	Text  string `json:"text"`
}

// failure is the document of an error.
func failure(link string, err error) document {
	d := document{Version: 1, Link: link, Result: "failed", Error: &problem{Exit: exitCode(err), Text: err.Error()}}
	var o *client.Obstacle
	if errors.As(err, &o) {
		d.Error.Cause = string(o.Report.Cause)
		d.Offers = agent.OffersOf(o.Report.Offers)
	}
	return d
}

// print writes a document in the format that was asked for. A failure in the
// text format is on standard error already.
func (s *settings) print(d document) error {
	d.Version, d.Link = 1, s.link
	var err error
	switch s.format {
	case "json":
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(d)
	case "env":
		err = writeEnv(os.Stdout, envOf(d))
	default:
		if d.Error == nil {
			err = writeText(os.Stdout, d)
		}
	}
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

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

// known is an address, if there is one.
func known(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// envOf is a document as shell variables. Every option of the lease is there
// by its number as well. What every lease may say is there of each, empty if it
// does not, so that nothing stays of one that was read before.
func envOf(d document) [][2]string {
	out := [][2]string{{"LESSEE_LINK", d.Link}, {"LESSEE_RESULT", d.Result}}
	if len(d.Links) > 0 {
		out = append(out, envOfLinks(d.Links)...)
	}
	add := func(name, value string) { out = append(out, [2]string{"LESSEE_" + name, value}) }
	if d.Error != nil {
		add("EXIT", fmt.Sprint(d.Error.Exit))
		add("CAUSE", d.Error.Cause)
		add("ERROR", d.Error.Text)
	}
	if l := d.Lease; l != nil && !l.IsZero() {
		add("ADDRESS", l.Addr.Addr().String())
		add("PREFIX_LENGTH", fmt.Sprint(l.Addr.Bits()))
		add("SERVER", known(l.Server))
		expiry, seconds := "", "" // for ever
		if !l.Expiry.IsZero() {
			expiry, seconds = fmt.Sprint(l.Expiry.Unix()), fmt.Sprint(int64(l.Expiry.Sub(l.Start)/time.Second))
		}
		add("EXPIRY", expiry)
		add("LEASE_SECONDS", seconds)
		add("ROUTERS", words(l.Routers))
		add("DNS", words(l.DNS))
		add("DOMAIN", l.Domain)
		add("SEARCH", words(l.Search))
		add("HOSTNAME", l.HostName)
		add("FQDN", l.FQDN)
		add("NTP", words(l.NTP))
		add("TIME_ZONE", l.TimeZone)
		mtu := ""
		if l.MTU != 0 {
			mtu = fmt.Sprint(l.MTU)
		}
		add("MTU", mtu)
		add("CAPTIVE_PORTAL", l.CaptivePortal)
		add("NEXT_SERVER", known(l.NextServer))
		add("BOOT_FILE", l.BootFile)
		for _, o := range l.Options {
			add(fmt.Sprintf("OPTION_%d", uint8(o.Code)), o.String())
		}
		for _, o := range d.Overrides {
			add(fmt.Sprintf("SENT_%d", o.Code), o.Sent)
		}
	}
	for i, o := range d.Offers {
		add(fmt.Sprintf("OFFER_%d", i), o.Address+" "+o.Server)
	}
	return out
}
