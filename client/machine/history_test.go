package machine

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// A history is a machine in a random world, held to what users rely on.
type history struct {
	t   testing.TB
	rng *rand.Rand
	m   *Machine
	now time.Time

	applied  bool                    // as the outputs say
	on       lease.Lease             // what was applied last
	asked    map[uint32]time.Time    // first copy of each xid
	last     *dhcp4.Message          // sent last
	lastTo   netip.Addr              //
	sends    []time.Time             // of everything sent
	probing  netip.Addr              // a probe is under way
	applying []lease.Lease           // unanswered Applies
	granted  map[time.Time]time.Time // start of a grant → latest legal expiry
}

func newHistory(t testing.TB, seed uint64) *history {
	cfg := testConfig()
	cfg.Rand = rand.New(rand.NewPCG(seed, 1))
	cfg.VendorClass, cfg.LeaseTime = "test", 3600
	rng := rand.New(rand.NewPCG(seed, 2))
	cfg.NoServerFail = rng.IntN(2) == 0
	cfg.OfferWait = []time.Duration{0, AutoOfferWait, time.Second}[rng.IntN(3)]
	cfg.CarrierDelay = []time.Duration{0, 3 * time.Second}[rng.IntN(2)]
	cfg.Link.Broadcast = rng.IntN(2) == 0
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &history{t: t, rng: rng, m: m, now: epoch, asked: map[uint32]time.Time{}, granted: map[time.Time]time.Time{}}
}

// step gives one input and checks every invariant.
func (h *history) step(in Input) {
	h.t.Helper()
	quiet := h.m.quiet()
	for _, out := range h.m.Step(h.now, in) {
		h.watch(out)
		if s, ok := out.(Send); ok && quiet && h.m.quiet() && asks(s.Message) {
			h.t.Fatalf("in %v after %T: %v is sent although nothing may be", h.m.State(), in, s.Message.Type())
		}
	}
	state := h.m.State()
	if _, left := in.(Leave); left && h.applied {
		h.t.Fatal("a lease is applied after Leave")
	}
	switch {
	case state.Holds() && !h.applied:
		h.t.Fatalf("in %v after %T no lease is applied", state, in)
	case !state.mayHold() && state != Idle && h.applied:
		h.t.Fatalf("in %v after %T a lease is applied", state, in)
	case state != Idle && h.applied != h.m.held:
		h.t.Fatalf("in %v after %T: held %v, applied %v", state, in, h.m.held, h.applied)
	case state != Idle && h.applied && !h.on.Valid(h.now):
		h.t.Fatalf("in %v after %T: the lease expired %v ago and is still applied", state, in, h.now.Sub(h.on.Expiry))
	}
	waits := state == Checking || state == Applying // for a verdict that will come
	if d := h.m.Deadline(); d.IsZero() && state != Idle && !waits && !h.m.quiet() && !h.on.Infinite() {
		h.t.Fatalf("in %v after %T nothing will ever happen again", state, in)
	}
}

// mayHold reports whether in s a lease may be on the host: besides the states
// that hold one, those that verify a lease which stays configured meanwhile.
func (s State) mayHold() bool {
	return s.Holds() || s == InitReboot || s == Rebooting || s == Checking || s == Applying
}

// asks reports whether m wants an answer for a lease.
func asks(m *dhcp4.Message) bool { return m.Type() == dhcp4.Discover || m.Type() == dhcp4.Request }

// watch follows one output.
func (h *history) watch(out Output) {
	h.t.Helper()
	switch out := out.(type) {
	case Send:
		h.checkSend(out)
	case Probe:
		h.probing = out.Addr
	case Apply:
		h.applied, h.on = true, out.Lease
		h.applying = append(h.applying, out.Lease)
		if limit, known := h.granted[out.Lease.Start]; known && !limit.IsZero() && (out.Lease.Infinite() || out.Lease.Expiry.After(limit)) {
			h.t.Fatalf("applied until %v, granted until %v", out.Lease.Expiry, limit)
		}
		if out.Lease.Start.After(h.now) {
			h.t.Fatalf("a lease that begins in the future: %v", out.Lease.Start)
		}
	case Withdraw:
		h.applied = false
	}
}

