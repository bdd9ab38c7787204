package netconf

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/netconf/resolv"
)

// Errors that commands tell apart.
var (
	ErrNoLink    = errors.New("no such interface")
	ErrNoCarrier = errors.New("no carrier")
)

// Config is how a host is to be configured.
type Config struct {
	Options
	StateDir   string // where the record is kept
	ResolvConf string // the resolver's file; "" or "none" leaves it alone

	Now func() time.Time // the clock of the leases; nil: time.Now
	Log *slog.Logger     // nil: silence
}

// A kernel holds one link's configuration. Errors are errno values.
type kernel interface {
	mtu() (int, error)
	setMTU(int) error
	addrs() ([]kernelAddr, error)
	addAddr(a Address, left time.Duration) error     // EEXIST if it is there
	replaceAddr(a Address, left time.Duration) error // left 0: for ever
	delAddr(netip.Prefix) error
	addRoute(Route) error // EEXIST if one of the same key is there
	replaceRoute(Route) error
	delRoute(Route) error
	hasRoute(Route) (bool, error)
	up() (was bool, err error) // sets the link up
	down() error
	waitCarrier(context.Context) error
}

// kernelAddr is an address that the kernel has.
type kernelAddr struct {
	prefix netip.Prefix
	ours   bool // it carries our protocol
	left   time.Duration
}

// A Host configures one link of this host. It is not safe for concurrent use.
type Host struct {
	link   string
	cfg    Config
	kernel kernel
	resolv resolv.Backend
	path   string // of the record
	record record
}

// Open opens a link for configuration and reads what an earlier process did to
// it. Nothing is changed. The error is ErrNoLink if there is no such link.
func Open(link string, cfg Config) (*Host, error) {
	k, index, err := openKernel(link)
	if err != nil {
		return nil, fmt.Errorf("configure %s: %w", link, err)
	}
	return newHost(link, index, k, cfg), nil
}

func newHost(link string, index int, k kernel, cfg Config) *Host {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h := &Host{link: link, cfg: cfg, kernel: k, path: recordPath(cfg.StateDir, link)}
	h.resolv = resolv.None{}
	if cfg.ResolvConf != "" && cfg.ResolvConf != "none" {
		h.resolv = resolv.NewFile(cfg.ResolvConf, cfg.StateDir)
	}
	var err error
	if h.record, err = loadRecord(h.path, bootID(), index); err != nil {
		cfg.Log.Warn("what was done before is not known", "link", link, "error", err)
	}
	return h
}

// Up sets the link up, if it is not, and waits for its carrier until ctx ends.
func (h *Host) Up(ctx context.Context) error {
	was, err := h.kernel.up()
	if err != nil {
		return fmt.Errorf("set %s up: %w", h.link, explain(err))
	}
	if !was {
		h.record.WasDown = true
		if err := h.record.save(h.path); err != nil {
			return err
		}
	}
	if err := h.kernel.waitCarrier(ctx); err != nil {
		return fmt.Errorf("wait for the carrier of %s: %w", h.link, err)
	}
	return nil
}

// Holds reports whether the host holds l's address, and we made it so. For the
// zero Lease it reports whether anything of ours is there at all.
func (h *Host) Holds(l lease.Lease) bool {
	if l.IsZero() {
		return !h.record.empty()
	}
	if h.record.Address == nil || h.record.Address.Prefix != l.Addr {
		return false
	}
	list, err := h.kernel.addrs()
	return err == nil && slices.ContainsFunc(list, func(a kernelAddr) bool { return a.prefix == l.Addr && a.ours })
}

// Apply makes the host hold l, changing only what differs from what it holds
// of ours. On error, all that this call changed has been taken back.
func (h *Host) Apply(_ context.Context, l lease.Lease) error {
	p := PlanFor(l, h.cfg.Options)
	before := h.record
	before.Routes = slices.Clone(before.Routes)
	a := &applier{Host: h, plan: p}
	err := a.run(before)
	if err == nil {
		for _, r := range p.Refused {
			h.cfg.Log.Info("not followed", "link", h.link, "what", r.What, "why", r.Why)
		}
		return nil
	}
	a.takeBack()
	h.record = before
	return fmt.Errorf("configure %s for %v: %w", h.link, l.Addr, errors.Join(err, h.record.save(h.path)))
}

// Withdraw undoes everything that was applied. What is gone already is no
// error.
func (h *Host) Withdraw(_ context.Context, _ lease.Lease) error {
	var errs []error
	for _, r := range slices.Backward(h.record.Routes) {
		errs = append(errs, gone(h.kernel.delRoute(r)))
	}
	if a := h.record.Address; a != nil {
		errs = append(errs, gone(h.kernel.delAddr(a.Prefix)))
	}
	errs = append(errs, h.restoreMTU())
	if h.record.Resolv {
		errs = append(errs, h.resolv.Unset(h.link))
	}
	h.record = record{BootID: h.record.BootID, Index: h.record.Index, WasDown: h.record.WasDown}
	errs = append(errs, h.record.save(h.path))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("take the lease off %s: %w", h.link, explain(err))
	}
	return nil
}

// restoreMTU puts back the MTU that was there, unless somebody else has
// changed it since.
func (h *Host) restoreMTU() error {
	if h.record.MTU == 0 {
		return nil
	}
	now, err := h.kernel.mtu()
	if err != nil || now != h.record.MTU {
		return gone(err)
	}
	return gone(h.kernel.setMTU(h.record.OldMTU))
}

// Down sets the link down again if we set it up and nothing else uses it. It
// ends what Up began.
func (h *Host) Down() error {
	if !h.record.WasDown {
		return nil
	}
	h.record.WasDown = false
	list, err := h.kernel.addrs()
	if err == nil && len(list) == 0 {
		err = h.kernel.down()
	}
	if err := errors.Join(gone(err), h.record.save(h.path)); err != nil {
		return fmt.Errorf("set %s down again: %w", h.link, err)
	}
	return nil
}
