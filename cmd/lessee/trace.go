package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
)

// A ladder draws an exchange as it happens: time on the left, what this host
// sends to the right, what it receives to the left, its own state between.
//
//	0.000 │ INIT → SELECTING
//	0.000 ├─── DHCPDISCOVER ─────────────────► broadcast
//	0.004 ◄─── DHCPOFFER 192.0.2.77 ─────────┤ 192.0.2.1
type ladder struct {
	out   io.Writer
	ascii bool       // the terminal shows nothing else
	full  bool       // every message in many lines, below its rung
	mu    sync.Mutex // ARP comes from beside the client's loop
	start time.Time  // of the first rung
}

// rungWidth is the space for a message between the two posts, in columns.
const rungWidth = 40

func (l *ladder) event(e client.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Kind {
	case client.Sent:
		to := "broadcast"
		if e.To.IsValid() {
			to = e.To.String()
		}
		if e.Err != nil {
			to += fmt.Sprintf(" (not sent: %v)", e.Err)
		}
		l.right(e.Time, label(e.Message), to)
		l.dump(e.Message)
	case client.Received:
		from := "a server"
		if id, err := dhcp4.ServerID.Get(e.Message.Options); err == nil {
			from = id.String()
		}
		l.left(e.Time, label(e.Message), from)
		l.dump(e.Message)
	case client.Dropped:
		l.text(e.Time, fmt.Sprintf("  dropped: %s", e.Reason))
	case client.Reported:
		l.report(e.Time, e.Report)
	}
}

// report draws changes of state and what explains them; that a message was
// sent is to be seen already.
func (l *ladder) report(at time.Time, r machine.Report) {
	text := ""
	if r.From != r.To {
		text = fmt.Sprintf("%v → %v", r.From, r.To)
	}
	if r.Cause != machine.CauseSent {
		text = strings.TrimSpace(text + "  " + string(r.Cause))
		if r.Text != "" {
			text += ": " + r.Text
		}
	}
	if text != "" {
		l.text(at, text)
	}
}

// arp draws one ARP packet.
func (l *ladder) arp(at time.Time, sent bool, what string, peer net.HardwareAddr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if sent {
		l.right(at, what, "broadcast")
	} else {
		l.left(at, what, peer.String())
	}
}

func (l *ladder) right(at time.Time, what, to string) {
	l.line(at, "├─── "+what+" "+dashes(what)+"► "+to)
}

func (l *ladder) left(at time.Time, what, from string) {
	l.line(at, "◄─── "+what+" "+dashes(what)+"┤ "+from)
}

func (l *ladder) text(at time.Time, text string) { l.line(at, "│ "+text) }

func (l *ladder) line(at time.Time, text string) {
	if l.start.IsZero() {
		l.start = at
	}
	fmt.Fprint(l.out, drawn(l.ascii, fmt.Sprintf("%9.3f %s\n", at.Sub(l.start).Seconds(), text)))
}

var inASCII = strings.NewReplacer("├", "|", "┤", "|", "│", "|", "─", "-", "►", ">", "◄", "<", "→", "->", "—", "-")

// drawn draws in ASCII, if nothing else can be shown.
func drawn(ascii bool, text string) string {
	if ascii {
		return inASCII.Replace(text)
	}
	return text
}

// onlyASCII tells whether f is a terminal that shows nothing else.
func onlyASCII(f *os.File) bool { return isTerminal(f) && !speaksUTF8() }

func (l *ladder) dump(m *dhcp4.Message) {
	if !l.full {
		return
	}
	for line := range strings.Lines(m.Dump()) {
		fmt.Fprintf(l.out, "%9s %s     %s", "", drawn(l.ascii, "│"), line)
	}
}

// arpLabel is an ARP packet in a few words.
func arpLabel(b []byte) string {
	if len(b) < 28 {
		return "ARP"
	}
	sender, target := netip.AddrFrom4([4]byte(b[14:18])), netip.AddrFrom4([4]byte(b[24:28]))
	switch op := binary.BigEndian.Uint16(b[6:]); {
	case op == 1 && sender.IsUnspecified():
		return fmt.Sprintf("ARP who has %v?", target)
	case sender == target:
		return fmt.Sprintf("ARP %v is mine", sender)
	case op == 1:
		return fmt.Sprintf("ARP who has %v? tell %v", target, sender)
	default:
		return fmt.Sprintf("ARP %v is at %v", sender, net.HardwareAddr(b[8:14]))
	}
}

func dashes(label string) string {
	return strings.Repeat("─", max(rungWidth-len([]rune(label)), 3))
}

// label is a message in a word and the address that it is about.
func label(m *dhcp4.Message) string {
	text := m.Type().String()
	for _, a := range []string{m.YIAddr.String(), m.CIAddr.String()} {
		if a != "0.0.0.0" && a != "invalid IP" {
			return text + " " + a
		}
	}
	if a, err := dhcp4.RequestedAddr.Get(m.Options); err == nil {
		return text + " " + a.String()
	}
	return text
}
