package arpcheck

import (
	"bytes"
	"testing"
	"time"

	"github.com/mdlayher/arp"
)

func newTestWatcher(d Defence) *watcher { return newWatcher(testSubject(), d, Fast.Timing()) }

// what tells a watcher's answer in a word.
func what(outs []output) string {
	if len(outs) == 0 {
		return "nothing"
	}
	switch out := outs[0].(type) {
	case send:
		if isAnnouncement(out.packet) && out.packet.SenderIP == addr && bytes.Equal(out.packet.SenderHardwareAddr, us) && len(outs) == 1 {
			return "defend"
		}
	case verdict:
		if out.err == nil && len(outs) == 1 {
			return "give in to " + out.holder.String()
		}
	}
	return "?"
}

// K11: "if ... this is the first conflicting ARP packet the host has seen, or
// the time recorded for the previous one is not recent, it may defend its
// address ... If another one is received within DEFEND_INTERVAL seconds, the
// host must cease using it."
func TestK11AddressIsDefendedOnceAndGivenInToASecondTime(t *testing.T) {
	in := heard(announcement(them, addr))
	give := "give in to " + them.String()
	for _, c := range []struct {
		defence Defence
		at      []time.Duration
		want    []string
	}{
		{DefendOnce, []time.Duration{0, 9999 * time.Millisecond, 11 * time.Second}, []string{"defend", give, "nothing"}},
		{DefendOnce, []time.Duration{0, 10 * time.Second, 20 * time.Second, 21 * time.Second}, []string{"defend", "defend", "defend", give}},
		{DefendNever, []time.Duration{0, time.Second}, []string{give, "nothing"}},
		// Packets that keep coming do not put off the next defence.
		{DefendAlways, []time.Duration{0, time.Second, 9 * time.Second, 10 * time.Second, 11 * time.Second, 20 * time.Second},
			[]string{"defend", "nothing", "nothing", "defend", "nothing", "defend"}},
	} {
		w := newTestWatcher(c.defence)
		for i, at := range c.at {
			if got := what(w.Step(epoch.Add(at), in)); got != c.want[i] {
				t.Errorf("defence %v, conflict at %v: %s, want %s", c.defence, at, got, c.want[i])
			}
			if !w.Deadline().IsZero() {
				t.Errorf("defence %v: a watcher has no deadline, got %v", c.defence, w.Deadline())
			}
		}
	}
}

func TestWatcherKnowsAConflictWhenItHearsOne(t *testing.T) {
	for _, c := range []struct {
		name     string
		in       received
		conflict bool
	}{
		{"request in our name", heard(request(them, addr, other)), true},
		{"reply in our name", heard(makeARP(arp.OperationReply, them, addr, third, other)), true},
		{"announcement of our address", heard(announcement(them, addr)), true},
		{"late answer to a probe", heard(replyFrom(them)), true},
		{"answer to an announcement, but none was sent lately", heard(makeARP(arp.OperationReply, them, addr, us, addr)), true},
		{"K15 probe for our address", heard(probePacket(them, addr)), false},
		{"K15 probe sent to us", heard(makeARP(arp.OperationRequest, them, nobody, us, addr)), false},
		{"K15 probe from nobody", heard(probePacket(zeroMAC, addr)), false},
		{"neighbour asking for us", heard(request(them, other, addr)), false},
		{"K6 our own announcement coming back", heard(announcement(us, addr)), false},
		{"K6 our own announcement through a repeater", received{announcement(us, addr), them}, false},
		{"K6 another interface of this host", heard(announcement(ours, addr)), false},
		{"K6 this host speaking for another", received{announcement(them, addr), us}, false},
		{"about another address", heard(announcement(them, other)), false},
	} {
		got, want := what(newTestWatcher(DefendOnce).Step(epoch, c.in)), "nothing"
		if c.conflict {
			want = "defend"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", c.name, got, want)
		}
	}
}

func TestK15ProxyAnsweringOurAnnouncementIsNoConflict(t *testing.T) {
	w := newTestWatcher(DefendOnce)
	proxy := heard(makeARP(arp.OperationReply, third, addr, us, addr))
	at := func(d time.Duration, in input, want string) {
		t.Helper()
		if got := what(w.Step(epoch.Add(d), in)); got != want {
			t.Errorf("at %v: %s, want %s", d, got, want)
		}
	}
	at(0, announced{}, "nothing")
	at(5*time.Millisecond, proxy, "nothing")
	at(200*time.Millisecond, announced{}, "nothing")
	at(time.Second, proxy, "nothing")
	// A real conflict: our defence draws another answer from the proxy,
	// which must not count as the second conflict.
	at(20*time.Second, heard(request(them, addr, other)), "defend")
	at(20*time.Second+5*time.Millisecond, proxy, "nothing")
	// The real holder's answer to the same defence does count.
	at(20*time.Second+9*time.Millisecond, heard(makeARP(arp.OperationReply, them, addr, us, addr)), "give in to "+them.String())
}

func TestAnOlderAnnouncementDoesNotHideANewerOne(t *testing.T) {
	w := newTestWatcher(DefendOnce)
	w.Step(epoch.Add(time.Minute), heard(announcement(them, addr))) // defended
	w.Step(epoch, announced{})
	proxy := heard(makeARP(arp.OperationReply, third, addr, us, addr))
	if got := what(w.Step(epoch.Add(time.Minute+time.Millisecond), proxy)); got != "nothing" {
		t.Errorf("proxy's answer to the defence: %s, want nothing", got)
	}
}

// FuzzWatch: whatever is heard, an address is never defended twice within
// DEFEND_INTERVAL, and nothing comes after giving in.
func FuzzWatch(f *testing.F) {
	f.Add(uint8(DefendOnce), []byte{0, 1, 40, 1, 2, 3})
	f.Add(uint8(DefendAlways), []byte{1, 1, 1, 200, 1, 9, 4, 1})
	kinds := []received{
		heard(announcement(them, addr)), heard(request(third, addr, other)), heard(probePacket(them, addr)),
		heard(makeARP(arp.OperationReply, third, addr, us, addr)), heard(announcement(us, addr)),
	}
	f.Fuzz(func(t *testing.T, d uint8, story []byte) {
		w := newTestWatcher(Defence(d % 3))
		now, gaveIn := epoch, false
		var defended time.Time
		for _, b := range story {
			now = now.Add(time.Duration(b/8) * 500 * time.Millisecond)
			outs := w.Step(now, kinds[int(b)%len(kinds)])
			switch {
			case gaveIn && len(outs) > 0:
				t.Fatalf("%v after giving in", outs)
			case what(outs) == "defend":
				if recent(now, defended, 10*time.Second) {
					t.Fatalf("defended at %v and at %v", defended, now)
				}
				defended = now
			case len(outs) > 0:
				gaveIn = true
				if w.defence == DefendAlways {
					t.Fatal("gave in, which DefendAlways never does")
				}
			}
		}
	})
}
