package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"

	"github.com/lessee/lessee/arpcheck"
	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/client/socket"
	"github.com/lessee/lessee/client/store"
	"github.com/lessee/lessee/cmd/lessee/config"
	"github.com/lessee/lessee/netconf"
)

// The parts fit their sockets.
var (
	_ client.Conn         = (*socket.Conn)(nil)
	_ client.Prober       = (*arpcheck.Checker)(nil)
	_ client.Configurator = (*host)(nil)
	_ client.Store        = (*store.Link)(nil)
)

// An opening says what is to be opened for a link, and how.
type opening struct {
	link     string             // the kernel's name, or an alternative one
	ns       *netconf.Namespace // where the link is; nil: here
	conf     config.Link
	policy   func() lease.Policy // what is made of leases
	machine  machine.Config      // of conf; Link, ClientID and Rand are still open
	stateDir string
	runDir   string
	control  string // the socket by which whoever holds the link can be asked; empty: none
	identity *sync.Mutex
	clientID *dhcp4.ClientID // that the lease was got with; nil: the one of conf
	settings json.RawMessage // that are remembered with a lease

	now     func() time.Time
	log     interface{ Warn(string, ...any) }
	host    netconf.Config // but for Namespace, the directories and Now
	tapIP   func(socket.Frame)
	tapARP  func(arpcheck.Frame)
	dropped func(error)

	needs
}

// needs are what is needed beside a socket.
type needs struct {
	configure bool // the link is locked and may be configured
	up        bool // it is set up, and its carrier waited for
	remember  bool // what is remembered
	check     bool // ARP
}

// devices are what is open for one link, whoever uses it: a command for a
// moment, or the agent for years.
type devices struct {
	ifi     socket.Link
	lock    *os.File
	conn    *socket.Conn
	checker *arpcheck.Checker
	host    *host
	here    *netconf.Namespace // one socket for all that is asked of the kernel; nil: the opening's has it
	store   *store.Link
	policy  func() lease.Policy
	machine machine.Config // with nothing left open
	now     func() time.Time
}

// find asks the kernel about the link.
func (o *opening) find() (ifi socket.Link, err error) {
	err = o.ns.Enter(func() error {
		ifi, err = socket.LinkByName(o.link)
		return err
	})
	return ifi, err
}

