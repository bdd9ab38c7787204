package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
)

// Config is what a client is made of. Machine.Link and Conn are needed;
// whatever else is nil is not done.
type Config struct {
	Machine machine.Config // Rand nil: one seeded by the Go runtime, which has its own seed from the kernel
	Conn    Conn

	Prober       Prober           // nil: addresses are used unchecked
	Configurator Configurator     // nil: the host is left alone
	Store        Store            // nil: nothing is remembered
	Link         <-chan LinkState // the state at the start, then each change; nil: up for ever; closed: as it was last
	Woke         <-chan struct{}  // tells that the machine slept; nil: the clock is looked at each minute
	Now          func() time.Time // nil: BootTime()
	Log          *slog.Logger     // nil: silence
	Notify       func(Event)      // nil: nobody listens. Called from the client's goroutine; must not block
}

// Errors that end a client.
var (
	ErrLinkGone = errors.New("the link is gone") // for good
	ErrEnded    = errors.New("the client has ended")
)

// A Client keeps one link configured, or does one errand for it. Use it for
// one call of Run, Acquire, Discover, Inform, Renew, Rebind or Release.
type Client struct {
	cfg     Config
	arrived <-chan struct{}
	heard   <-chan struct{} // nil: nobody checks addresses

	mail   chan letter     // from whatever runs beside the loop
	over   chan struct{}   // closed when the loop reads no more
	first  []machine.Input // that the loop begins with, and then forgets
	beside sync.WaitGroup  // whatever runs beside the loop

	mu      sync.Mutex // held for a Step, and by whoever looks from outside
	machine *machine.Machine

	hostDone    chan struct{}      // closed when all changes to the host so far are made; nil: none yet
	announced   chan struct{}      // closed after the last announcement; nil: none yet
	toRepair    atomic.Bool        // a repair waits for changes under way
	again       time.Time          // when the host wants to be repaired, whatever happens; zero: it does not
	endProbe    context.CancelFunc // ends the probe under way; nil: none yet
	endAnnounce context.CancelFunc // ends announcing; nil: none yet
	guarded     netip.Addr         // whose conflicts are listened for; invalid: none

	sole     *errand                // that the client is for; nil: it lives as long as ctx
	errands  []*errand              // under way
	asking   *errand                // whose command the machine is taking just now
	obstacle *machine.Report        // what stood in the way most recently; nil: nothing
	drops    map[machine.Reason]int // messages dropped so far
}

