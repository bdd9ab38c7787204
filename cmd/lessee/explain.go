package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/netconf"
)

// An explainer tells where everything on a host comes from.
type explainer struct {
	granted, used lease.Lease
	overrides     []agent.Override
	script        string       // that configures the link; "": lessee does
	ownMTU        bool         // it is not told of option 26
	plan          netconf.Plan // of the lease as it is used, unless a script follows it
	asGranted     netconf.Plan // of the lease as it was granted
	asked         []dhcp4.Code
}

// explain tells what a link's lease put on the host, and what became of its
// options. Asked is the request list.
func explain(link string, granted, used lease.Lease, overrides []agent.Override, h *host, asked []dhcp4.Code) agent.Explanation {
	x := explainer{granted: granted, used: used, overrides: overrides, script: h.script.Path(), ownMTU: !h.Options().MTU, asked: asked}
	if x.script == "" {
		x.plan, x.asGranted = netconf.PlanFor(used, h.Options()), netconf.PlanFor(granted, h.Options())
	}
	e := agent.Explanation{
		Link: link, Address: used.Addr.String(), Message: dhcp4.ACK.String(), Server: granted.Server, Time: granted.Start,
		Host: []agent.Fact{}, Options: []agent.Fate{},
	}
	x.plan.Reasons = slices.DeleteFunc(x.plan.Reasons, func(r netconf.Reason) bool { return x.plan.Idle(r.Kind) })
	for _, r := range x.plan.Reasons {
		e.Host = append(e.Host, x.fact(r))
	}
	if x.script != "" { // what it does nobody knows but itself
		e.Host = append(e.Host, agent.Fact{Kind: "script", What: x.script, From: "hook-style: it does what it thinks fit with the lease"})
	}
	for _, o := range granted.Options {
		e.Options = append(e.Options, x.fate(o.Code))
	}
	for _, o := range overrides {
		if _, sent := granted.Options.Lookup(dhcp4.Code(o.Code)); !sent && !slices.ContainsFunc(e.Options, func(f agent.Fate) bool { return f.Code == o.Code }) {
			e.Options = append(e.Options, x.fate(dhcp4.Code(o.Code)))
		}
	}
	return e
}

// fact is one thing on the host. What the lease as granted would have put
// there, the server did.
func (x *explainer) fact(r netconf.Reason) agent.Fact {
	f := agent.Fact{Kind: string(r.Kind), What: r.What, From: r.From}
	byServer := slices.ContainsFunc(x.asGranted.Reasons, func(g netconf.Reason) bool {
		return g.Kind == r.Kind && g.What == r.What && slices.Equal(g.Options, r.Options)
	})
	for _, c := range r.Options {
		f.Options = append(f.Options, int(c))
		for _, o := range x.overrides {
			if o.Code == uint8(c) && o.Why == "" && !byServer {
				f.Overrides = append(f.Overrides, o)
				f.From += fmt.Sprintf(", %s of %s", o.How, o.From)
			}
		}
	}
	return f
}

// fate is what became of one option.
func (x *explainer) fate(c dhcp4.Code) agent.Fate {
	f := agent.Fate{Code: uint8(c), Name: c.String()}
	sent, wasSent := x.granted.Options.Lookup(c)
	if wasSent {
		f.Sent = dhcp4.RawOption{Code: c, Value: sent}.String()
	}
	for _, r := range x.plan.Reasons {
		if slices.Contains(r.Options, c) {
			f.For = append(f.For, string(r.Kind)+" "+r.What)
		}
	}
	if x.toScript(c) {
		f.For = append(f.For, "script "+x.script)
	}
	not := func(what, why string) { f.Not = append(f.Not, agent.Refusal{What: what, Why: why}) }
	for _, r := range x.plan.Refused {
		if r.Option == c {
			not(r.What, r.Why)
		}
	}
	for _, o := range x.overrides {
		switch {
		case o.Code != uint8(c):
		case o.Why != "":
			not(fmt.Sprintf("%s of %s", o.How, o.From), o.Why)
		case o.How == string(lease.Supersede) && wasSent:
			not(f.Sent, "superseded by "+o.From)
		}
	}
	if len(f.For)+len(f.Not) > 0 {
		return f
	}
	if use := inExchange(c); use != "" {
		f.For = append(f.For, use)
		return f
	}
	what := f.Sent
	if !wasSent {
		what = "what the configuration says"
	}
	not(what, x.whyNot(c))
	return f
}

// toScript reports whether a script is told of an option.
func (x *explainer) toScript(c dhcp4.Code) bool {
	value, used := x.used.Options.Lookup(c)
	if x.script == "" || !used || inExchange(c) != "" || c == dhcp4.InterfaceMTU.Code && x.ownMTU {
		return false
	}
	spec, known := dhcp4.ByCode(c)
	if known {
		_, err := spec.Value(value)
		return err == nil
	}
	return true
}

// inExchange tells what an option is for that is not for the host.
func inExchange(c dhcp4.Code) string {
	switch c {
	case dhcp4.LeaseTime.Code, dhcp4.T1.Code, dhcp4.T2.Code:
		return "the times of the lease"
	}
	if lease.Overridable(c) != nil {
		return "the exchange with the server"
	}
	return ""
}

// whyNot tells why nothing on the host is as an option says.
func (x *explainer) whyNot(c dhcp4.Code) string {
	value, used := x.used.Options.Lookup(c)
	spec, known := dhcp4.ByCode(c)
	why := "nothing on this host follows it; it is shown, and handed on"
	switch {
	case x.script != "" && c == dhcp4.InterfaceMTU.Code && used:
		return "the operator keeps the link's own"
	case !known:
		why = "unknown to lessee; it is shown, and handed on"
	case used:
		var bad *dhcp4.MalformedError
		if _, err := spec.Value(value); errors.As(err, &bad) {
			why = "malformed: " + bad.Why
		}
	}
	if !slices.Contains(x.asked, c) {
		why += "; it was not asked for"
	}
	return why
}
