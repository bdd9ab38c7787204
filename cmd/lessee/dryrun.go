package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/client/socket"
	"github.com/lessee/lessee/netconf"
	"github.com/lessee/lessee/netconf/hook"
)

// showPlan prints what the best offer would do to the host. It takes no lease.
func showPlan(ctx context.Context, s *settings) error {
	if s.machine.OfferWait == machine.AutoOfferWait {
		s.machine.OfferWait = 0 // the survey's own default
	}
	offers, remembered, err := survey(ctx, s)
	if err != nil {
		return err
	}
	best := slices.IndexFunc(offers, func(o machine.Offer) bool { return o.Chosen })
	if best < 0 {
		return nothingOffered(offers)
	}
	d, err := s.planned(ctx, offers[best].Lease)
	if err != nil {
		return err
	}
	if remembered.Valid(client.BootTime()()) {
		d.Notes = append(d.Notes, fmt.Sprintf("the remembered %v would be asked for first", remembered.Addr))
	}
	return s.print(d)
}

// planned tells what would be done for a lease, on the host as it is.
func (s *settings) planned(ctx context.Context, offered lease.Lease) (d document, err error) {
	cfg := s.hostConfig()
	cfg.RunDir, cfg.StateDir, cfg.Now = s.runDir, s.stateDir, client.BootTime()
	host, err := netconf.Look(s.link, cfg)
	if err != nil {
		return d, err
	}
	l, overrides := s.use(offered)
	d = document{Result: "planned", Lease: &l, Overrides: overrides}
	if s.conf.HookStyle != "" {
		d.Plan, d.Notes = s.scriptPlan()
	} else {
		steps, err := host.Difference(ctx, l)
		if err != nil {
			return d, err
		}
		for _, step := range steps {
			d.Plan = append(d.Plan, step.Do)
		}
		d.Notes = refusals(netconf.PlanFor(l, host.Options()))
		if len(l.DNS) > 0 || l.Domain != "" || len(l.Search) > 0 {
			d.Notes = append(d.Notes, cfg.NamesOn(s.link))
		}
	}
	run, not := hook.Programs(s.conf.HooksDir)
	for _, path := range run {
		d.Plan = append(d.Plan, fmt.Sprintf("run %s, for %v", path, hook.Bound))
	}
	for _, why := range not {
		d.Notes = append(d.Notes, fmt.Sprintf("as it is, a hook is not run: %v", why))
	}
	d.Notes = append(d.Notes, s.undoneFirst(host)...)
	return d, nil
}

// scriptPlan is the plan where a script configures the host. What it does,
// nobody knows before.
func (s *settings) scriptPlan() (plan, notes []string) {
	if err := hook.Untrusted(s.conf.HookScript, os.Geteuid()); err != nil {
		notes = []string{fmt.Sprintf("as it is, the script is not run: %v", err)}
	}
	return []string{fmt.Sprintf("run %s, for %v", s.conf.HookScript, hook.ReasonBound)}, notes
}

// undoneFirst tells what was configured in another way than the settings have
// it, by a script or by netconf: that goes before anything comes.
func (s *settings) undoneFirst(h *netconf.Host) []string {
	if s.conf.HookStyle != "" {
		if h.Leftover() {
			return []string{"what lessee itself has configured would be undone first"}
		}
		return nil
	}
	ifi, err := socket.LinkByName(s.link)
	if err != nil {
		return nil // it was there a moment ago
	}
	script, err := hook.OpenScript(hook.ScriptConfig{Link: ifi.Name, Key: ifi.Name, Index: ifi.Index, RunDir: s.runDir, Log: s.log})
	if err == nil && script.Leftover() {
		return []string{"what a script has configured (hook-style) would be undone first, by that script"}
	}
	return nil
}