// checkSend holds a message to RFC 2131, table 5.
func (h *history) checkSend(out Send) {
	h.t.Helper()
	m := out.Message
	h.checkFields(m)
	b, err := m.Append(nil)
	if err != nil {
		h.t.Fatalf("%v: %v", m, err)
	}
	if _, err := dhcp4.Parse(b); err != nil {
		h.t.Fatalf("%v does not parse: %v", m, err)
	}
	has := func(c dhcp4.Code) bool { _, ok := m.Options.Lookup(c); return ok }
	switch typ := m.Type(); {
	case typ == dhcp4.Discover && (m.CIAddr.IsValid() || has(54)):
		h.t.Fatalf("C3: %v", m)
	case typ == dhcp4.Request && has(54) && (!has(50) || m.CIAddr.IsValid()):
		h.t.Fatalf("C12: %v", m)
	case typ == dhcp4.Request && m.CIAddr.IsValid() && (has(50) || has(54)):
		h.t.Fatalf("E4: %v", m)
	case (typ == dhcp4.Decline || typ == dhcp4.Release) && (has(51) || has(55) || has(57) || has(60) || !has(54) || m.Secs != 0):
		h.t.Fatalf("F1, F5: %v", m)
	case typ == dhcp4.Decline && (m.CIAddr.IsValid() || !has(50)):
		h.t.Fatalf("F5: %v", m)
	case typ == dhcp4.Release && (!m.CIAddr.IsValid() || has(50)):
		h.t.Fatalf("F1: %v", m)
	case out.To.IsValid() && !m.CIAddr.IsValid():
		h.t.Fatalf("unicast from no address: %v", m)
	}
	if _, again := h.asked[m.XID]; !again {
		h.asked[m.XID] = h.now
	}
	h.last, h.lastTo = m, out.To
	h.sends = append(h.sends, h.now)
}

// checkFields holds a message to what is the same in all of them.
func (h *history) checkFields(m *dhcp4.Message) {
	h.t.Helper()
	var flags uint16
	if h.m.cfg.Link.Broadcast && (asks(m) || m.Type() == dhcp4.Inform) {
		flags = dhcp4.FlagBroadcast
	}
	id, _ := m.Options.Lookup(61)
	list, _ := m.Options.Lookup(55)
	size, _ := dhcp4.MaxMessageSize.Get(m.Options)
	set := func(a netip.Addr) bool { return a.IsValid() && !a.IsUnspecified() }
	switch {
	case m.Op != dhcp4.OpRequest || m.Hops != 0 || set(m.YIAddr) || set(m.SIAddr) || set(m.GIAddr):
		h.t.Fatalf("A1, A11: %+v", m)
	case m.HType != h.m.cfg.Link.HType || !bytes.Equal(m.CHAddr, h.m.cfg.Link.CHAddr):
		h.t.Fatalf("A11: htype %d, chaddr %v", m.HType, m.CHAddr)
	case m.Flags != flags:
		h.t.Fatalf("A7: %v with flags %#x, want %#x", m, m.Flags, flags)
	case asks(m) && size < 576:
		h.t.Fatalf("A9: %v with option 57 of %d", m, size)
	case !bytes.Equal(id, h.m.cfg.ClientID):
		h.t.Fatalf("C5: %v with client identifier %x", m, id)
	case asks(m) && !bytes.Equal(list, firstParameters):
		h.t.Fatalf("C4: %v with parameter list %x", m, list)
	}
}

// firstParameters is the list of DefaultParameters on the wire.
var firstParameters = []byte{1, 121, 3, 33, 6, 15, 119, 12, 26, 28, 42, 51, 54, 58, 59, 114, 162}

