package main

import (
	"context"
	"errors"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/netconf"
	"github.com/lessee/lessee/netconf/hook"
)

// A host is this host, as far as one link is concerned: configured by package
// netconf or, with --hook-style, by a script. A script cannot put back that the
// link was down, so that netconf sets it up before, and down after it; the rest
// is then the script's, and netconf only undoes what it did in former times.
type host struct {
	*netconf.Host
	script *hook.Script
	fresh  bool // the script may get the link ready: a lease is to be had
}

// openHostOf opens a link for configuration.
func (o *opening) openHostOf(d *devices) (*host, error) {
	cfg := o.host
	cfg.Namespace, cfg.RunDir, cfg.StateDir, cfg.Now = o.ns, o.runDir, o.stateDir, o.now
	if boot := bootDir(o.runDir); boot != o.stateDir {
		if err := netconf.Adopt(cfg, boot); err != nil {
			o.log.Warn("what the boot found in resolv.conf cannot be kept", "link", o.key(d), "error", err)
			cfg.StateDir = boot // for now; a later process may be luckier
		}
	}
	h := &host{fresh: o.check}
	var err error
	if o.ns == nil {
		if d.here, err = netconf.OpenNamespace(""); err != nil {
			return nil, err
		}
		cfg.Namespace = d.here
	}
	if h.Host, err = netconf.Open(d.ifi.Name, cfg); err != nil {
		return nil, err
	}
	h.script, err = hook.OpenScript(hook.ScriptConfig{
		Style: o.conf.HookStyle, Script: o.conf.HookScript, Limit: o.conf.HookTimeout, MTU: o.conf.Host.MTU,
		Link: d.ifi.Name, Key: o.key(d), Index: d.ifi.Index, RunDir: o.runDir, Enter: o.ns.Enter,
		Wall: wallBy(o.now), Now: o.now, Log: cfg.Log,
	})
	return h, err
}

// SetUp sets the link up and, if a lease is to be had, gets it ready.
func (h *host) SetUp() error {
	if err := h.Host.SetUp(); err != nil || !h.fresh {
		return err
	}
	h.fresh = false
	if h.script.Configures() && h.Host.Leftover() {
		if err := h.Host.Withdraw(context.Background(), lease.Lease{}); err != nil {
			return err
		}
	}
	return h.script.Begin()
}

// Up does what SetUp does and waits for the carrier until ctx ends.
func (h *host) Up(ctx context.Context) error {
	if err := h.SetUp(); err != nil {
		return err
	}
	return h.Host.Up(ctx)
}

// Apply makes the host hold l.
func (h *host) Apply(ctx context.Context, l lease.Lease) error {
	if h.script.Configures() {
		return h.script.Apply(ctx, l)
	}
	return h.Host.Apply(ctx, l)
}

// Withdraw undoes what was applied, by whomever.
func (h *host) Withdraw(ctx context.Context, l lease.Lease) error {
	return errors.Join(h.script.Withdraw(ctx, l), h.Host.Withdraw(ctx, l))
}

// Holds reports whether the host holds l's address, and we made it so.
func (h *host) Holds(l lease.Lease) bool {
	if h.script.Configures() {
		return h.script.Holds(l)
	}
	return h.Host.Holds(l)
}

// Leftover reports whether anything of ours is on the host, or may be.
func (h *host) Leftover() bool {
	return h.script.Leftover() || h.Host.Leftover()
}
