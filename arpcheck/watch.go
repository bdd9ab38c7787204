package arpcheck

import (
	"bytes"
	"net"
	"time"

	"github.com/mdlayher/arp"
)

// answerWait is how long after an announcement an answer to it may come.
// Linux's proxies wait for up to 0.8 s (proxy_delay, arp(7)).
const answerWait = time.Second

// A watcher guards an address that is in use (RFC 5227, section 2.4). It has
// no deadlines: only packets move it.
type watcher struct {
	subject
	defence  Defence
	interval time.Duration // DEFEND_INTERVAL

	conflict  time.Time        // when the last conflict was heard
	rival     net.HardwareAddr // by whom
	defended  time.Time        // when the address was last defended
	announced time.Time        // when the address was last announced
	done      bool
}

func newWatcher(s subject, d Defence, t Timing) *watcher {
	return &watcher{subject: s, defence: d, interval: t.DefendInterval}
}

// Deadline returns zero: a watcher waits for packets only.
func (w *watcher) Deadline() time.Time { return time.Time{} }

// Step takes one input that happened at now and returns what is to be done.
func (w *watcher) Step(now time.Time, in input) []output {
	switch in := in.(type) {
	case announced:
		if now.After(w.announced) {
			w.announced = now
		}
	case received:
		if !w.done && w.claims(now, in) {
			return w.contest(now, in.packet.SenderHardwareAddr)
		}
	}
	return nil
}

// claims tells whether in is from somebody else who uses the address. Probes
// are not: who probes does not use the address yet, and will hear from the
// kernel that it is taken (K15; RFC 5227, section 2.4, asks for the address
// in the sender IP).
func (w *watcher) claims(now time.Time, in received) bool {
	return in.packet.SenderIP == w.addr && !w.isProxyAnswer(now, in.packet) && w.foreign(in)
}

// isProxyAnswer tells whether p is what a proxy makes of our announcement: it
// takes "who has A, tell A" for a question and answers that it has A itself
// (K15). A host that really holds A defends it by a broadcast announcement,
// and asks others in the name of A sooner or later; from then on its answers
// count too.
func (w *watcher) isProxyAnswer(now time.Time, p *arp.Packet) bool {
	return p.Operation == arp.OperationReply &&
		p.TargetIP == w.addr && bytes.Equal(p.TargetHardwareAddr, w.mac) &&
		recent(now, w.announced, answerWait) &&
		!bytes.Equal(p.SenderHardwareAddr, w.rival)
}

// contest decides what to do about a conflict with rival (K11).
func (w *watcher) contest(now time.Time, rival net.HardwareAddr) []output {
	again := recent(now, w.conflict, w.interval)
	w.conflict, w.rival = now, rival
	switch {
	case w.defence == DefendNever, w.defence == DefendOnce && again:
		w.done = true
		return []output{verdict{holder: rival}}
	case recent(now, w.defended, w.interval):
		return nil // DefendAlways: one announcement in each interval
	}
	w.defended, w.announced = now, now
	return []output{send{announcement(w.mac, w.addr)}}
}

// recent tells whether then was less than d before now. Never was not.
func recent(now, then time.Time, d time.Duration) bool {
	return !then.IsZero() && now.Sub(then) < d
}
