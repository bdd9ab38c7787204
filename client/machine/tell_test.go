package machine

import (
	"fmt"
	"strings"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// step advances the machine and writes its answer into the story.
func (s *story) step(now time.Time, in Input) {
	for _, out := range s.m.Step(now, in) {
		s.tell(now, out)
	}
	d := "-"
	if t := s.m.Deadline(); !t.IsZero() {
		d = t.Sub(epoch).Round(time.Millisecond).String()
	}
	s.line(now, "= %v until %s", s.m.State(), d)
}

func (s *story) line(now time.Time, format string, args ...any) {
	fmt.Fprintf(&s.out, "    %-11v %s\n", now.Sub(epoch).Round(time.Millisecond), fmt.Sprintf(format, args...))
}

// tell writes one output.
func (s *story) tell(now time.Time, out Output) {
	switch out := out.(type) {
	case Send:
		s.last = out.Message
		to := "broadcast"
		if out.To.IsValid() {
			to = out.To.String()
		}
		if out.Last {
			to += " in its turn"
		}
		s.line(now, "send %s to %s", s.describe(out.Message), to)
	case Probe:
		s.line(now, "probe %v", out.Addr)
	case Announce:
		s.line(now, "announce %v", out.Addr)
	case Apply:
		s.line(now, "apply %s", describeLease(out.Lease))
	case Withdraw:
		s.line(now, "withdraw %s", describeLease(out.Lease))
	case Save:
		s.line(now, "save %s", describeLease(out.Lease))
	case Forget:
		s.line(now, "forget")
	case Drop:
		s.line(now, "drop %v: %s", out.Message.Type(), out.Reason)
	case Report:
		s.tellReport(now, out)
	}
}

func (s *story) tellReport(now time.Time, r Report) {
	arrow := r.To.String()
	if r.From != r.To {
		arrow = fmt.Sprintf("%v -> %v", r.From, r.To)
	}
	text := string(r.Cause)
	if r.Text != "" {
		text += ": " + r.Text
	}
	s.line(now, "%s (%s)", arrow, text)
	for _, o := range r.Offers {
		verdict := ""
		if o.Chosen {
			verdict = ": chosen"
		}
		s.line(now, "    offer %v%s", o, verdict)
	}
}

// describe writes a message with what matters of it; xids are numbered in the
// order of their first appearance.
func (s *story) describe(m *dhcp4.Message) string {
	if _, known := s.xids[m.XID]; !known {
		s.xids[m.XID] = len(s.xids) + 1
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v xid=#%d secs=%d", m.Type(), s.xids[m.XID], m.Secs)
	if m.Flags != 0 {
		fmt.Fprintf(&b, " flags=%#x", m.Flags)
	}
	if len(m.CHAddr) == 0 {
		b.WriteString(" chaddr=none")
	}
	if m.CIAddr.IsValid() {
		fmt.Fprintf(&b, " ciaddr=%v", m.CIAddr)
	}
	for _, o := range m.Options {
		if o.Code == dhcp4.MsgType.Code {
			continue
		}
		spec, _ := dhcp4.ByCode(o.Code)
		text, err := spec.Format(o.Value)
		if err != nil {
			text = err.Error()
		}
		fmt.Fprintf(&b, " %d=%s", o.Code, text)
	}
	return b.String()
}

func describeLease(l lease.Lease) string {
	if l.Infinite() {
		return fmt.Sprintf("%v from %v for ever", l.Addr, l.Server)
	}
	return fmt.Sprintf("%v from %v until %v", l.Addr, l.Server, l.Expiry.Sub(epoch))
}
