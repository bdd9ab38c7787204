package arpcheck

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/mdlayher/arp"
)

// A probing is when one prober did what.
type probing struct {
	probes  []time.Duration
	verdict time.Duration
}

// probeAlone runs a prober that hears nothing.
func probeAlone(t *testing.T, timing Timing, seed uint64) probing {
	t.Helper()
	m := newProber(epoch, testSubject(), timing, rand.New(rand.NewPCG(seed, 0)))
	var done probing
	for range 10 {
		now := m.Deadline()
		for _, out := range m.Step(now, timeout{}) {
			switch out := out.(type) {
			case send:
				done.probes = append(done.probes, now.Sub(epoch))
			case verdict:
				if out.holder != nil || out.err != nil {
					t.Fatalf("seed %d: verdict %v, %v; want free", seed, out.holder, out.err)
				}
				done.verdict = now.Sub(epoch)
				return done
			}
		}
	}
	t.Fatalf("seed %d: no verdict after 10 timeouts", seed)
	return done
}

// uniform fails unless values fill [low, high] evenly.
func uniform(t *testing.T, what string, values []time.Duration, low, high time.Duration) {
	t.Helper()
	const parts = 10
	var count [parts]int
	for _, v := range values {
		if v < low || v > high {
			t.Fatalf("%s is %v, want %v to %v", what, v, low, high)
		}
		count[min(parts-1, int(int64(v-low)*parts/int64(high-low)))]++
	}
	want := len(values) / parts
	for i, n := range count {
		if n < want*8/10 || n > want*12/10 {
			t.Errorf("%s: %d of %d values in tenth %d, want about %d", what, n, len(values), i, want)
		}
	}
}

// K1, K2, K3: "wait for a random time interval selected uniformly in the range
// zero to PROBE_WAIT seconds, and should then send PROBE_NUM probe packets, each
// of these probe packets spaced randomly and uniformly, PROBE_MIN to PROBE_MAX
// seconds apart."
func TestK1K2K3TimesAreThoseOfRFC5227(t *testing.T) {
	var waits, gaps []time.Duration
	for seed := range uint64(3000) {
		p := probeAlone(t, RFC5227.Timing(), seed)
		if len(p.probes) != 3 {
			t.Fatalf("seed %d: %d probes, want 3", seed, len(p.probes))
		}
		waits = append(waits, p.probes[0])
		gaps = append(gaps, p.probes[1]-p.probes[0], p.probes[2]-p.probes[1])
		if got := p.verdict - p.probes[2]; got != 2*time.Second {
			t.Fatalf("seed %d: verdict %v after the last probe, want 2 s", seed, got)
		}
	}
	uniform(t, "PROBE_WAIT", waits, 0, time.Second)
	uniform(t, "probe interval", gaps, time.Second, 2*time.Second)
}

func TestFastModeGivesItsVerdict200MillisecondsAfterTheFirstProbe(t *testing.T) {
	var gaps []time.Duration
	for seed := range uint64(2000) {
		p := probeAlone(t, Fast.Timing(), seed)
		if len(p.probes) != 3 || p.probes[0] != 0 {
			t.Fatalf("seed %d: probes at %v, want 3, the first at 0", seed, p.probes)
		}
		gaps = append(gaps, p.probes[1]-p.probes[0], p.probes[2]-p.probes[1])
		if p.verdict != 200*time.Millisecond {
			t.Fatalf("seed %d: verdict at %v, want 200 ms", seed, p.verdict)
		}
	}
	uniform(t, "probe interval", gaps, 40*time.Millisecond, 60*time.Millisecond)
}

func TestEqualSeedsProbeAtEqualTimes(t *testing.T) {
	a, b := probeAlone(t, RFC5227.Timing(), 5), probeAlone(t, RFC5227.Timing(), 5)
	c := probeAlone(t, RFC5227.Timing(), 6)
	if a.verdict != b.verdict || a.verdict == c.verdict {
		t.Errorf("verdicts at %v, %v (same seed) and %v (another)", a.verdict, b.verdict, c.verdict)
	}
}