// New returns a client; nothing is sent before one of its methods is called.
func New(cfg Config) (*Client, error) {
	if cfg.Machine.Rand == nil {
		cfg.Machine.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	m, err := machine.New(cfg.Machine)
	if err != nil {
		return nil, err
	}
	if cfg.Conn == nil {
		return nil, errors.New("client: Config.Conn is nil")
	}
	if cfg.Now == nil {
		cfg.Now = BootTime()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		cfg: cfg, machine: m, arrived: cfg.Conn.Arrived(), drops: map[machine.Reason]int{},
		mail: make(chan letter), over: make(chan struct{}),
	}
	if cfg.Prober != nil {
		c.heard = cfg.Prober.Heard()
	}
	return c, nil
}

// Remembered is a lease from an earlier time. Held says that it is still
// configured on the host.
type Remembered struct {
	Lease lease.Lease
	Held  bool
}

// Run keeps the link configured until ctx ends. It then leaves the host as it
// is, but gives back and undoes what was only half done, and returns ctx's
// cause. If the link vanishes, what was configured for it elsewhere, such as
// name servers, is undone, and the error is ErrLinkGone; if something panics,
// nothing more is done, and it is a [*PanicError].
func (c *Client) Run(ctx context.Context, r Remembered) error { return c.Runner(r)(ctx) }

// Runner is Run in two steps, for programs with many clients: what is handed
// over is not on the stack for as long as the client runs.
func (c *Client) Runner(r Remembered) func(context.Context) error {
	c.first = []machine.Input{machine.Start{Remembered: r.Lease, Held: r.Held}}
	return c.live
}

// Acquire gets a lease, checks it, configures the host and returns. If ctx
// ends before that, or the host cannot be configured, the error is an
// [*Obstacle] that says what stood in the way most recently; everything that
// was half done is undone.
func (c *Client) Acquire(ctx context.Context, r Remembered) (lease.Lease, error) {
	e := newErrand(func(r machine.Report) bool {
		return r.To == machine.Bound || r.Cause == machine.CauseApplyFailed
	})
	return c.result(c.drive(ctx, e, machine.Start{Remembered: r.Lease, Held: r.Held}))
}

// Discover collects offers for as long as Config.Machine.OfferWait says, or
// until ctx ends, takes none, and returns them with what is to be said of each.
// A remembered lease serves to weigh them by. Config.Machine.Survey must be set.
func (c *Client) Discover(ctx context.Context, r Remembered) ([]machine.Offer, error) {
	if !c.cfg.Machine.Survey {
		return nil, errors.New("client: Discover needs Config.Machine.Survey")
	}
	e := newErrand(func(r machine.Report) bool { return r.Cause == machine.CauseSurveyed })
	rep, err := c.drive(ctx, e, machine.Start{Remembered: r.Lease})
	return rep.Offers, err
}

// Inform asks for configuration for an address that was set by other means
// (RFC 2131, section 4.4.3). The lease has no times.
func (c *Client) Inform(ctx context.Context, in machine.Inform) (lease.Lease, error) {
	e := newErrand(func(r machine.Report) bool {
		return r.Cause == machine.CauseInformed || r.Cause == machine.CauseNoServer && r.To == machine.Idle
	})
	return c.result(c.drive(ctx, e, in))
}

// Renew extends a lease that the host holds, by asking the server that gave
// it, and returns when the host has it with its new times. Whatever comes of it,
// the lease is used no longer than granted; a DHCPNAK withdraws it.
func (c *Client) Renew(ctx context.Context, l lease.Lease) (lease.Lease, error) {
	return c.extend(ctx, l, machine.Renew{})
}

// Rebind extends a lease that the host holds, by asking any server.
func (c *Client) Rebind(ctx context.Context, l lease.Lease) (lease.Lease, error) {
	return c.extend(ctx, l, machine.Rebind{})
}

func (c *Client) extend(ctx context.Context, l lease.Lease, how machine.Input) (lease.Lease, error) {
	return c.result(c.drive(ctx, newErrand(extended), machine.Adopt{Lease: l}, how))
}

// Release gives a lease that the host holds back to its server (RFC 2131,
// section 4.4.6) and takes it off the host.
func (c *Client) Release(ctx context.Context, l lease.Lease) error {
	e := newErrand(func(r machine.Report) bool { return r.Cause == machine.CauseReleased })
	_, err := c.drive(ctx, e, machine.Adopt{Lease: l}, machine.Release{})
	return err
}

// result turns how an errand ended into what the caller asked for.
func (c *Client) result(r machine.Report, err error) (lease.Lease, error) {
	switch {
	case err != nil:
		o := &Obstacle{Err: err}
		if c.obstacle != nil {
			o.Report = *c.obstacle
		}
		if o.Report.Cause == "" && errors.Is(err, context.DeadlineExceeded) {
			o.Report.Cause = machine.CauseNoServer // it ended while the first message waited for an answer
		}
		return lease.Lease{}, o
	case IsObstacle(r.Cause):
		return lease.Lease{}, &Obstacle{Report: r}
	}
	return r.Lease, nil
}

// An Obstacle is why there is no lease: the last thing that stood in the way.
type Obstacle struct {
	Report machine.Report // Cause is empty if nothing happened at all
	Err    error          // what ended the wait, such as a deadline; may be nil
}

// Error says what stood in the way, in the words of the report.
func (o *Obstacle) Error() string {
	text := string(o.Report.Cause)
	if o.Report.Text != "" {
		text += ": " + o.Report.Text
	}
	switch {
	case text == "" && o.Err != nil:
		return o.Err.Error()
	case o.Err != nil:
		return fmt.Sprintf("%s (%v)", text, o.Err)
	}
	return text
}

// Unwrap returns what ended the wait.
func (o *Obstacle) Unwrap() error { return o.Err }

// IsObstacle reports whether cause keeps a host from its lease.
func IsObstacle(cause machine.Cause) bool {
	switch cause {
	case machine.CauseNoServer, machine.CauseRefused, machine.CauseNAK, machine.CauseConflict,
		machine.CauseApplyFailed, machine.CauseLinkDown, machine.CauseExpired, machine.CauseNotPossible:
		return true
	}
	return false
}