// advance lets time pass: nothing, a little, to the deadline, or past it.
func (h *history) advance() {
	d := h.m.Deadline()
	switch h.rng.IntN(6) {
	case 0:
	case 1:
		h.now = h.now.Add(time.Duration(h.rng.Int64N(int64(time.Second))))
	case 2:
		h.now = h.now.Add(time.Duration(h.rng.Int64N(int64(2 * time.Hour))))
	default:
		if d.After(h.now) {
			h.now = d
		}
	}
}

// A reply is how a server answers; nil says nothing.
type reply func(h *history) *dhcp4.Message

// answer builds a reply to the message sent last.
func (h *history) answer(t dhcp4.MessageType, addr, server string, seconds uint32) *dhcp4.Message {
	msg := &dhcp4.Message{Op: dhcp4.OpReply, HType: h.last.HType, XID: h.last.XID, CHAddr: h.last.CHAddr, YIAddr: netip.MustParseAddr(addr)}
	put(dhcp4.MsgType, msg, t)
	put(dhcp4.SubnetMask, msg, 24)
	put(dhcp4.ServerID, msg, netip.MustParseAddr(server))
	put(dhcp4.LeaseTime, msg, dhcp4.Lifetime(seconds))
	if start, ok := h.asked[msg.XID]; ok && t == dhcp4.ACK {
		limit := time.Time{}
		if seconds != 0xffffffff {
			limit = start.Add(time.Duration(seconds) * time.Second)
		}
		if old, known := h.granted[start]; !known || !old.IsZero() && (limit.IsZero() || limit.After(old)) {
			h.granted[start] = limit
		}
	}
	return msg
}

// natural is a server that follows the protocol.
func natural(addr string, seconds uint32) reply {
	return func(h *history) *dhcp4.Message {
		switch h.last.Type() {
		case dhcp4.Discover:
			return h.answer(dhcp4.Offer, addr, "192.0.2.1", seconds)
		case dhcp4.Request, dhcp4.Inform:
			return h.answer(dhcp4.ACK, addr, "192.0.2.1", seconds)
		}
		return nil
	}
}

// hostile servers, each of which must not get more than a few packets a
// minute out of us.
var hostile = map[string]reply{
	"NAK for ever": func(h *history) *dhcp4.Message {
		if h.last.Type() == dhcp4.Discover {
			return h.answer(dhcp4.Offer, "192.0.2.77", "192.0.2.1", 3600)
		}
		return h.answer(dhcp4.NAK, "0.0.0.0", "192.0.2.1", 0)
	},
	"lease time 0": natural("192.0.2.77", 0),
	"lease time 0 only in the DHCPACK": func(h *history) *dhcp4.Message {
		if h.last.Type() == dhcp4.Discover {
			return h.answer(dhcp4.Offer, "192.0.2.77", "192.0.2.1", 3600)
		}
		return h.answer(dhcp4.ACK, "192.0.2.77", "192.0.2.1", 0)
	},
	"T1 after T2": func(h *history) *dhcp4.Message {
		msg := natural("192.0.2.77", 3600)(h)
		if msg != nil {
			put(dhcp4.T1, msg, 3000)
			put(dhcp4.T2, msg, 1)
		}
		return msg
	},
	"DHCPACK for another address": func(h *history) *dhcp4.Message {
		if h.last.Type() == dhcp4.Discover {
			return h.answer(dhcp4.Offer, "192.0.2.77", "192.0.2.1", 3600)
		}
		return h.answer(dhcp4.ACK, "192.0.2.78", "192.0.2.1", 3600)
	},
	"servers that contradict each other": func(h *history) *dhcp4.Message {
		servers := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}
		server := servers[h.rng.IntN(3)]
		switch {
		case h.last.Type() == dhcp4.Discover:
			return h.answer(dhcp4.Offer, "192.0.2.77", server, 3600)
		case h.rng.IntN(2) == 0:
			return h.answer(dhcp4.NAK, "0.0.0.0", server, 0)
		default:
			return h.answer(dhcp4.ACK, "192.0.2.77", server, 3600)
		}
	},
	"infinite, then one second": func(h *history) *dhcp4.Message {
		if h.last.Type() == dhcp4.Discover {
			return h.answer(dhcp4.Offer, "192.0.2.77", "192.0.2.1", 0xffffffff)
		}
		return h.answer(dhcp4.ACK, "192.0.2.77", "192.0.2.1", 60)
	},
	"silence": func(*history) *dhcp4.Message { return nil },
}