// K5, K6, K15 while probing.
var probingCases = []struct {
	name     string
	in       received
	conflict bool
}{
	{"K5 reply from the holder", heard(replyFrom(them)), true},
	{"K5 reply to somebody else", heard(makeARP(arp.OperationReply, them, addr, third, other)), true},
	{"K5 request of the holder", heard(request(them, addr, other)), true},
	{"K5 announcement", heard(announcement(them, addr)), true},
	{"K5 gratuitous reply", heard(makeARP(arp.OperationReply, them, addr, everybody.HardwareAddr, addr)), true},
	{"K5 simultaneous probe", heard(probePacket(them, addr)), true},
	{"K5 simultaneous probe through a repeater", received{probePacket(them, addr), third}, true},
	{"probe for another address", heard(probePacket(them, other)), false},
	{"request for our candidate", heard(request(them, other, addr)), false},
	{"reply that names our candidate as target", heard(makeARP(arp.OperationReply, them, other, us, addr)), false},
	{"reply with sender 0.0.0.0", heard(makeARP(arp.OperationReply, them, nobody, us, addr)), false},
	{"K6 own probe coming back", heard(probePacket(us, addr)), false},
	{"K6 own probe coming back from a repeater", received{probePacket(us, addr), them}, false},
	{"K6 probe from another interface", heard(probePacket(ours, addr)), false},
	{"K6 answer from another interface", heard(replyFrom(ours)), false},
	{"K6 answer from another interface through a repeater", received{replyFrom(ours), third}, false},
	{"K6 this host answering for others", received{replyFrom(them), ours}, false},
	{"K15 switch asking whether we are there", heard(makeARP(arp.OperationRequest, them, nobody, us, addr)), false},
	{"K15 probe from nobody", heard(probePacket(zeroMAC, addr)), false},
	{"reply from nobody", heard(replyFrom(zeroMAC)), false},
}

func TestProbingKnowsAConflictWhenItHearsOne(t *testing.T) {
	for _, c := range probingCases {
		t.Run(c.name, func(t *testing.T) {
			// Before the first probe, between them, and after the last.
			for steps := range 4 {
				m := newProber(epoch, testSubject(), RFC5227.Timing(), rand.New(rand.NewPCG(1, 2)))
				now := epoch
				for range steps {
					now = m.Deadline()
					m.Step(now, timeout{})
				}
				outs := m.Step(now, c.in)
				if !c.conflict {
					if len(outs) != 0 || m.done {
						t.Fatalf("after %d probes: %v, want nothing", steps, outs)
					}
					continue
				}
				v, ok := onlyVerdict(outs)
				if !ok || !bytes.Equal(v.holder, c.in.packet.SenderHardwareAddr) {
					t.Fatalf("after %d probes: %v, want a conflict with %v", steps, outs, c.in.packet.SenderHardwareAddr)
				}
				if !m.Deadline().IsZero() || m.Step(now, c.in) != nil {
					t.Fatalf("after %d probes: goes on after the verdict", steps)
				}
			}
		})
	}
}

func onlyVerdict(outs []output) (verdict, bool) {
	if len(outs) != 1 {
		return verdict{}, false
	}
	v, ok := outs[0].(verdict)
	return v, ok
}

func TestOtherAddressesOfTheHostAreReadOnlyUnderSuspicion(t *testing.T) {
	asked := 0
	s := testSubject()
	s.own = func(net.HardwareAddr) bool { asked++; return false }
	m := newProber(epoch, s, Fast.Timing(), rand.New(rand.NewPCG(1, 2)))
	m.Step(epoch, timeout{})
	m.Step(epoch, heard(request(them, other, addr)))
	m.Step(epoch, heard(probePacket(us, addr)))
	if asked != 0 {
		t.Errorf("asked %d times about packets that are no conflict", asked)
	}
	m.Step(epoch, heard(replyFrom(them)))
	if asked == 0 {
		t.Error("not asked about the sender of a reply")
	}
}

func TestProbesThatWereAllLostProveNothing(t *testing.T) {
	down := errors.New("network is down")
	for lose := range 4 {
		m := newProber(epoch, testSubject(), Fast.Timing(), rand.New(rand.NewPCG(1, 2)))
		for i := range 3 {
			now := m.Deadline()
			if outs := m.Step(now, timeout{}); len(outs) != 1 {
				t.Fatalf("probe %d: %v", i+1, outs)
			}
			if i < lose {
				m.Step(now, lost{down})
			}
		}
		v, ok := onlyVerdict(m.Step(m.Deadline(), timeout{}))
		if !ok || v.holder != nil || errors.Is(v.err, down) != (lose == 3) {
			t.Errorf("%d of 3 probes lost: %v, want an error only if all are", lose, v)
		}
	}
}

func TestAHostThatWasBusyStillWaitsBetweenProbes(t *testing.T) {
	m := newProber(epoch, testSubject(), RFC5227.Timing(), rand.New(rand.NewPCG(1, 2)))
	late := m.Deadline().Add(time.Hour)
	if outs := m.Step(late, timeout{}); len(outs) != 1 {
		t.Fatalf("late: %v, want one probe", outs)
	}
	if gap := m.Deadline().Sub(late); gap < time.Second || gap > 2*time.Second {
		t.Errorf("next probe after %v, want 1 to 2 s", gap)
	}
	if outs := m.Step(late, timeout{}); outs != nil {
		t.Errorf("early timeout: %v, want nothing", outs)
	}
}
