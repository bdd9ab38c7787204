package arpcheck

import (
	"fmt"
	"time"
)

// An announcer tells the link that an address is ours now (RFC 5227, section
// 2.3), so that neighbours forget whom they knew under it before.
type announcer struct {
	subject
	timing Timing

	next time.Time // of the next announcement
	sent int
	lost int   // how many did not leave the host
	err  error // of the last one lost
	done bool
}

func newAnnouncer(now time.Time, s subject, t Timing) *announcer {
	return &announcer{subject: s, timing: t, next: now}
}

// Deadline returns when the next announcement is due.
func (a *announcer) Deadline() time.Time {
	if a.done {
		return time.Time{}
	}
	return a.next
}

// Step takes one input that happened at now and returns what is to be done.
// It is through with the timeout that follows its last announcement at once.
func (a *announcer) Step(now time.Time, in input) []output {
	switch in := in.(type) {
	case lost:
		a.lost++
		a.err = in.err
	case timeout:
		switch {
		case a.done || now.Before(a.next):
		case a.sent < a.timing.AnnounceNum:
			a.sent++
			a.next = now
			if a.sent < a.timing.AnnounceNum {
				a.next = now.Add(a.timing.AnnounceInterval)
			}
			return []output{send{announcement(a.mac, a.addr)}}
		case a.lost == a.sent:
			a.done = true
			return []output{verdict{err: fmt.Errorf("none of %d announcements left the host: %w", a.sent, a.err)}}
		default:
			a.done = true
			return []output{verdict{}}
		}
	}
	return nil
}
