package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/arpcheck"
	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/client/socket"
	"github.com/lessee/lessee/client/store"
	"github.com/lessee/lessee/netconf"
)

// The parts fit their sockets.
var (
	_ client.Conn         = (*socket.Conn)(nil)
	_ client.Prober       = (*arpcheck.Checker)(nil)
	_ client.Configurator = (*netconf.Host)(nil)
	_ client.Store        = (*store.Link)(nil)
)

// An errand is everything that is open while a command works on a link.
type errand struct {
	*settings
	now      func() time.Time
	ifi      socket.Link
	conn     *socket.Conn
	checker  *arpcheck.Checker
	host     *netconf.Host
	store    *store.Link
	pcap     *pcapFile
	ladder   *ladder
	progress *progress
	lock     *os.File
	drops    *drops

	unconfirmed bool // no server confirmed the remembered lease, and it is used
}

// What a command needs beside a socket.
type needs struct {
	host  bool // the link is set up and may be configured
	store bool // what is remembered
	check bool // ARP
}

// open opens what a command needs. Close it, whatever comes.
func open(ctx context.Context, s *settings, n needs) (_ *errand, err error) {
	o := &errand{settings: s, now: client.BootTime()}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.close())
		}
	}()
	if o.ifi, err = socket.LinkByName(s.link); err != nil {
		return nil, err
	}
	o.link = o.ifi.Name // an alternative name becomes the kernel's own
	if err = o.openViews(); err != nil {
		return nil, err
	}
	if n.host {
		if o.host, err = o.openHost(); err != nil {
			return nil, err
		}
		if err = o.host.Up(ctx); err != nil {
			return nil, err
		}
	} else if o.ifi.Flags&net.FlagRunning == 0 {
		return nil, fmt.Errorf("%s has no carrier or is down (ip link set %s up): %w", o.link, o.link, netconf.ErrNoCarrier)
	}
	o.conn, err = socket.Open(o.ifi, socket.Config{Tap: o.tapIP(), Dropped: o.drops.count})
	if err != nil {
		return nil, err
	}
	if n.check {
		o.checker, err = arpcheck.New(o.ifi.Interface(), arpcheck.Config{Mode: s.probe, Now: o.now, Tap: o.tapARP()})
		if err != nil {
			return nil, err
		}
	}
	if err = o.setIdentity(); err != nil {
		return nil, err
	}
	if n.store {
		o.store, err = store.Open(s.stateDir, o.link, o.ifi.Addr, o.machine.ClientID, o.now)
	}
	return o, err
}

// openHost locks the link, so that no two of us configure it, and opens it for
// configuration.
func (o *errand) openHost() (*netconf.Host, error) {
	var err error
	if o.lock, err = lockLink(o.runDir, o.link); err != nil {
		return nil, err
	}
	return netconf.Open(o.link, o.hostConfig())
}

// openViews opens what shows people what happens.
func (o *errand) openViews() (err error) {
	o.drops = &drops{log: o.log}
	if path := o.settings.pcap; path != "" {
		if o.pcap, err = createPcap(path, net.HardwareAddr(o.ifi.Addr)); err != nil {
			return err
		}
	}
	if o.trace {
		o.ladder = &ladder{out: os.Stderr, full: o.traceFull}
	} else if isTerminal(os.Stderr) {
		o.progress = newProgress(os.Stderr, o.link, time.Now().Add(o.timeout))
	}
	return nil
}

