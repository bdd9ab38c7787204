package netconf

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/lease"
)

// A Step is one change to the host.
type Step struct {
	Kind Kind   `json:"kind"`
	Do   string `json:"do"` // a command that would do the same, or what would be done to a file

	// Renewal: what is there gets another lifetime, and nothing else
	// changes.
	Renewal bool `json:"renewal,omitempty"`
}

// Look opens a link for [Host.Difference] alone: nothing is changed, also not
// by the opening, and another process may have the link in hand.
func Look(link string, cfg Config) (*Host, error) {
	k, now, err := openKernel(cfg.Namespace, link)
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", link, err)
	}
	cfg.dry = true
	return newHost(now, k, cfg), nil
}

// Difference returns what Apply would change for l, in order, and changes
// nothing. Options then know what the resolver would make of it.
func (h *Host) Difference(ctx context.Context, l lease.Lease) ([]Step, error) {
	return h.difference(ctx, l, &dry{link: h.link})
}

func (h *Host) difference(ctx context.Context, l lease.Lease, d *dry) ([]Step, error) {
	shadow := &Host{
		link: h.link, cfg: h.cfg, kernel: d.kernel(h.kernel), resolv: h.resolv, path: h.path, record: h.record,
		findings: findings{badMTU: h.badMTU}, told: maps.Clone(h.told), dry: d,
	}
	shadow.decide(h.Options())
	shadow.cfg.Log, shadow.cfg.Trouble = slog.New(slog.DiscardHandler), nil
	if err := shadow.Apply(ctx, l); err != nil {
		return nil, err
	}
	d.decided = shadow.Options()
	if !d.kernelOnly {
		h.names, h.blocked, h.networkd = shadow.names, shadow.blocked, shadow.networkd
		h.decide(h.Options())
	}
	return d.steps, nil
}

// dry is an Apply that does nothing, but for notes of what it would do.
type dry struct {
	link  string
	steps []Step

	kernelOnly bool    // resolvers are not asked, who may not answer
	decided    Options // by what it did
}

//go:noinline
func (d *dry) step(kind Kind, format string, args ...any) {
	d.steps = append(d.steps, Step{Kind: kind, Do: fmt.Sprintf(format, args...)})
}

// kernel is k for looking at.
func (d *dry) kernel(k kernel) kernel {
	does := func(kind Kind, format string, args ...any) error {
		d.step(kind, format, args...)
		return nil
	}
	k.up = func() error { return does(KindLink, "ip link set %s up", d.link) }
	k.down = func() error { return does(KindLink, "ip link set %s down", d.link) }
	k.setMTU = func(n int) error { return does(KindMTU, "ip link set %s mtu %d", d.link, n) }
	k.addAddr = func(a Address, left time.Duration) error {
		return does(KindAddress, "ip address add %s", d.addr(a, left))
	}
	k.replaceAddr = func(a Address, left time.Duration) error {
		err := does(KindAddress, "ip address replace %s", d.addr(a, left))
		d.steps[len(d.steps)-1].Renewal = true
		return err
	}
	k.delAddr = func(p netip.Prefix) error { return does(KindAddress, "ip address del %v dev %s", p, d.link) }
	k.putBack = func(a kernelAddr) error { return does(KindAddress, "ip address add %v dev %s", a.Prefix, d.link) }
	k.restore = func(keepsake) error { return nil } // nothing was taken along
	k.addRoute = func(r Route) error { return does(KindRoute, "ip route add %v dev %s proto dhcp", r, d.link) }
	k.replaceRoute = func(r Route) error { return does(KindRoute, "ip route replace %v dev %s proto dhcp", r, d.link) }
	k.delRoute = func(r Route) error { return does(KindRoute, "ip route del %v dev %s proto dhcp", r, d.link) }
	k.addRule = func(r Rule) error { return does(KindRule, "ip rule add %v protocol dhcp", r) }
	k.delRule = func(r Rule) error { return does(KindRule, "ip rule del %v protocol dhcp", r) }
	k.setARPFilter = func(value int) error { return does(KindSysctl, "sysctl %s", sysctlText(d.link, value)) }
	return k
}

// addr is an address as ip-address(8) takes it.
func (d *dry) addr(a Address, left time.Duration) string {
	text := a.Prefix.String()
	switch {
	case a.Broadcast.IsValid():
		text += " brd " + a.Broadcast.String()
	case a.Prefix.Bits() < 31:
		text += " brd +"
	}
	text += " dev " + d.link + " noprefixroute"
	if left > 0 {
		text += fmt.Sprintf(" valid_lft %d preferred_lft %[1]d", left/time.Second)
	}
	return text
}

// setNames hands the name servers to the resolver, or tells what that would do.
func (a *applier) setNames() error {
	switch {
	case a.dry == nil:
		return a.names()
	case a.dry.kernelOnly:
		return nil
	}
	return a.rehearseNames()
}
