package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
)

// A world is a link with one obedient server, a prober and a host, all of
// which can be told to misbehave. It blocks on channels only, so that it lives
// in virtual time.
type world struct {
	t       *testing.T
	replies chan *dhcp4.Message
	arrived chan struct{} // tells of replies, and of broken
	heard   chan struct{} // tells of conflict

	mu    sync.Mutex
	diary []string // what was done, in order

	serve    func(*dhcp4.Message) *dhcp4.Message
	delay    time.Duration // of the server
	holder   net.HardwareAddr
	probing  time.Duration
	applyErr error
	applying time.Duration // how long Apply takes
	sendErr  error
	conflict chan net.HardwareAddr
	broken   chan error // makes Take fail
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, replies: make(chan *dhcp4.Message, 64), arrived: make(chan struct{}, 1), heard: make(chan struct{}, 1),
		conflict: make(chan net.HardwareAddr, 1), broken: make(chan error, 1),
	}
	w.serve = func(m *dhcp4.Message) *dhcp4.Message {
		switch m.Type() {
		case dhcp4.Discover:
			return answer(m, dhcp4.Offer)
		case dhcp4.Request, dhcp4.Inform:
			return answer(m, dhcp4.ACK)
		}
		return nil
	}
	return w
}

func answer(m *dhcp4.Message, t dhcp4.MessageType) *dhcp4.Message {
	out := &dhcp4.Message{Op: dhcp4.OpReply, HType: m.HType, XID: m.XID, CHAddr: m.CHAddr, YIAddr: netip.MustParseAddr("192.0.2.77")}
	o := &out.Options
	errs := []error{
		dhcp4.MsgType.Put(o, t),
		dhcp4.SubnetMask.Put(o, 24),
		dhcp4.ServerID.Put(o, netip.MustParseAddr("192.0.2.1")),
		dhcp4.LeaseTime.Put(o, 3600),
	}
	if err := errors.Join(errs...); err != nil {
		panic(err)
	}
	return out
}

// fallSilent is the server's end.
func (w *world) fallSilent() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve = func(*dhcp4.Message) *dhcp4.Message { return nil }
}

func (w *world) note(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.diary = append(w.diary, text)
}

func (w *world) has(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.diary, text)
}

// inOrder tells whether these were done one after the other, whatever was done
// in between.
func (w *world) inOrder(texts ...string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, done := range w.diary {
		if len(texts) > 0 && done == texts[0] {
			texts = texts[1:]
		}
	}
	return len(texts) == 0
}

func (w *world) story() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.diary, "\n")
}

func (w *world) Arrived() <-chan struct{} { return w.arrived }

func (w *world) Take() (*dhcp4.Message, error) {
	select {
	case m := <-w.replies:
		tell(w.arrived) // there may be more
		return m, nil
	case err := <-w.broken:
		return nil, err
	default:
		return nil, nil
	}
}