// budget is how many messages any minute may see, whatever servers do. The
// worst is a server that refuses everything: the first seven rounds of
// DHCPDISCOVER and DHCPREQUEST fit into a minute, then the pause is a minute.
const budget = 20

// TestPacketBudgetHoldsUnderHostileServers (C17, F7, K8).
func TestPacketBudgetHoldsUnderHostileServers(t *testing.T) {
	for name, server := range hostile {
		for _, world := range []string{"addresses are free", "every address is in use", "the host refuses everything"} {
			t.Run(name+", "+world, func(t *testing.T) {
				for seed := range uint64(20) {
					h := newHistory(t, seed)
					h.step(Start{})
					h.live(server, world, 3*time.Hour)
					h.checkBudget()
				}
			})
		}
	}
}

// live runs the machine by its own deadlines against a server for a while.
func (h *history) live(server reply, world string, length time.Duration) {
	end := h.now.Add(length)
	for steps := 0; h.now.Before(end); steps++ {
		if steps > 100_000 {
			h.t.Fatal("the machine is busy without end")
		}
		switch sends := len(h.sends); {
		case h.last != nil && sends > 0:
			msg := server(h)
			h.last = nil
			if msg != nil {
				h.now = h.now.Add(time.Millisecond)
				h.step(Received{Message: msg})
				continue
			}
		}
		if h.probing.IsValid() {
			in := Probed{Addr: h.probing}
			if world == "every address is in use" {
				in.Holder = dhcp4.HardwareAddr{2, 0, 0, 0, 0, 9}
			}
			h.probing = netip.Addr{}
			h.step(in)
			continue
		}
		if len(h.applying) > 0 {
			in := Applied{Lease: h.applying[0]}
			if world == "the host refuses everything" {
				in.Err = errors.New("no room")
			}
			h.applying = h.applying[1:]
			h.step(in)
			continue
		}
		d := h.m.Deadline()
		if d.IsZero() {
			return // an infinite lease
		}
		h.now = d
		h.step(Timeout{})
	}
}

// TestE2ShortLeasesCostTwoMessagesEach: a server that grants seconds is asked
// again after half of them, and no sooner.
func TestE2ShortLeasesCostTwoMessagesEach(t *testing.T) {
	for _, seconds := range []uint32{1, 2, 5, 10} {
		for _, world := range []string{"addresses are free", "every address is in use", "the host refuses everything"} {
			t.Run(fmt.Sprintf("%d s, %s", seconds, world), func(t *testing.T) {
				h := newHistory(t, 1)
				h.step(Start{})
				h.live(natural("192.0.2.77", seconds), world, 20*time.Minute)
				h.checkBudgetOf(max(budget, 130/int(seconds)))
			})
		}
	}
}

// TestE2AServerThatWantsToBeAskedEachSecondIs: T1 is the server's to say, in
// whole seconds, and so no more than one message a second, each a twentieth
// early (E3), ever extends a lease.
func TestE2AServerThatWantsToBeAskedEachSecondIs(t *testing.T) {
	for name, times := range map[string][2]dhcp4.Lifetime{"T1 of a second": {1, 2}, "T1 of none": {0, 1}, "T1 and T2 of none": {0, 0}} {
		t.Run(name, func(t *testing.T) {
			h := newHistory(t, 1)
			h.step(Start{})
			h.live(func(h *history) *dhcp4.Message {
				msg := natural("192.0.2.77", 3600)(h)
				if msg != nil {
					put(dhcp4.T1, msg, times[0])
					put(dhcp4.T2, msg, times[1])
				}
				return msg
			}, "addresses are free", 20*time.Minute)
			if times[0] == 0 {
				h.checkBudget()
			}
			h.checkBudgetOf(64)
		})
	}
}

