package arpcheck

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"
)

// A prober finds out whether an address is free (RFC 5227, section 2.1.1):
//
//	wait PROBE_WAIT ─► probe ─► probe ─► probe ─► wait ─► free
//	       └──────────────┴── conflict ──┴──────────┘
//
// It listens from the beginning, and says "conflict" at once.
type prober struct {
	subject
	timing Timing
	rand   *rand.Rand

	next  time.Time // of the next probe; after the last one, of the verdict
	first time.Time // of the first probe
	sent  int       // how many probes
	lost  int       // how many of them did not leave the host
	err   error     // of the last one lost
	done  bool
}

func newProber(now time.Time, s subject, t Timing, r *rand.Rand) *prober {
	return &prober{subject: s, timing: t, rand: r, next: now.Add(between(r, 0, t.ProbeWait))}
}

// Deadline returns when the next probe, or the verdict, is due.
func (p *prober) Deadline() time.Time {
	if p.done {
		return time.Time{}
	}
	return p.next
}

// Step takes one input that happened at now and returns what is to be done.
func (p *prober) Step(now time.Time, in input) []output {
	if p.done {
		return nil
	}
	switch in := in.(type) {
	case received:
		if p.conflict(in) {
			return p.finish(verdict{holder: in.packet.SenderHardwareAddr})
		}
	case lost:
		p.lost++
		p.err = in.err
	case timeout:
		switch {
		case now.Before(p.next):
		case p.sent < p.timing.ProbeNum:
			return p.probe(now)
		case p.sent > 0 && p.lost == p.sent:
			return p.finish(verdict{err: fmt.Errorf("none of %d probes left the host: %w", p.sent, p.err)})
		default:
			return p.finish(verdict{})
		}
	}
	return nil
}

func (p *prober) finish(v verdict) []output {
	p.done = true
	return []output{v}
}

// probe sends the next probe. The times that follow count from when it is
// really sent, so that a host that was busy for a while still leaves the
// other side the whole time to answer.
func (p *prober) probe(now time.Time) []output {
	if p.sent == 0 {
		p.first = now
	}
	p.sent++
	switch {
	case p.sent < p.timing.ProbeNum:
		p.next = now.Add(between(p.rand, p.timing.ProbeMin, p.timing.ProbeMax))
	case p.timing.Window > 0:
		p.next = p.first.Add(p.timing.Window)
	default:
		p.next = now.Add(p.timing.AnnounceWait)
	}
	return []output{send{probePacket(p.mac, p.addr)}}
}

// conflict tells whether in shows another holder (K5): a packet of any kind
// from somebody who says that the address is his, or the probe of somebody
// who wants it too.
func (p *prober) conflict(in received) bool {
	switch q := in.packet; {
	case q.SenderIP == p.addr:
	case isProbe(q) && q.TargetIP == p.addr:
		// RFC 5227 leaves the target hardware address of a probe zero.
		// Who fills in ours does not want the address, but asks whether
		// we still have it (K15; switches that track devices do).
		if bytes.Equal(q.TargetHardwareAddr, p.mac) {
			return false
		}
	default:
		return false
	}
	return p.foreign(in)
}

// between returns a random duration from low to high, both included.
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)+1))
}
