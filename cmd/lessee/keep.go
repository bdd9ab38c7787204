package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/client/store"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/cmd/lessee/metrics"
	"github.com/lessee/lessee/netconf"
	"github.com/lessee/lessee/netconf/hook"
)

// shared is what all links of an agent have in common, whatever plan is in
// force.
type shared struct {
	settings   config.Agent
	now        func() time.Time
	log        *slog.Logger
	registry   *metrics.Registry
	namespaces namespaces
	inForce    atomic.Pointer[plan] // nil: the first one is just made
	identity   sync.Mutex           // of the file that holds the host's identity
	hooks      *hook.Runner
}

// A plan is what configuration file and command line want of links. It never
// changes; a reload makes another one.
type plan struct {
	*shared
	file  *config.File
	flags config.Flags
	wants []config.Pattern
}

var _ agent.Plan = (*plan)(nil)

// newPlan checks everything that can be known before there are links.
func newPlan(s *shared, file *config.File, flags config.Flags, links []string) (*plan, error) {
	p := &plan{shared: s, file: file, flags: flags}
	for _, text := range links {
		pattern, err := config.ParsePattern(text)
		if err != nil {
			return nil, fmt.Errorf("link %q: %w", text, err)
		}
		p.wants = append(p.wants, pattern)
	}
	if err := flags.ForLinks(links); err != nil {
		return nil, err
	}
	for _, name := range p.Named() {
		if _, err := file.Link(name, flags); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Wants tells whether a pattern names the link. The loopback has to be named
// in full, to be refused.
func (p *plan) Wants(name string) bool {
	return slices.ContainsFunc(p.wants, func(w config.Pattern) bool {
		return w.Match(name) && (w.Exact() || name != "lo" && !strings.HasPrefix(name, "lo@"))
	})
}

// Named returns the links that are wanted by their full name.
func (p *plan) Named() (names []string) {
	for _, w := range p.wants {
		if w.Exact() {
			names = append(names, w.String())
		}
	}
	return names
}

// Print stands for all that the file and the flags say of a link, but for what
// Finish stands for.
func (p *plan) Print(name string) string {
	return p.print(name, func(g config.Group) bool { return g != config.Override })
}

// Finish stands for what is made of the options that servers send.
func (p *plan) Finish(name string) string {
	return p.print(name, func(g config.Group) bool { return g == config.Override })
}

func (p *plan) print(name string, about func(config.Group) bool) string {
	values, err := p.file.LinkValues(name, p.flags)
	if err != nil {
		return err.Error()
	}
	sum := fnv.New128a() // a hundred links need not keep the text
	for _, v := range values {
		if about(v.Group) {
			fmt.Fprintf(sum, "%s=%q\n", v.Name, v.Is)
		}
	}
	return string(sum.Sum(nil))
}

// OnStop says what becomes of a link's configuration.
func (p *plan) OnStop(name string) agent.Policy {
	conf, err := p.file.Link(name, p.flags)
	if err != nil {
		return agent.Keep
	}
	policy, err := agent.ParsePolicy(string(conf.OnStop))
	if err != nil {
		return agent.Keep // the table of settings lets no other in
	}
	return policy
}

// Rename moves what is on disk.
func (p *plan) Rename(old, name string) error {
	p.identity.Lock()
	defer p.identity.Unlock()
	return errors.Join(
		store.Rename(p.settings.StateDir, old, name), // netconf finds its own by the link's index
		hook.RenameRecord(p.settings.RunDir, old, name))
}

// opening is how a link is opened.
func (p *plan) opening(l agent.Link) (*opening, error) {
	conf, err := p.file.Link(l.FullName(), p.flags)
	if err != nil {
		return nil, err
	}
	ns, err := p.namespaces.get(l.Namespace)
	if err != nil {
		return nil, err
	}
	counts := p.registry.Link(l.FullName())
	o := &opening{
		link: l.Name, ns: ns, conf: conf, policy: p.policyOf(l.FullName()), machine: conf.Machine, identity: &p.identity,
		stateDir: p.settings.StateDir, runDir: p.settings.RunDir, control: p.settings.Control,
		now: p.now, log: p.log,
		host: netconf.Config{Options: conf.Host, Resolver: conf.Resolver, ResolvConf: conf.ResolvConf, Log: p.log, Trouble: counts.Trouble},
		dropped: func(err error) {
			counts.DroppedFrame(metrics.FrameReason(err))
			p.log.Debug("dropped", "link", l.FullName(), "reason", err)
		},
		needs: needs{configure: true, remember: true, check: true},
	}
	o.machine.HostName = conf.HostNameOn(hostName(p.settings.RunDir))
	return o, nil
}

// Open opens what keeps a link, and undoes what a dead process left there that
// no lease goes with.
func (p *plan) Open(ctx context.Context, l agent.Link) (*agent.Parts, error) {
	o, err := p.opening(l)
	if err != nil {
		return nil, err
	}
	ifi, err := o.find()
	if err == nil && ifi.Index != l.Index {
		err = fmt.Errorf("%s: another link has that name now", l.FullName())
	}
	if err != nil {
		return nil, err
	}
	d, err := o.open(ctx, ifi)
	if err != nil {
		return nil, err
	}
	parts, err := p.parts(ctx, l, o, d)
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return parts, nil
}

func (p *plan) parts(ctx context.Context, l agent.Link, o *opening, d *devices) (*agent.Parts, error) {
	if err := d.host.SetUp(); err != nil {
		return nil, err
	}
	log := p.log.With("link", l.FullName())
	remembered, why, err := d.remembered()
	switch {
	case err != nil:
		log.Warn("the remembered lease is not used", "error", err)
	case why != "":
		log.Info("the remembered lease is not used", "text", why)
	}
	if !remembered.Held && d.host.Leftover() {
		log.Info("an earlier process left something here that no lease goes with; it is undone")
		if err := d.host.Withdraw(ctx, lease.Lease{}); err != nil {
			return nil, err
		}
	}
	saves := &stubborn{Link: d.store, trouble: p.registry.Link(l.FullName()).Trouble, log: log}
	cfg := d.config()
	cfg.Log, cfg.Store = log, saves
	changes := uint64(0)
	use := func(granted lease.Lease) (lease.Lease, []agent.Override) {
		return p.use(l.FullName(), d.policy(), granted)
	}
	hooks := o.hooksOf(d, p.hooks, remembered)
	return &agent.Parts{
		Client: &cfg, Remembered: remembered, Probe: o.conf.Probe.String(),
		Notify: func(e client.Event) { // there is no other sign of a change
			hooks.notify(&e)
			now := d.host.Changes()
			p.registry.Link(l.FullName()).Changed(int(now - changes))
			changes = now
		},
		Inform: func(ctx context.Context, server netip.Addr) (agent.Informed, error) {
			return p.inquire(ctx, l, d, server)
		},
		Used: use,
		Explain: func(granted lease.Lease) agent.Explanation {
			used, overrides := use(granted)
			return explain(l.FullName(), granted, used, overrides, d.host, d.machine.Parameters)
		},
		Notes: func(l lease.Lease) []agent.Refusal {
			if d.host.script.Configures() {
				return nil // it is the script's to follow
			}
			used, overrides := use(l)
			return append(refused(netconf.PlanFor(used, d.host.Options())), notDone(overrides)...)
		},
		Undo: func(ctx context.Context) error { return d.host.Withdraw(ctx, lease.Lease{}) },
		Down: d.host.Down,
		Close: func() error {
			saves.close()
			return d.close()
		},
	}, nil
}

func refused(p netconf.Plan) (out []agent.Refusal) {
	for _, r := range p.Refused {
		out = append(out, agent.Refusal{What: r.What, Why: r.Why})
	}
	return out
}

// inquire asks for configuration beside the client that keeps the link, on a
// socket of its own.
func (p *plan) inquire(ctx context.Context, link agent.Link, d *devices, server netip.Addr) (i agent.Informed, err error) {
	own, err := p.opening(link)
	if err != nil {
		return i, err
	}
	own.needs = needs{}
	in := machine.Inform{Server: server} // whom to ask, if that is known (RFC 2131, section 4.4.3)
	err = own.ns.Enter(func() error {
		in.Addr, err = d.addr(in.Addr)
		return err
	})
	if err != nil {
		return i, err
	}
	beside, err := own.open(ctx, d.ifi)
	if err != nil {
		return i, err
	}
	defer func() { err = errors.Join(err, beside.close()) }()
	c, err := client.New(beside.config())
	if err != nil {
		return i, err
	}
	l, err := c.Inform(ctx, in)
	i.Lease = informed(l, d.policy())
	_, i.Overrides = p.use(link.FullName(), d.policy(), l)
	return i, err
}
