package netconf

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/netconf/atomicfile"
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
	Namespace  *Namespace // where the link is; nil: in the caller's own
	RunDir     string     // where the record is kept, which ends with a boot; "": in StateDir
	StateDir   string     // where is kept what stood in the resolver's file, which does not
	ResolvConf string     // the resolver's file; "" or "none" leaves names alone
	Resolver   string     // who is told of names: auto, resolved, resolvconf, file or none (package resolv); "": auto

	Now func() time.Time // the clock of the leases; nil: time.Now
	Log *slog.Logger     // nil: silence

	// Trouble, if not nil, is told of what is wrong with the host but no
	// reason to have no address: a disk that is full or read-only. It hears
	// of each kind once, and again only after it was over.
	Trouble func(error)

	step func(what string) // called before each change to a file: tests die there
	dry  bool              // nothing is to be changed
}

// runDir is where the record is.
func (c Config) runDir() string {
	if c.RunDir == "" {
		return c.StateDir
	}
	return c.RunDir
}

// A Host configures one link of this host. It is not safe for concurrent use,
// but for Changes and Options.
type Host struct {
	link   string
	cfg    Config
	kernel kernel
	resolv resolv.Backend // that was chosen last

	path      string // of the record
	record    record
	written   [16]byte // fingerprint of what stands there
	isWritten bool

	findings
	options atomic.Pointer[Options] // as the link decides them
	inVRF   bool                    // the link belongs to a VRF
	told    map[string]string       // see news
	changes atomic.Uint64

	repaired   []time.Time   // when something was put back
	unfinished time.Duration // see Unfinished
	dry        *dry          // of a Host that only looks
}

// Open opens a link for configuration and reads what an earlier process did to
// it, also if the link had another name then. Nothing is changed. The error is
// ErrNoLink if there is no such link.
func Open(link string, cfg Config) (*Host, error) {
	k, now, err := openKernel(cfg.Namespace, link)
	if err != nil {
		return nil, fmt.Errorf("configure %s: %w", link, err)
	}
	return newHost(now, k, cfg), nil
}

func newHost(now linkNow, k kernel, cfg Config) *Host {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h := &Host{link: now.name, cfg: cfg, kernel: k, resolv: resolv.None{}}
	h.decide(cfg.Options.on(now, cfg.Namespace).beside(cfg, now.name))
	h.path = recordPath(cfg.runDir(), h.key())
	blank := record{BootID: atomicfile.BootID(), Index: now.index, Namespace: cfg.Namespace.Name()}
	if !cfg.dry {
		h.findFormerName(blank)
	}
	var err error
	if h.record, err = loadRecord(h.path, blank); err != nil {
		cfg.Log.Warn("what was done before is not known", "link", h.link, "error", err)
	}
	return h
}

// key is the link's name among all namespaces'.
func (h *Host) key() string { return keyOf(h.link, h.cfg.Namespace.Name()) }

// Options returns the options that leases are followed by, with what the link
// decides: the metric that [AutoMetric] stands for, and of the latest Apply the
// table, the source routing, and why the MTU is another. It may be called at any
// time.
func (h *Host) Options() Options { return *h.options.Load() }

func (h *Host) decide(o Options) {
	o.found = h.findings
	h.options.Store(&o)
}

// Changes returns how many requests to the kernel have changed something; a
// lifetime that was renewed counts. It may be called at any time.
func (h *Host) Changes() uint64 { return h.changes.Load() }

// Up sets the link up, if it is not, and waits for its carrier until ctx ends.
func (h *Host) Up(ctx context.Context) error {
	carrier, err := h.setUp()
	if err != nil || carrier {
		return err
	}
	if err := h.waitCarrier(ctx); err != nil {
		return fmt.Errorf("wait for the carrier of %s: %w", h.link, err)
	}
	return nil
}

// SetUp sets the link up, if it is not, and does not wait.
func (h *Host) SetUp() error {
	_, err := h.setUp()
	return err
}

func (h *Host) setUp() (carrier bool, err error) {
	now, err := h.kernel.now()
	if err == nil && !now.up {
		h.record.WasDown = true
		h.save()
		err = h.did(h.kernel.up())
	}
	if err != nil {
		return false, fmt.Errorf("set %s up: %w", h.link, explain(err))
	}
	return now.carrier, nil
}

// carrierStep is how often waitCarrier looks. A subscription would cost more
// than the usual wait, which is none.
const carrierStep = 20 * time.Millisecond

func (h *Host) waitCarrier(ctx context.Context) error {
	tick := time.NewTicker(carrierStep)
	defer tick.Stop()
	for {
		now, err := h.kernel.now()
		switch {
		case err != nil:
			return err
		case now.carrier:
			return nil
		}
		select {
		case <-ctx.Done():
			err := context.Cause(ctx)
			if errors.Is(err, context.DeadlineExceeded) {
				err = fmt.Errorf("%w: is the cable in, and the other end up? (%w)", ErrNoCarrier, err)
			}
			return err
		case <-tick.C:
		}
	}
}

// Down sets the link down again if we set it up and nothing else uses it: it
// has no other address, IPv6 counting, but for those that every link has, and no
// route of others', and is neither part of a bridge or the like nor below a VLAN
// or the like. It ends what Up began.
func (h *Host) Down() error {
	if !h.record.WasDown {
		return nil
	}
	used, err := h.isUsed()
	if err == nil && !used {
		err = h.setDown()
	}
	if err := gone(err); err != nil {
		return fmt.Errorf("set %s down again: %w", h.link, explain(err))
	}
	h.record.WasDown = false
	h.save()
	return nil
}

// isUsed reports whether others use the link, or it is down anyway.
func (h *Host) isUsed() (used bool, err error) {
	now, err := h.kernel.now()
	if err != nil || !now.up || now.enslaved {
		return true, err
	}
	list, err := h.kernel.addrs()
	if err != nil || slices.ContainsFunc(list, func(a kernelAddr) bool { return !a.Prefix.Addr().IsLinkLocalUnicast() }) {
		return true, err
	}
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		list, err := h.kernel.belongings(family)
		if err != nil || slices.ContainsFunc(list, func(k keepsake) bool { return k.Kind == unix.RTM_NEWROUTE }) {
			return true, err
		}
	}
	return h.kernel.carries()
}

// setDown sets the link down. Permanent neighbours of others', which a link may
// have that is down, would go with that.
func (h *Host) setDown() error {
	if err := h.keep(unix.AF_INET, unix.AF_INET6); err != nil {
		return err
	}
	return errors.Join(h.did(h.kernel.down()), h.giveBack(true))
}

// Holds reports whether the host holds l's address, and we made it so. For the
// zero Lease it is Leftover.
func (h *Host) Holds(l lease.Lease) bool {
	if l.IsZero() {
		return h.Leftover()
	}
	list, err := h.kernel.addrs()
	return err == nil && slices.ContainsFunc(list, func(a kernelAddr) bool { return a.Prefix == l.Addr && h.owns(a) })
}

// Leftover reports whether anything of ours is on the host, or may be: by the
// record, by the resolver's file, or by the kernel's marks. A process that
// finds that, and no valid lease to go with it, calls Withdraw.
func (h *Host) Leftover() bool {
	if !h.record.empty() || h.holdsSystem() || h.cfg.names().Holds(h.key()) {
		return true
	}
	list, err := h.kernel.addrs()
	rules, errRules := h.rules()
	return err == nil && slices.ContainsFunc(list, h.owns) || errRules == nil && slices.ContainsFunc(rules, h.ownsRule)
}