// setIdentity fills in what the link decides: who we are, and randomness that
// an attacker cannot guess.
func (o *errand) setIdentity() error {
	m := &o.machine
	var seed [32]byte
	if _, err := unix.Getrandom(seed[:], 0); err != nil {
		return fmt.Errorf("randomness: %w", err)
	}
	m.Rand = rand.New(rand.NewChaCha8(seed))
	m.Link.HType, m.Link.CHAddr = o.ifi.HType, o.ifi.CHAddr()
	m.Link.Broadcast = m.Link.Broadcast || o.ifi.NeedsBroadcast()
	m.MaxMessageSize = uint16(min(max(o.ifi.MTU, 576), 1500))
	switch o.clientID {
	case "mac", "":
		m.ClientID = dhcp4.HardwareClientID(o.ifi.HType, o.ifi.Addr)
	case "none":
	case "duid":
		id, warning, err := store.LoadIdentity(o.stateDir, o.ifi.HType, o.ifi.Addr)
		if err != nil {
			return err
		}
		if warning != nil {
			o.log.Warn("identity", "error", warning)
		}
		if m.ClientID, err = id.ClientID(o.link); err != nil {
			return err
		}
	default:
		b, err := dhcp4.ClientIdentifier.Parse(o.clientID)
		if err != nil {
			return &usageError{fmt.Sprintf("--client-id %s: %v", o.clientID, err), fmt.Sprintf("lessee %s %s --client-id duid", o.command, o.link)}
		}
		m.ClientID = b
	}
	return nil
}

// client returns a client made of what is open.
func (o *errand) client(links <-chan client.LinkState) (*client.Client, error) {
	cfg := client.Config{
		Machine: o.machine, Conn: o.conn, Link: links, Now: o.now,
		Log: o.log.With("link", o.link), Notify: o.notify,
	}
	if o.checker != nil {
		cfg.Prober = o.checker
	}
	if o.host != nil {
		cfg.Configurator = o.host
	}
	if o.store != nil {
		cfg.Store = o.store
	}
	return client.New(cfg)
}

// notify shows an event to whoever looks.
func (o *errand) notify(e client.Event) {
	if o.ladder != nil {
		o.ladder.event(e)
	}
	o.progress.event(e)
	if e.Kind == client.Reported && e.Report.Cause == machine.CauseUnconfirmed {
		o.unconfirmed = true
	}
}

// tapIP and tapARP follow packets, if anybody wants to.
func (o *errand) tapIP() func(socket.Frame) {
	if o.pcap == nil {
		return nil
	}
	return func(f socket.Frame) { o.pcap.write(f.Time, f.Sent, etherIPv4, net.HardwareAddr(f.Peer), f.Data) }
}

func (o *errand) tapARP() func(arpcheck.Frame) {
	if o.pcap == nil && o.ladder == nil {
		return nil
	}
	return func(f arpcheck.Frame) {
		o.pcap.write(f.Time, f.Sent, etherARP, f.Peer, f.Data)
		if o.ladder != nil {
			o.ladder.arp(o.now(), f.Sent, arpLabel(f.Data), f.Peer)
		}
	}
}

// watch follows the link's carrier until ctx ends.
func (o *errand) watch(ctx context.Context) (<-chan client.LinkState, error) {
	states, err := netconf.Watch(ctx, o.ifi.Index)
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

// remembered loads what is known from before. What cannot be used is told, and
// serves as an address to wish for at best.
func (o *errand) remembered() client.Remembered {
	r, err := o.store.Load()
	if err != nil {
		o.log.Warn("the remembered lease is not used", "link", o.link, "error", err)
	}
	l := r.Lease
	if !r.Usable && !l.IsZero() {
		o.log.Info("the remembered lease is not used", "link", o.link, "addr", l.Addr, "text", r.Why)
		l = hint(l, o.now())
	}
	return client.Remembered{Lease: l, Held: o.host != nil && o.host.Holds(l)}
}

// hint is a lease of which only the address and the server are worth
// anything.
func hint(l lease.Lease, now time.Time) lease.Lease {
	return lease.Lease{Addr: l.Addr, Server: l.Server, Start: now, T1: now, T2: now, Expiry: now}
}

// close closes whatever is open.
func (o *errand) close() error {
	o.progress.close()
	var errs []error
	if o.checker != nil {
		errs = append(errs, o.checker.Close())
	}
	if o.conn != nil {
		errs = append(errs, o.conn.Close())
	}
	if o.lock != nil {
		errs = append(errs, o.lock.Close())
	}
	return errors.Join(append(errs, o.pcap.close())...)
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
