package netconf

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lessee/lessee/netconf/resolv"
)

// A resolver is what is known of the one that a link's names go to, since the
// latest Apply. It never changes; news make another one.
type resolver struct {
	name, why string // who was chosen, and why
	left      string // why he does not do as the lease says; "": he does

	// Why the encrypted resolvers of a lease are not asked, and why the
	// others are not; "" if they are.
	encrypted, plain string
}

// names hands the name servers to the resolver. One that somebody else manages
// is left to them, and one that cannot be written is no reason to have no
// address; only a path that makes no sense is an error.
func (a *applier) names() error {
	if a.plan.Resolv.IsZero() {
		a.withdrawNames()
		return nil
	}
	b, why := a.cfg.names().Choose(a.key())
	if b.String() != a.resolv.String() {
		a.resolv = b // else what it was told stays known
	}
	// The former one first: it puts back what the next one may take for
	// the operator's.
	errs := a.cfg.names().Unset(a.key(), a.resolv)
	err := a.resolv.Set(a.key(), a.plan.Resolv)
	if errors.Is(err, resolv.ErrNoFile) {
		return err
	}
	a.found(why, a.plan.Resolv, err)
	a.resolved(append(errs, err)...)
	return nil
}

// rehearseNames tells what names would do.
func (a *applier) rehearseNames() error {
	c := a.plan.Resolv
	chosen, why := resolv.Backend(resolv.None{}), ""
	if !c.IsZero() {
		chosen, why = a.cfg.names().Choose(a.key())
	}
	tell := func(b resolv.Backend, c resolv.Config) error {
		lines, err := b.Difference(a.key(), c)
		for _, line := range lines {
			a.dry.step(KindServer, "%s", line)
		}
		return err
	}
	for _, b := range a.cfg.names().All() {
		if b.String() != chosen.String() && b.Holds(a.key()) {
			_ = tell(b, resolv.Config{}) // who does not give it back now keeps it
		}
	}
	if c.IsZero() {
		return nil
	}
	a.resolv = chosen
	err := tell(chosen, c)
	if errors.Is(err, resolv.ErrNoFile) {
		return err
	}
	a.found(why, c, err)
	return nil
}

// found notes who was chosen, and what he makes of c. That may be somebody else
// than at the last renewal.
func (h *Host) found(why string, c resolv.Config, err error) {
	now := resolver{name: h.resolv.String(), why: why}
	switch {
	case err != nil:
		now.left = strings.TrimPrefix(err.Error(), "name servers of "+h.key()+": ")
	case h.resolv == resolv.Backend(resolv.None{}):
		now.left = why
	default:
		now.encrypted, now.plain = h.resolv.Unused(h.key(), c)
	}
	before := resolver{}
	if h.names != nil {
		before = *h.names
	}
	if now == before {
		return
	}
	h.names = &now
	h.decide(h.Options())
	if now.name != before.name || now.why != before.why {
		h.cfg.Log.Info("names go to "+now.name, "link", h.link, "why", now.why)
	}
	if now.left != "" {
		return // which is told by itself
	}
	for _, r := range now.spared(c) {
		h.cfg.Log.Info("not followed", "link", h.link, "what", r.What, "why", r.Why)
	}
}

// resolved sorts what resolvers said.
func (h *Host) resolved(errs ...error) {
	left, failed, passing := "", []error(nil), false
	for _, err := range errs {
		var managed *resolv.ManagedError
		switch {
		case errors.As(err, &managed):
			left, passing = err.Error(), passing || managed.Passing()
		case errors.Is(err, resolv.ErrNamespace), errors.Is(err, resolv.ErrGone):
			left = err.Error()
		default:
			failed = append(failed, err)
		}
	}
	if h.news(toldManaged, left) && left != "" {
		h.cfg.Log.Warn("the resolver is left alone", "link", h.link, "why", left)
	}
	failure := errors.Join(failed...)
	h.trouble(toldResolver, "the resolver is not configured", failure)
	if failure == nil && !passing {
		h.unfinished = 0
	} else {
		h.unfinished = max(h.unfinished, firstRetry)
	}
}

// withdrawNames takes the link's part from every resolver that has one. What
// they have noted themselves counts: that may outlive a boot.
func (h *Host) withdrawNames() {
	h.resolved(append(h.cfg.names().Unset(h.key(), h.resolv), h.resolv.Unset(h.key()))...)
	h.names = nil
	h.decide(h.Options())
}

// names is how the settings want names to be dealt with.
func (c Config) names() resolv.Setup {
	return resolv.Setup{Resolver: c.Resolver, Path: c.ResolvConf, StateDir: c.StateDir, RunDir: c.runDir(), Step: c.step}
}

// NamesOn tells where name servers for a link would go, and why, for people.
func (c Config) NamesOn(link string) string {
	b, why := c.names().Choose(keyOf(link, c.Namespace.Name()))
	return fmt.Sprintf("names go to %v: %s", b, why)
}

// Adopt takes over what another process has noted of the resolver's file and of
// the time zone in a directory other than cfg's: one that worked at boot, when
// that may not have been there yet. On error it stays there, and that directory
// has to be cfg's.
func Adopt(cfg Config, stateDir string) error {
	return errors.Join(cfg.names().Adopt(stateDir), wholeOf(cfg, "").zone.Adopt(stateDir))
}
