package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/lessee/lessee/arpcheck"
	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/client/socket"
	"github.com/lessee/lessee/netconf"
	"github.com/lessee/lessee/netconf/hook"
)

// An errand is everything that is open while a command works on a link.
type errand struct {
	*settings
	*devices
	pcap     *pcapFile
	ladder   *ladder
	progress *progress
	drops    *drops
	hooks    *linkHooks // nil: the host is left alone

	unconfirmed bool            // no server confirmed the remembered lease, and it is used
	offers      []machine.Offer // among which one was chosen
}

// open opens what a command needs. Close it, whatever comes.
func open(ctx context.Context, s *settings, n needs) (_ *errand, err error) {
	if err := capable(n.configure); err != nil {
		return nil, err
	}
	e := &errand{settings: s, drops: &drops{log: s.log}}
	o := s.opening(n)
	ifi, err := o.find()
	if name, netns, at := strings.Cut(s.link, "@"); err != nil && at { // as "ip link" prints it, or as the agent takes it
		err = fmt.Errorf("%w (the name is %s; of a link in another network namespace: ip netns exec %s lessee ...)", err, name, netns)
	}
	if err != nil {
		return nil, err
	}
	s.link = ifi.Name // an alternative name becomes the kernel's own
	switch {
	case n.configure || ifi.Flags&net.FlagRunning != 0:
	case ifi.Flags&net.FlagUp == 0:
		return nil, fmt.Errorf("%s is down, so that it has %w (ip link set %s up)", s.link, netconf.ErrNoCarrier, s.link)
	default:
		return nil, fmt.Errorf("%s is up and has %w: is the cable in, and the other end up?", s.link, netconf.ErrNoCarrier)
	}
	if err = e.openViews(ifi); err != nil {
		return nil, errors.Join(err, e.close())
	}
	o.tapIP, o.tapARP, o.dropped = e.tapIP(), e.tapARP(), e.drops.count
	if e.devices, err = o.open(ctx, ifi); err != nil {
		return nil, errors.Join(err, e.close())
	}
	if n.configure {
		e.hooks = o.hooksOf(e.devices, hook.NewRunner(s.log, nil), client.Remembered{})
		e.hooks.once = true
	}
	return e, nil
}

// opening is what the settings say of how the link is opened.
func (s *settings) opening(n needs) *opening {
	return &opening{
		link: s.link, conf: s.conf, policy: func() lease.Policy { return s.conf.Policy }, machine: s.machine, stateDir: s.stateDir, runDir: s.runDir,
		clientID: s.formerID, settings: s.toRemember(),
		now: client.BootTime(), log: s.log, host: s.hostConfig(), needs: n,
	}
}

// openViews opens what shows people what happens.
func (e *errand) openViews(ifi socket.Link) (err error) {
	if path := e.settings.pcap; path != "" {
		if e.pcap, err = createPcap(path, net.HardwareAddr(ifi.Addr)); err != nil {
			return err
		}
	}
	if e.trace {
		e.ladder = &ladder{out: os.Stderr, ascii: onlyASCII(os.Stderr), full: e.traceFull}
	} else if isTerminal(os.Stderr) && !e.quiet {
		e.progress = newProgress(os.Stderr, e.link, time.Now().Add(e.timeout))
	}
	return nil
}

// client returns a client made of what is open, which follows the link until
// ctx ends.
func (e *errand) client(ctx context.Context) (*client.Client, error) {
	cfg := e.devices.config()
	links, err := e.watch(ctx)
	if err != nil {
		return nil, err
	}
	cfg.Link, cfg.Log, cfg.Notify = links, e.log.With("link", e.link), e.notify
	return client.New(cfg)
}

// notify shows an event to whoever looks.
func (e *errand) notify(ev client.Event) {
	e.hooks.notify(&ev)
	if e.ladder != nil {
		e.ladder.event(ev)
	}
	e.progress.event(ev)
	if ev.Kind != client.Reported {
		return
	}
	switch ev.Report.Cause {
	case machine.CauseUnconfirmed:
		e.unconfirmed = true
	case machine.CauseChosen:
		e.offers = ev.Report.Offers
	}
}

// tapIP and tapARP follow packets, if anybody wants to.
func (e *errand) tapIP() func(socket.Frame) {
	if e.pcap == nil {
		return nil
	}
	return func(f socket.Frame) { e.pcap.write(f.Time, f.Sent, etherIPv4, net.HardwareAddr(f.Peer), f.Data) }
}

func (e *errand) tapARP() func(arpcheck.Frame) {
	if e.pcap == nil && e.ladder == nil {
		return nil
	}
	return func(f arpcheck.Frame) {
		e.pcap.write(f.Time, f.Sent, etherARP, f.Peer, f.Data)
		if e.ladder != nil {
			e.ladder.arp(f.Time, f.Sent, arpLabel(f.Data), f.Peer)
		}
	}
}

// watch follows the link's carrier until ctx ends.
func (e *errand) watch(ctx context.Context) (<-chan client.LinkState, error) {
	states, err := netconf.Watch(ctx, e.here, e.ifi.Index)
	if err != nil {
		return nil, err
	}
	out := make(chan client.LinkState)
	go func() {
		for s := range states {
			select {
			case out <- client.LinkState{Up: s.Carrier, Gone: s.Gone}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// memory is what is known from before, told to the log if it is no use.
func (e *errand) memory() client.Remembered {
	r, why, err := e.remembered()
	if err != nil {
		e.log.Warn("the remembered lease is not used", "link", e.link, "error", err)
	}
	if why != "" {
		e.log.Info("the remembered lease is not used", "link", e.link, "addr", r.Lease.Addr, "text", why)
	}
	return r
}

// close closes whatever is open.
func (e *errand) close() error {
	e.progress.close()
	err := e.hooks.close()
	if err != nil {
		e.log.Warn("the hooks were not run to their end", "link", e.link, "error", err)
		err = nil
	}
	if e.devices != nil {
		err = e.devices.close()
	}
	return errors.Join(err, e.pcap.close())
}

// drops counts frames that never became messages, by reason.
type drops struct {
	log interface {
		Debug(msg string, args ...any)
	}
	mu     sync.Mutex
	counts map[string]int
}

// count notes one frame.
func (d *drops) count(reason error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.counts == nil {
		d.counts = map[string]int{}
	}
	key := reason.Error()
	if len(d.counts) < 64 { // reasons are few, but some quote the packet
		d.counts[key]++
	}
	d.log.Debug("dropped", "reason", key, "count", d.counts[key])
}
