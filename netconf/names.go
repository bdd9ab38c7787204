package netconf

import (
	"errors"

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
	a.leaveOtherFiles()
	err := a.resolv.Set(a.key(), a.plan.Resolv)
	if errors.Is(err, resolv.ErrNoFile) {
		return err
	}
	a.resolved(err)
	return nil
}

// resolved sorts what a resolver said.
func (h *Host) resolved(err error) {
	var managed *resolv.ManagedError
	if errors.As(err, &managed) {
		if h.news(toldManaged, managed.Error()) {
			h.cfg.Log.Warn("the resolver is left alone", "link", h.link, "why", managed)
		}
		err = nil
	} else if err == nil {
		h.news(toldManaged, "")
	}
	h.trouble(toldResolver, "the resolver is not configured", err)
}

// withdrawNames takes the link's part from the resolver, if it has one. What
// the resolver itself has noted counts: it outlives a boot, as its file does.
func (h *Host) withdrawNames() {
	h.leaveOtherFiles()
	h.resolved(h.resolv.Unset(h.key()))
}

// leaveOtherFiles takes the link's part from files that the settings named
// once, and do not any more.
func (h *Host) leaveOtherFiles() {
	for _, path := range resolv.Others(h.cfg.ResolvConf, h.cfg.StateDir, h.key()) {
		h.resolved(h.resolver(path).Unset(h.key()))
	}
}

// resolver is the backend for a file; "" or "none" is nobody.
func (h *Host) resolver(path string) resolv.Backend {
	if path == "" || path == "none" {
		return resolv.None{}
	}
	f := resolv.NewFile(path, h.cfg.StateDir)
	f.Step = h.cfg.step
	return f
}