func (h *history) checkBudget() {
	h.t.Helper()
	h.checkBudgetOf(budget)
}

func (h *history) checkBudgetOf(budget int) {
	h.t.Helper()
	for i := range h.sends {
		j := i
		for j < len(h.sends) && h.sends[j].Sub(h.sends[i]) < time.Minute {
			j++
		}
		if j-i > budget {
			h.t.Fatalf("%d messages in the minute from %v on", j-i, h.sends[i].Sub(epoch))
		}
	}
}

// TestAFloodOfOffersKeepsNoServerOut: what is kept of offers is bounded, and so
// is what is told of them; and a good one has room.
func TestAFloodOfOffersKeepsNoServerOut(t *testing.T) {
	h := newHistory(t, 1)
	h.m.cfg.OfferWait = time.Second
	h.step(Start{})
	discover, reports := h.last, 0
	for i := range 100_000 {
		h.last = discover
		msg := h.answer(dhcp4.Offer, "0.0.0.0", "192.0.2.9", 3600)
		if i == 90_000 {
			msg = h.answer(dhcp4.Offer, "192.0.2.77", "192.0.2.1", 3600)
		}
		for _, out := range h.m.Step(h.now, Received{Message: msg}) {
			if _, told := out.(Report); told {
				reports++
			}
		}
		if len(h.m.offers) > maxOffers {
			t.Fatalf("%d offers are kept", len(h.m.offers))
		}
	}
	if reports > maxOffers {
		t.Errorf("%d reports", reports)
	}
	h.now = h.m.Deadline()
	if h.step(Timeout{}); h.m.State() != Requesting || h.m.chosen.Server != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("%v, chosen %v", h.m.State(), h.m.chosen)
	}
}

// TestL7AFlappingCarrierCostsAFewPackets lets the carrier come and go for an
// hour, with every rhythm, and a server that answers when it can be heard.
func TestL7AFlappingCarrierCostsAFewPackets(t *testing.T) {
	for _, delay := range []time.Duration{0, 3 * time.Second} {
		for _, half := range []time.Duration{25 * time.Millisecond, time.Second, 4 * time.Second, 20 * time.Second} {
			h := newHistory(t, 1)
			h.m.cfg.CarrierDelay = delay
			h.step(Start{})
			server := natural("192.0.2.77", 3600)
			for up := true; h.now.Sub(epoch) < time.Hour; up = !up {
				h.flap(up, half, server)
			}
			h.checkBudget()
			if delay > half && h.m.State() != Bound {
				t.Errorf("delay %v, half a period %v: %v at the end", delay, half, h.m.State())
			}
		}
	}
}

// flap lives for d with a carrier or without.
func (h *history) flap(up bool, d time.Duration, server reply) {
	end := h.now.Add(d)
	h.step(LinkChanged{Up: up})
	for {
		switch next := h.m.Deadline(); {
		case up && h.last != nil && asks(h.last):
			msg := server(h)
			h.last = nil
			h.step(Received{Message: msg})
		case h.probing.IsValid():
			in := Probed{Addr: h.probing}
			h.probing = netip.Addr{}
			h.step(in)
		case len(h.applying) > 0:
			in := Applied{Lease: h.applying[0]}
			h.applying = h.applying[1:]
			h.step(in)
		case next.IsZero() || next.After(end):
			h.now = end
			return
		default:
			h.now = next
			h.step(Timeout{})
		}
	}
}