// tell puts a token into ch.
func tell(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (w *world) Send(_ context.Context, m *dhcp4.Message, _ netip.Addr) error {
	w.note("send " + m.Type().String())
	if w.sendErr != nil {
		return w.sendErr
	}
	w.mu.Lock()
	serve := w.serve
	w.mu.Unlock()
	if reply := serve(m); reply != nil {
		time.AfterFunc(w.delay, func() {
			w.replies <- reply
			tell(w.arrived)
		})
	}
	return nil
}

func (w *world) Flush(context.Context) error { w.note("flush"); return nil }

func (w *world) Probe(ctx context.Context, addr netip.Addr) (net.HardwareAddr, error) {
	w.note("probe " + addr.String())
	select {
	case <-time.After(w.probing):
		return w.holder, nil
	case <-ctx.Done():
		w.note("probe ended")
		return nil, context.Cause(ctx)
	}
}

func (w *world) Announce(_ context.Context, addr netip.Addr) error {
	w.note("announce " + addr.String())
	return nil
}

func (w *world) Guard(addr netip.Addr) error { w.note("guard " + addr.String()); return nil }
func (w *world) Heard() <-chan struct{}      { return w.heard }
func (w *world) Unguard()                    { w.note("unguard") }

func (w *world) Check() (net.HardwareAddr, error) {
	select {
	case holder := <-w.conflict:
		return holder, nil
	default:
		return nil, nil
	}
}

func (w *world) Apply(ctx context.Context, l lease.Lease) error {
	w.note("apply begins")
	select {
	case <-time.After(w.applying):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	w.note("apply " + l.Addr.String())
	return w.applyErr
}

func (w *world) Withdraw(_ context.Context, l lease.Lease) error {
	w.note("withdraw " + l.Addr.String())
	return nil
}

func (w *world) Save(l lease.Lease) error { w.note("save " + l.Addr.String()); return nil }
func (w *world) Forget() error            { w.note("forget"); return nil }

// client is a client of this world on the bubble's clock.
func (w *world) client(change ...func(*Config)) *Client {
	cfg := Config{
		Machine: machine.Config{
			Link:      machine.Link{HType: dhcp4.HTypeEthernet, CHAddr: dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}},
			OfferWait: machine.AutoOfferWait,
			Rand:      rand.New(rand.NewPCG(1, 2)),
		},
		Conn: w, Prober: w, Configurator: w, Store: w, Now: time.Now,
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func timeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

func TestAcquireGetsChecksAppliesSavesAnnounces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probing = 200 * time.Millisecond
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		l, err := w.client().Acquire(ctx, Remembered{})
		if err != nil {
			t.Fatal(err)
		}
		if want := netip.MustParsePrefix("192.0.2.77/24"); l.Addr != want {
			t.Errorf("lease of %v, want %v", l.Addr, want)
		}
		want := "send DHCPDISCOVER\nsend DHCPREQUEST\nprobe 192.0.2.77\napply begins\napply 192.0.2.77/24\n"
		if got := w.story(); !strings.HasPrefix(got, want) || !w.has("save 192.0.2.77/24") || !w.has("announce 192.0.2.77") {
			t.Errorf("story:\n%s", got)
		}
		if w.has("withdraw 192.0.2.77/24") || w.has("send DHCPRELEASE") {
			t.Errorf("the lease was given up at the end:\n%s", w.story())
		}
	})
}

func TestAcquireSaysWhatStoodInTheWayMostRecently(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*world)
		cause  machine.Cause
	}{
		"silence": {func(w *world) { w.serve = func(*dhcp4.Message) *dhcp4.Message { return nil } }, machine.CauseNoServer},
		"refusal": {func(w *world) {
			serve := w.serve
			w.serve = func(m *dhcp4.Message) *dhcp4.Message {
				if m.Type() == dhcp4.Request {
					return answer(m, dhcp4.NAK)
				}
				return serve(m)
			}
		}, machine.CauseNAK},
		"conflict":              {func(w *world) { w.holder = net.HardwareAddr{2, 0, 0, 0, 0, 9} }, machine.CauseConflict},
		"a host that refuses":   {func(w *world) { w.applyErr = errors.New("no room") }, machine.CauseApplyFailed},
		"messages cannot leave": {func(w *world) { w.sendErr = errors.New("network is down") }, machine.CauseNoServer},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				tc.change(w)
				ctx, cancel := timeout(30 * time.Second)
				defer cancel()
				_, err := w.client().Acquire(ctx, Remembered{})
				var o *Obstacle
				if !errors.As(err, &o) || o.Report.Cause != tc.cause {
					t.Fatalf("Acquire: %v, want cause %q\n%s", err, tc.cause, w.story())
				}
			})
		})
	}
}

func TestCancelWhileCheckingGivesTheLeaseBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probing = time.Hour
		ctx, cancel := timeout(time.Second)
		defer cancel()
		start := time.Now()
		if _, err := w.client().Acquire(ctx, Remembered{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Acquire: %v", err)
		}
		if !w.has("send DHCPRELEASE") || w.has("apply begins") {
			t.Errorf("story:\n%s", w.story())
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("it took %v to stop", d)
		}
	})
}

func TestCancelWhileApplyingUndoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.applying = 2 * time.Second
		ctx, cancel := timeout(time.Second)
		defer cancel()
		if _, err := w.client().Acquire(ctx, Remembered{}); err == nil {
			t.Fatal("Acquire succeeded")
		}
		story := w.story()
		if !strings.HasSuffix(story, "apply 192.0.2.77/24\nsend DHCPRELEASE\nflush\nwithdraw 192.0.2.77/24") {
			t.Errorf("story:\n%s", story)
		}
	})
}

func TestRunRenewsForDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := timeout(72 * time.Hour)
		defer cancel()
		if err := w.client().Run(ctx, Remembered{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Run: %v", err)
		}
		renewals := strings.Count(w.story(), "send DHCPREQUEST") - 1
		if renewals < 72*2 || renewals > 72*2*11/10 {
			t.Errorf("%d renewals of a lease of an hour in three days", renewals)
		}
		if w.has("withdraw 192.0.2.77/24") {
			t.Error("the lease was withdrawn")
		}
	})
}

func TestLinkStatesThatEndChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := timeout(time.Hour)
		defer cancel()
		links := make(chan LinkState, 1)
		links <- LinkState{Up: true}
		close(links)
		if err := w.client(func(c *Config) { c.Link = links }).Run(ctx, Remembered{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Run: %v", err)
		}
		if !w.has("apply 192.0.2.77/24") || w.has("withdraw 192.0.2.77/24") {
			t.Errorf("story:\n%s", w.story())
		}
	})
}

func TestConflictInUseIsDeclined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		done := make(chan error)
		go func() { done <- w.client().Run(ctx, Remembered{}) }()
		time.Sleep(30 * time.Second)
		w.conflict <- net.HardwareAddr{2, 0, 0, 0, 0, 9}
		tell(w.heard)
		time.Sleep(time.Second)
		host := strings.ReplaceAll(w.story(), "unguard\n", "") // the loop ends the guard, whatever the host is at
		if !strings.HasSuffix(host, "forget\nsend DHCPDECLINE\nflush\nwithdraw 192.0.2.77/24") {
			t.Errorf("story:\n%s", w.story())
		}
		if inOrder := w.inOrder("apply 192.0.2.77/24", "guard 192.0.2.77", "announce 192.0.2.77", "unguard", "withdraw 192.0.2.77/24"); !inOrder {
			t.Errorf("the address was not guarded from BOUND to the conflict:\n%s", w.story())
		}
		<-done
		if guards, ends := strings.Count(w.story(), "\nguard "), strings.Count(w.story(), "\nunguard"); guards != ends {
			t.Errorf("%d guards, and %d ends of one:\n%s", guards, ends, w.story())
		}
	})
}

// We may be killed between any two steps. Who remembers what was given back
// would use it at the next start: a server does not answer for it any more.
func TestALeaseIsForgottenBeforeItIsGivenBackAndItsAddressGoesAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		if err := w.client().Release(ctx, testLease()); err != nil {
			t.Fatal(err)
		}
		if got, want := w.story(), "forget\nsend DHCPRELEASE\nflush\nwithdraw 192.0.2.77/24"; got != want {
			t.Errorf("story:\n%s\nwant\n%s", got, want)
		}
	})
}

func TestRenewExtends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		old := testLease()
		time.Sleep(time.Minute)
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		l, err := w.client().Renew(ctx, old)
		if err != nil {
			t.Fatal(err)
		}
		if d := l.Expiry.Sub(old.Expiry); d != time.Minute {
			t.Errorf("extended by %v, want 1m", d)
		}
		if !w.has("apply 192.0.2.77/24") || !w.has("save 192.0.2.77/24") {
			t.Errorf("story:\n%s", w.story())
		}
	})
}

func TestRenewUnansweredTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve = func(*dhcp4.Message) *dhcp4.Message { return nil }
		ctx, cancel := timeout(5 * time.Minute)
		defer cancel()
		_, err := w.client().Renew(ctx, testLease())
		var o *Obstacle
		if !errors.As(err, &o) || o.Report.Cause != machine.CauseNoServer {
			t.Fatalf("Renew: %v", err)
		}
		if w.has("apply begins") || w.has("withdraw 192.0.2.77/24") {
			t.Errorf("story:\n%s", w.story())
		}
	})
}

func TestARenewalThatTheHostRefusesIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.applyErr = errors.New("no room")
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		_, err := w.client().Renew(ctx, testLease())
		var o *Obstacle
		if !errors.As(err, &o) || o.Report.Cause != machine.CauseApplyFailed {
			t.Errorf("Renew: %v", err)
		}
	})
}

func TestF10AnInformThatNobodyAnswersIsAFailure(t *testing.T) {
	for name, limit := range map[string]time.Duration{"in time": 5 * time.Minute, "cut short": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.fallSilent()
				ctx, cancel := timeout(limit)
				defer cancel()
				_, err := w.client().Inform(ctx, machine.Inform{Addr: netip.MustParsePrefix("192.0.2.9/24")})
				var o *Obstacle
				if !errors.As(err, &o) || o.Report.Cause != machine.CauseNoServer {
					t.Errorf("Inform: %v", err)
				}
			})
		})
	}
}

func TestInformAsksAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		l, err := w.client().Inform(ctx, machine.Inform{Addr: netip.MustParsePrefix("192.0.2.9/24")})
		if err != nil {
			t.Fatal(err)
		}
		if !l.Expiry.IsZero() || l.Addr != netip.MustParsePrefix("192.0.2.9/24") {
			t.Errorf("F9: times or address of the answer were taken: %+v", l)
		}
		if got := w.story(); got != "send DHCPINFORM" {
			t.Errorf("story:\n%s", got)
		}
	})
}

func TestDiscoverTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		c := w.client(func(cfg *Config) { cfg.Machine.Survey, cfg.Machine.OfferWait = true, time.Second })
		offers, err := c.Discover(ctx, Remembered{})
		if err != nil || len(offers) != 1 || !offers[0].Chosen {
			t.Fatalf("Discover: %v, %v", offers, err)
		}
		if w.has("send DHCPREQUEST") {
			t.Errorf("story:\n%s", w.story())
		}
	})
}

func TestASurveyThatIsCutShortTellsWhatCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := timeout(time.Second)
		defer cancel()
		c := w.client(func(cfg *Config) { cfg.Machine.Survey, cfg.Machine.OfferWait = true, time.Minute })
		offers, err := c.Discover(ctx, Remembered{})
		if err != nil || len(offers) != 1 || !offers[0].Chosen {
			t.Errorf("Discover: %v, %v", offers, err)
		}
	})
}

func TestWhatTheHostDoesNotHoldIsNotAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		_, err := w.client(func(cfg *Config) { cfg.Configurator = nil }).Acquire(ctx, Remembered{})
		if err != nil || w.has("announce 192.0.2.77") {
			t.Errorf("Acquire: %v\n%s", err, w.story())
		}
	})
}

func TestLinkThatVanishesEndsTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		link := make(chan LinkState, 2)
		link <- LinkState{Up: true}
		w.serve = func(*dhcp4.Message) *dhcp4.Message { link <- LinkState{Gone: true}; return nil }
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		_, err := w.client(func(cfg *Config) { cfg.Link = link }).Acquire(ctx, Remembered{})
		if !errors.Is(err, ErrLinkGone) {
			t.Fatalf("Acquire: %v", err)
		}
	})
}

func TestBrokenSocketEndsTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve = func(*dhcp4.Message) *dhcp4.Message { return nil }
		broken := errors.New("bad file descriptor")
		ctx, cancel := timeout(time.Minute)
		defer cancel()
		time.AfterFunc(time.Second, func() { w.broken <- broken; tell(w.arrived) })
		if _, err := w.client().Acquire(ctx, Remembered{}); !errors.Is(err, broken) {
			t.Fatalf("Acquire: %v", err)
		}
	})
}

func TestDropsAreShownWithTheirReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		serve := w.serve
		w.serve = func(m *dhcp4.Message) *dhcp4.Message {
			reply := serve(m)
			if m.Type() == dhcp4.Discover {
				reply.XID++
			}
			return reply
		}
		var reasons []machine.Reason
		ctx, cancel := timeout(3 * time.Second)
		defer cancel()
		c := w.client(func(cfg *Config) {
			cfg.Notify = func(e Event) {
				if e.Kind == Dropped {
					reasons = append(reasons, e.Reason)
				}
			}
		})
		if _, err := c.Acquire(ctx, Remembered{}); err == nil {
			t.Fatal("Acquire succeeded")
		}
		if !slices.Equal(reasons, []machine.Reason{machine.WrongXID}) {
			t.Errorf("reasons: %v", reasons)
		}
	})
}

func testLease() lease.Lease {
	now := time.Now()
	return lease.Lease{
		Addr: netip.MustParsePrefix("192.0.2.77/24"), Server: netip.MustParseAddr("192.0.2.1"),
		Start: now, T1: now.Add(30 * time.Minute), T2: now.Add(50 * time.Minute), Expiry: now.Add(time.Hour),
	}
}

func TestClientsWithoutRandomnessOfTheirOwnDiffer(t *testing.T) {
	w := newWorld(t)
	own := func(c *Config) { c.Machine.Rand = nil }
	if a, b := w.client(own), w.client(own); a.cfg.Machine.Rand.Uint64() == b.cfg.Machine.Rand.Uint64() {
		t.Error("two clients begin with the same xid")
	}
}
