package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/socket"
	"github.com/lessee/lessee/cmd/lessee/control"
	"github.com/lessee/lessee/netconf"
	"github.com/lessee/lessee/netconf/hook"
)

func releaseCommand() *cli.Command {
	return &cli.Command{
		Name:      "release",
		Usage:     "give the lease back and undo what it did to the host",
		ArgsUsage: "IFACE",
		Description: `Sends DHCPRELEASE (RFC 2131, section 4.4.6), takes address and routes away, puts
name servers, the MTU and the host's name back, and forgets the lease. If the lease is not
valid any more nothing is sent, and the rest is done all the same.
` + asItWasGot + `
   lessee release eth0`,
		Flags:  join(waitFlags(10*time.Second), identityFlags(), hostFlags(), stateFlags(), outputFlags()),
		Action: onLease(release),
	}
}

func release(ctx context.Context, s *settings) error {
	asked, err := s.throughAgent(ctx, func(ctx context.Context, c *control.Client) (document, error) {
		_, err := c.Do(ctx, s.link, control.Release)
		return document{Result: "released"}, err
	})
	if asked {
		return err
	}
	ctx, cancel := within(ctx, s.timeout)
	defer cancel()
	e, err := open(ctx, s, needs{configure: true, remember: true})
	if errors.Is(err, socket.ErrNoLink) {
		return s.releaseGone(err)
	}
	if err != nil {
		return err
	}
	l, note, err := e.release(ctx)
	return e.done(err, func() document {
		used, overrides := e.use(l)
		return document{Result: "released", Lease: &used, Overrides: overrides, Notes: note}
	})
}

// release gives the lease back if a server can be told, and undoes all of it in
// any case.
func (e *errand) release(ctx context.Context) (l lease.Lease, notes []string, err error) {
	l, why := e.held()
	switch {
	case why != nil && !e.host.Leftover():
		return l, nil, errors.Join(why, e.host.Down())
	case why != nil:
		notes = append(notes, "no server was told: "+why.Error())
	case !e.hasCarrier():
		notes = append(notes, "no server was told: the link has no carrier; the lease ends there by itself")
	default:
		var c *client.Client
		if c, err = e.client(ctx); err == nil {
			err = c.Release(ctx, l)
		}
	}
	if why != nil || !e.hasCarrier() {
		e.hooks.released(&l, notes[0])
	}
	undone := e.host.Withdraw(context.WithoutCancel(ctx), l)
	if e.host.Leftover() { // name servers, say: that they could not be put back was only told the log
		undone = errors.Join(undone, errors.Join(e.troubles...))
	}
	if undone == nil {
		undone = errors.Join(e.host.Down(), e.store.Forget())
	}
	return l, notes, errors.Join(err, undone)
}

// releaseGone undoes what a lease did elsewhere, when its link is no more.
func (s *settings) releaseGone(noLink error) error {
	cfg := s.hostConfig()
	cfg.StateDir, cfg.RunDir = s.stateDir, s.runDir
	now := client.BootTime()
	script, err := hook.OpenScript(hook.ScriptConfig{Limit: s.conf.HookTimeout, Link: s.link, Key: s.link, RunDir: s.runDir, Wall: wallBy(now), Now: now, Log: s.log})
	if err != nil {
		return errors.Join(noLink, err)
	}
	if !script.Leftover() && !slices.Contains(netconf.Remains(cfg), s.link) {
		return noLink
	}
	notes := []string{"the link is gone, so no server was told; what its lease did to the rest of the host was undone"}
	script.Expect("", hook.ReasonRelease)
	errScript := script.Withdraw(context.Background(), lease.Lease{})
	if errScript != nil && !script.Leftover() { // it ran, and did not find the link
		notes, errScript = append(notes, errScript.Error()), nil
	}
	if err := errors.Join(errScript, netconf.Forget(s.link, cfg)); err != nil {
		return errors.Join(noLink, err)
	}
	return s.print(document{Result: "released", Notes: notes})
}