// FuzzStep lives random histories: any input at any time, messages right and
// wrong, verdicts late and stale.
func FuzzStep(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed, uint16(200))
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint16) {
		h := newHistory(t, seed)
		for range steps % 1000 {
			h.advance()
			h.step(h.anything())
		}
	})
}

// anything is one random input, more often one that fits than not.
func (h *history) anything() Input {
	switch n := h.rng.IntN(32); {
	case n < 8:
		return Timeout{}
	case n < 18 && h.last != nil:
		return Received{Message: h.anyMessage()}
	case n < 22 && h.probing.IsValid():
		in := Probed{Addr: h.probing}
		if h.rng.IntN(4) == 0 {
			in.Holder = dhcp4.HardwareAddr{2, 0, 0, 0, 0, 9}
		}
		return in
	case n < 26 && len(h.applying) > 0:
		in := Applied{Lease: h.applying[h.rng.IntN(len(h.applying))]}
		if h.rng.IntN(4) == 0 {
			in.Err = errors.New("no room")
		}
		return in
	}
	addr := netip.MustParseAddr("192.0.2.77")
	start := h.now.Add(-time.Duration(h.rng.Int64N(int64(time.Hour))))
	l := lease.Lease{
		Addr: netip.PrefixFrom(addr, 24), Server: netip.MustParseAddr("192.0.2.1"), Start: start,
		T1: start.Add(30 * time.Minute), T2: start.Add(50 * time.Minute), Expiry: start.Add(time.Hour),
	}
	if h.m.State() == Idle { // what a program may do there
		h.applied, h.applying = false, nil
		switch h.rng.IntN(4) {
		case 0:
			h.applied, h.on = true, l
			return Adopt{Lease: l}
		case 1:
			h.applied, h.on = true, l
			return Start{Remembered: l, Held: true}
		case 2:
			return Start{Remembered: l}
		}
		return Start{}
	}
	return []Input{
		Start{}, Inform{Addr: l.Addr}, LinkChanged{Up: true, Reset: h.rng.IntN(2) == 0}, LinkChanged{Up: false}, Renew{}, Rebind{},
		Conflicted{Addr: addr, Holder: dhcp4.HardwareAddr{2, 0, 0, 0, 0, 9}}, Timeout{}, Release{}, Stop{},
		Probed{Addr: addr}, Applied{Lease: l}, Reacquire{}, Reapply{}, Pause{}, Resume{}, Leave{},
	}[h.rng.IntN(17)]
}

// anyMessage answers the message sent last, well or badly.
func (h *history) anyMessage() *dhcp4.Message {
	types := []dhcp4.MessageType{dhcp4.Offer, dhcp4.ACK, dhcp4.ACK, dhcp4.NAK, dhcp4.Discover}
	addrs := []string{"192.0.2.77", "192.0.2.77", "192.0.2.77", "192.0.2.78", "0.0.0.0", "255.255.255.255"}
	servers := []string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "0.0.0.0"}
	times := []uint32{0, 1, 2, 10, 60, 3600, 0x7fffffff, 0xfffffffe, 0xffffffff}
	typ := types[h.rng.IntN(len(types))]
	if h.last.Type() == dhcp4.Discover && h.rng.IntN(3) > 0 {
		typ = dhcp4.Offer
	}
	msg := h.answer(typ, addrs[h.rng.IntN(len(addrs))], servers[h.rng.IntN(len(servers))], times[h.rng.IntN(len(times))])
	switch h.rng.IntN(12) {
	case 0:
		msg.XID++
	case 1:
		msg.CHAddr = dhcp4.HardwareAddr{2, 0, 0, 0, 0, 2}
	case 2:
		msg.Options.Delete(dhcp4.ServerID.Code)
	case 3:
		msg.Options.Delete(dhcp4.LeaseTime.Code)
	case 4:
		put(dhcp4.T1, msg, dhcp4.Lifetime(h.rng.Uint32()))
		put(dhcp4.T2, msg, dhcp4.Lifetime(h.rng.Uint32()))
	}
	return msg
}