// open opens what is needed. Close it, whatever comes.
func (o *opening) open(ctx context.Context, ifi socket.Link) (d *devices, err error) {
	d = &devices{ifi: ifi, now: o.now, policy: o.policy, machine: o.machine}
	steps := []func(context.Context, *devices) error{o.setIdentity, o.openHost, o.openConn, o.openChecker, o.openStore}
	for _, step := range steps {
		if err = step(ctx, d); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	return d, nil
}

// key is the link's name among all namespaces'.
func (o *opening) key(d *devices) string {
	if o.ns.Name() == "" {
		return d.ifi.Name
	}
	return d.ifi.Name + "@" + o.ns.Name()
}

// openHost locks the link, so that no two of us configure it, and opens it for
// configuration.
func (o *opening) openHost(ctx context.Context, d *devices) (err error) {
	if !o.configure {
		return nil
	}
	if d.lock, err = lockLink(o.runDir, o.key(d), o.control); err != nil {
		return err
	}
	if d.host, err = o.openHostOf(d); err != nil {
		return err
	}
	if !o.up {
		return nil
	}
	if err = d.host.Up(ctx); err != nil {
		return errors.Join(err, d.host.Down())
	}
	return nil
}

// openConn opens the sockets, in the link's namespace.
func (o *opening) openConn(_ context.Context, d *devices) error {
	return o.ns.Enter(func() (err error) {
		d.conn, err = socket.Open(d.ifi, socket.Config{Tap: o.tapIP, Dropped: o.dropped})
		return err
	})
}

func (o *opening) openChecker(_ context.Context, d *devices) error {
	if !o.check {
		return nil
	}
	return o.ns.Enter(func() (err error) {
		d.checker, err = arpcheck.New(d.ifi.Interface(), arpcheck.Config{
			Mode: o.conf.Probe, Defence: o.conf.Defence, Now: o.now, Tap: o.tapARP, Enter: o.ns.Enter,
		})
		return err
	})
}

func (o *opening) openStore(_ context.Context, d *devices) (err error) {
	if o.remember {
		if d.store, err = store.Open(o.stateDir, o.key(d), d.ifi.Addr, d.machine.ClientID, o.now); err != nil {
			return err
		}
		d.store.Settings = o.settings
		if o.configure {
			o.takeOver(d)
		}
	}
	return nil
}

// setIdentity fills in what the link decides: who we are, and randomness that
// an attacker cannot guess.
func (o *opening) setIdentity(_ context.Context, d *devices) error {
	m := &d.machine
	m.Rand = rand.New(rand.NewChaCha8(o.seed(d.ifi)))
	m.Link.HType, m.Link.CHAddr = d.ifi.HType, d.ifi.CHAddr()
	m.Link.Broadcast = m.Link.Broadcast || d.ifi.NeedsBroadcast()
	m.MaxMessageSize = uint16(min(max(d.ifi.MTU, 576), 1500))
	if o.clientID != nil {
		m.ClientID = *o.clientID
		return nil
	}
	return o.setClientID(d)
}

func (o *opening) setClientID(d *devices) (err error) {
	m := &d.machine
	switch o.conf.ClientID {
	case "mac":
		m.ClientID = dhcp4.HardwareClientID(d.ifi.HType, d.ifi.Addr)
	case "none":
		m.ClientID = nil
	case "duid":
		if o.identity != nil { // links that begin at once share the file
			o.identity.Lock()
			defer o.identity.Unlock()
		}
		id, warning, err := store.LoadIdentity(o.stateDir, d.ifi.HType, d.ifi.Addr)
		if err != nil {
			return err
		}
		if warning != nil {
			o.log.Warn("identity", "link", o.key(d), "error", warning)
		}
		m.ClientID, err = id.ClientID(o.key(d))
		return err
	default:
		if m.ClientID, err = dhcp4.ClientIdentifier.Parse(o.conf.ClientID); err != nil {
			return fmt.Errorf("client-id: %w", err) // it was checked when it was read
		}
	}
	return nil
}

// config is a client made of what is open.
func (d *devices) config() client.Config {
	cfg := client.Config{Machine: d.machine, Conn: d.conn, Now: d.now}
	if d.checker != nil {
		cfg.Prober = d.checker
	}
	if d.host != nil {
		cfg.Configurator = overrider{d.host, d}
	}
	if d.store != nil {
		cfg.Store = d.store
	}
	return cfg
}

// remembered is what is known from before. What cannot be used serves as an
// address to wish for at best; why says so, and err that it could not be read.
func (d *devices) remembered() (_ client.Remembered, why string, err error) {
	r, err := d.store.Load()
	l := r.Lease
	if !r.Usable && !l.IsZero() {
		why = r.Why
		l = hint(l, d.now())
	}
	used, _ := d.policy().Use(l)
	held := d.host != nil && !l.IsZero() && d.host.Holds(used)
	return client.Remembered{Lease: l, Held: held}, why, err
}

// hint is a lease of which only the address and the server are worth
// anything.
func hint(l lease.Lease, now time.Time) lease.Lease {
	return lease.Lease{Addr: l.Addr, Server: l.Server, Start: now, T1: now, T2: now, Expiry: now}
}

// hasCarrier reports whether packets could pass when the link was asked for.
func (d *devices) hasCarrier() bool {
	return d.ifi.Flags&net.FlagRunning != 0 && d.ifi.Flags&net.FlagUp != 0
}

// close closes whatever is open.
func (d *devices) close() error {
	var errs []error
	if d.checker != nil {
		errs = append(errs, d.checker.Close())
	}
	if d.conn != nil {
		errs = append(errs, d.conn.Close())
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Close())
	}
	errs = append(errs, d.here.Close())
	return errors.Join(errs...)
}
