package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// nameWidth is the room for the name of a value, in columns.
const nameWidth = 14

// optionWidth is that for the name of an option with its number. Few are
// longer.
const optionWidth = 30

// A sheet is what is written about one link, section by section.
type sheet struct {
	pen
	lines []line
}

// Full returns everything about one link. On a terminal long lines are wrapped,
// never cut.
func Full(s agent.Status, o Options) string {
	f := &sheet{pen: penFor(o)}
	f.link(s)
	if s.Lease != nil && !s.Lease.IsZero() {
		f.lease(*s.Lease)
		f.options(s.Lease.Options)
	}
	f.overrides(s.Overrides)
	f.refused(s.Refused)
	f.offers(s.Offers)
	f.events(s.Events)
	f.counts(s.Counts)
	return f.arrange(f.lines)
}

// add writes a line, on a terminal wrapped with its lines below each other.
func (f *sheet) add(l line, indent int) {
	if f.piped() {
		f.lines = append(f.lines, l)
		return
	}
	f.lines = append(f.lines, l.wrap(f.Width, indent)...)
}

// section writes the title of one.
func (f *sheet) section(title string) {
	f.lines = append(f.lines, nil)
	f.add(f.plain(title), 0)
}

// value writes a name and a value.
func (f *sheet) value(name string, v line) {
	l := f.plain("  " + name).pad(nameWidth + 2)
	f.add(l.with(v), nameWidth+2)
}

func (f *sheet) link(s agent.Status) {
	state := strings.Join(append([]string{s.State}, remarks(s)...), ", ")
	l := f.plain(s.Link + ": ").with(f.say(stateColour(s), state))
	if !s.Since.IsZero() {
		l = l.with(f.plain(", since " + f.atAndFrom(s.Since)))
	}
	f.add(l, 2)
	if s.Hardware != "" {
		f.value("hardware", f.plain(s.Hardware))
	}
	if s.Probe != "" {
		f.value("probe", f.plain(s.Probe))
	}
	if t := termOf(s, f.Now); t.held {
		f.value("time left", f.left(s, t))
	}
	if s.Try > 0 {
		f.value("try", f.plain(fmt.Sprint(s.Try)))
	}
	if !s.Next.IsZero() {
		f.value("acts next", f.plain(f.atAndFrom(s.Next)))
	}
	if p := s.Problem; p != nil {
		f.value("last problem", f.say(kindColour(p.Kind), p.Kind).with(f.plain(withText(", "+f.atAndFrom(p.Time), p.Text))))
	}
}

// left is what is left of the lease; there are no bars in a pipe.
func (f *sheet) left(s agent.Status, t term) line {
	text := t.words()
	if !t.infinite {
		text += " of " + span(t.whole)
	}
	if f.piped() {
		return f.plain(text)
	}
	n := min(2*wholeBar, max(f.Width-nameWidth-2-len(text)-1, 0))
	if n == 0 {
		return f.plain(text)
	}
	return f.bar(t, n, leftColour(s.State, t)).with(f.plain(" " + text))
}

func (f *sheet) lease(l lease.Lease) {
	f.section("lease")
	address := l.Addr.String()
	if l.MaskDerived {
		address += " (the length by the class of the address: the server sent no mask)"
	}
	f.value("address", f.plain(address))
	if l.Server.IsValid() {
		f.value("server", f.plain(l.Server.String()))
	}
	f.value("granted", f.plain(f.atAndFrom(l.Start)))
	if l.Infinite() {
		f.value("expires", f.plain("never"))
		return
	}
	f.value("T1, renewal", f.plain(f.atAndFrom(l.T1)))
	f.value("T2, rebinding", f.plain(f.atAndFrom(l.T2)))
	f.value("expires", f.plain(f.atAndFrom(l.Expiry)))
}

func (f *sheet) options(list dhcp4.Options) {
	if len(list) == 0 {
		return
	}
	f.section("options")
	for _, o := range list {
		name := f.plain(fmt.Sprintf("  %3d %v ", uint8(o.Code), o.Code)).pad(optionWidth + 2)
		f.add(name.with(f.plain(o.String())), name.width())
	}
}

// Override returns what is told of an override, in one line.
func Override(o agent.Override) string {
	sent := "the server sent nothing"
	if o.Sent != "" {
		sent = "the server sent " + o.Sent
	}
	did := map[string]string{"supersede": "superseded", "default": "set by default", "prepend": "prepended to", "append": "appended to"}[o.How]
	if o.Why != "" {
		did = "not " + did + ", for " + o.Why
	}
	return fmt.Sprintf("option %d (%s) is %s, by %s; %s", o.Code, o.Name, did, o.From, sent)
}

func (f *sheet) overrides(list []agent.Override) {
	if len(list) == 0 {
		return
	}
	f.section("overridden")
	for _, o := range list {
		f.add(f.plain("  "+Override(o)), 4)
	}
}

func (f *sheet) refused(list []agent.Refusal) {
	if len(list) == 0 {
		return
	}
	f.section("not followed")
	for _, r := range list {
		f.add(f.plain("  "+withText(r.What, r.Why)), 4)
	}
}

func (f *sheet) offers(list []agent.Offer) {
	if len(list) == 0 {
		return
	}
	f.section("offers")
	for _, o := range list {
		text := o.Address
		if o.Server != "" {
			text += " from " + o.Server
		}
		if o.Seconds != nil {
			text += " for " + lifetime(*o.Seconds)
		}
		if o.Chosen {
			f.add(f.plain("  ").with(f.say(green, "chosen"), f.plain("  "+text)), 4)
			continue
		}
		f.add(f.plain("  lost    "+withText(text, o.Why)), 4)
	}
}

// lifetime is a number of seconds as a server offers it.
func lifetime(seconds uint32) string {
	d, finite := dhcp4.Lifetime(seconds).Duration()
	if !finite {
		return "ever"
	}
	return span(d)
}

func (f *sheet) events(list []agent.Event) {
	if len(list) == 0 {
		return
	}
	f.section("last events")
	for _, e := range list {
		f.add(f.plain("  "+f.clock(e.Time)+" ").with(f.change(e), f.plain(" "), f.happened(e)), 4)
	}
}

func (f *sheet) counts(m map[string]int) {
	if len(m) == 0 {
		return
	}
	f.section("events so far")
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(m)) {
		words = append(words, fmt.Sprintf("%s %d", kind, m[kind]))
	}
	f.add(f.plain("  "+strings.Join(words, ", ")), 2)
}
