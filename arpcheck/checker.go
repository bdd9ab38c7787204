package arpcheck

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A Frame is an ARP packet that was sent or heard, for traces.
type Frame struct {
	Time time.Time
	Sent bool             // false: heard
	Data []byte           // from the ARP header; valid during the call only
	Peer net.HardwareAddr // who sent it, or whom it was sent to
}

// Config contains options for a [Checker]. The zero Config is a good one.
type Config struct {
	// Mode says how long addresses are checked. Default: Fast.
	Mode Mode
	// Timing replaces the numbers of the mode, unless it is zero.
	Timing Timing
	// Defence says what to do about conflicts over an address in use.
	Defence Defence
	// Enter runs f where the link lives, and returns its error, if that is
	// another network namespace than the caller's; nil: right here. It is
	// called, also at the same time, wherever a socket is opened or the
	// namespace is looked at. An open socket stays where it was opened.
	Enter func(f func() error) error
	// Own lists hardware addresses whose packets are never a conflict,
	// besides those of this host's interfaces (in the link's network
	// namespace), which are known anyway.
	Own []net.HardwareAddr
	// Tap, if not nil, is called with every packet sent and heard, from the
	// goroutine that called the Checker.
	Tap func(Frame)
	// Now is the clock; nil: time.Now. A clock that counts on while the
	// machine sleeps keeps DEFEND_INTERVAL right over a suspend.
	Now func() time.Time
	// Rand spreads the probes; nil: seeded by the system. It must not be
	// used by others at the same time.
	Rand *rand.Rand
}

// A Checker checks addresses on one link for conflicts. Its methods may be
// called at the same time. Close it after use.
type Checker struct {
	ifi    net.Interface
	cfg    Config
	noARP  error // why the link has no ARP, if so
	own    *ownAddrs
	listen func(*net.Interface, netip.Addr) (wire, error)

	heard chan struct{} // has a token when there may be something to Check

	mu        sync.Mutex
	rand      *rand.Rand
	guard     *guard // of the address in use; nil: none
	line      *line  // the last one opened
	announced struct {
		addr netip.Addr
		at   time.Time
	}
	closed  bool
	closing sync.WaitGroup
}

// New returns a Checker for the link ifi. Nothing is opened yet, and no
// privilege needed. It fails if cfg makes no sense or if there is no such
// interface; on a link without ARP it succeeds, and the methods return
// [ErrNoARP].
//
// A Checker holds on to the hardware address in ifi: if that changes, make a
// new one.
func New(ifi *net.Interface, cfg Config) (*Checker, error) {
	if _, err := cfg.Mode.MarshalText(); err != nil {
		return nil, err
	}
	if _, err := cfg.Defence.MarshalText(); err != nil {
		return nil, err
	}
	if cfg.Timing == (Timing{}) {
		cfg.Timing = cfg.Mode.Timing()
	}
	if err := cfg.Timing.check(); err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		// Jitter keeps hosts from speaking at the same time. It is no
		// secret, but the system's seeds are as cheap as any.
		cfg.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if cfg.Enter == nil {
		cfg.Enter = func(f func() error) error { return f() }
	}
	c := &Checker{ifi: *ifi, cfg: cfg, rand: cfg.Rand, own: &ownAddrs{extra: cfg.Own}, heard: make(chan struct{}, 1)}
	c.listen, c.own.list = c.listenThere, c.interfaces
	err := cfg.Enter(func() (err error) {
		c.noARP, err = whyNoARP(ifi)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// listenThere opens a socket where the link lives.
func (c *Checker) listenThere(ifi *net.Interface, addr netip.Addr) (w wire, err error) {
	err = c.cfg.Enter(func() (err error) {
		w, err = listen(ifi, addr)
		return err
	})
	return w, err
}

// interfaces lists those beside the link.
func (c *Checker) interfaces() (list []net.Interface, err error) {
	err = c.cfg.Enter(func() (err error) {
		list, err = net.Interfaces()
		return err
	})
	return list, err
}

// Probe finds out whether another host holds addr. It returns that host's
// hardware address the moment it is heard, and nil if the address is free:
// with mode Fast after 200 ms, with mode RFC5227 after 4 to 7 s, with mode Off
// at once.
//
// An error means that nobody knows: [ErrNoARP]; an error that wraps
// [os.ErrPermission]; the interface is gone; not one probe could be sent; or
// the cause of ctx's end.
func (c *Checker) Probe(ctx context.Context, addr netip.Addr) (holder net.HardwareAddr, err error) {
	if c.cfg.Mode == Off || c.cfg.Timing.ProbeNum == 0 {
		return nil, nil
	}
	fail := func(err error) (net.HardwareAddr, error) {
		return nil, fmt.Errorf("probe %v on %s: %w", addr, c.ifi.Name, err)
	}
	s, err := c.subject(addr)
	if err != nil {
		return fail(err)
	}
	l, err := c.open(s.addr)
	if err != nil {
		return fail(err)
	}
	v, err := c.run(ctx, l, newProber(c.cfg.Now(), s, c.cfg.Timing, c.newRand()))
	if err == nil {
		err = v.err
	}
	// Whatever is heard from now on waits in the socket for Guard, so that
	// a late answer to these probes is not missed.
	c.leave(l, err == nil && v.holder == nil)
	if err != nil {
		return fail(err)
	}
	return v.holder, nil
}

// Announce tells the link that addr is ours: one announcement at once and, with
// the usual [Timing], another one 200 ms (Fast, Off) or 2 s (RFC5227) later. It
// returns after the last. Call it when the host holds the address, so that the
// kernel can answer whoever asks. The errors are those of [Checker.Probe].
func (c *Checker) Announce(ctx context.Context, addr netip.Addr) error {
	fail := func(err error) error {
		return fmt.Errorf("announce %v on %s: %w", addr, c.ifi.Name, err)
	}
	s, err := c.subject(addr)
	if err != nil {
		return fail(err)
	}
	l, err := c.join(s.addr)
	if err != nil {
		return fail(err)
	}
	err = c.speak(ctx, l, newAnnouncer(c.cfg.Now(), s, c.cfg.Timing))
	c.part(l)
	if err != nil {
		return fail(err)
	}
	return nil
}

// subject returns what a machine must know to work on addr.
func (c *Checker) subject(addr netip.Addr) (subject, error) {
	addr = addr.Unmap()
	switch {
	case c.noARP != nil:
		return subject{}, c.noARP
	case !addr.Is4() || addr.IsUnspecified() || addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return subject{}, fmt.Errorf("%v is no IPv4 address of a host", addr)
	}
	own := func(mac net.HardwareAddr) bool { return c.own.has(c.cfg.Now(), mac) }
	return subject{addr: addr, mac: c.ifi.HardwareAddr, own: own}, nil
}

// newRand returns randomness for one machine: a rand.Rand has one user.
func (c *Checker) newRand() *rand.Rand {
	c.mu.Lock()
	defer c.mu.Unlock()
	return rand.New(rand.NewPCG(c.rand.Uint64(), c.rand.Uint64()))
}
