package netconf

import (
	"errors"
	"fmt"

	"github.com/lessee/lessee/netconf/resolv"
)

// names hands the name servers to the resolver. One that somebody else manages
// is left to them, and one that cannot be written is no reason to have no
// address; only a path that makes no sense is an error.
func (a *applier) names() error {
	if a.plan.Resolv.IsZero() {
		a.withdrawNames()
		return nil
	}
	a.chooseResolver()
	// The former one first: it puts back what the next one may take for
	// the operator's.
	errs := a.cfg.names().Unset(a.key(), a.resolv)
	err := a.resolv.Set(a.key(), a.plan.Resolv)
	if errors.Is(err, resolv.ErrNoFile) {
		return err
	}
	a.resolved(append(errs, err)...)
	return nil
}

// chooseResolver looks who resolves names on this host. That may be somebody
// else than at the last renewal.
func (h *Host) chooseResolver() {
	b, why := h.cfg.names().Choose(h.key())
	if b.String() != h.resolv.String() {
		h.resolv = b // else what it was told stays known
	}
	if text := b.String() + ": " + why; h.news(toldChosen, text) {
		h.cfg.Log.Info("names go to "+b.String(), "link", h.link, "why", why)
	}
}

// resolved sorts what resolvers said.
func (h *Host) resolved(errs ...error) {
	left, failed := "", []error(nil)
	for _, err := range errs {
		var managed *resolv.ManagedError
		switch {
		case errors.As(err, &managed), errors.Is(err, resolv.ErrNamespace):
			left = err.Error()
		default:
			failed = append(failed, err)
		}
	}
	if h.news(toldManaged, left) && left != "" {
		h.cfg.Log.Warn("the resolver is left alone", "link", h.link, "why", left)
	}
	h.trouble(toldResolver, "the resolver is not configured", errors.Join(failed...))
}

// withdrawNames takes the link's part from every resolver that has one. What
// they have noted themselves counts: that may outlive a boot.
func (h *Host) withdrawNames() {
	h.resolved(append(h.cfg.names().Unset(h.key(), h.resolv), h.resolv.Unset(h.key()))...)
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
