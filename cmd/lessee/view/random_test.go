package view

import (
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// columnsOf measures a text by scripts, in another way than the package does.
// genText keeps to what it knows.
func columnsOf(s string) (n int) {
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana), 0x1f600 <= r && r <= 0x1f64f:
			n += 2
		default:
			n++
		}
	}
	return n
}

// genText makes texts of all kinds that a network may hold.
func genText() *rapid.Generator[string] {
	char := rapid.OneOf(
		rapid.RuneFrom([]rune(" abcxyz,:\"\\"), &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0, Hi: 0x2ff, Stride: 1}}}),
		rapid.RuneFrom([]rune("漢字語한국ひ🙂🙏")),
		rapid.RuneFrom([]rune("\u0301\u0302\u200b\u202e\u2028\ufe0f\ufeff\x1b\n\r\x00\u009b")),
	)
	return rapid.OneOf(
		rapid.SampledFrom(append([]string{"", "eth0", "BOUND", "no server answered"}, hostile...)),
		rapid.StringOfN(char, 0, 60, -1),
	)
}

func genTime() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return rapid.SampledFrom([]time.Time{
			{}, now, now.Add(time.Duration(rapid.Int64().Draw(t, "offset"))), now.Add(time.Duration(rapid.Int64Range(-1e14, 1e14).Draw(t, "near"))),
		}).Draw(t, "time")
	})
}

func genOptions() *rapid.Generator[dhcp4.Options] {
	return rapid.Custom(func(t *rapid.T) (list dhcp4.Options) {
		for range rapid.IntRange(0, 4).Draw(t, "options") {
			list.Put(dhcp4.Code(rapid.Byte().Draw(t, "code")), []byte(genText().Draw(t, "value")))
		}
		return list
	})
}

func genEvent() *rapid.Generator[agent.Event] {
	return rapid.Custom(func(t *rapid.T) agent.Event {
		e := agent.Event{
			Time: genTime().Draw(t, "time"), Link: genText().Draw(t, "link"), Kind: genText().Draw(t, "kind"),
			From: genText().Draw(t, "from"), State: genText().Draw(t, "state"), Text: genText().Draw(t, "text"),
		}
		if rapid.Bool().Draw(t, "lease") {
			e.Address, e.Server, e.Expiry = netip.MustParsePrefix("192.0.2.77/24"), netip.MustParseAddr("192.0.2.1"), genTime().Draw(t, "expiry")
		}
		return e
	})
}

func genLease() *rapid.Generator[*lease.Lease] {
	return rapid.Custom(func(t *rapid.T) *lease.Lease {
		l := &lease.Lease{
			Addr:   netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, rapid.Byte().Draw(t, "addr")}), 24),
			Server: netip.AddrFrom4([4]byte{rapid.Byte().Draw(t, "server"), 255, 255, 1}), MaskDerived: rapid.Bool().Draw(t, "derived"),
			Start: genTime().Draw(t, "start"), T1: genTime().Draw(t, "t1"), T2: genTime().Draw(t, "t2"), Expiry: genTime().Draw(t, "expiry"),
			Options: genOptions().Draw(t, "options"),
		}
		return rapid.SampledFrom([]*lease.Lease{nil, {}, l, l}).Draw(t, "which")
	})
}

func genStatus() *rapid.Generator[agent.Status] {
	states := []string{"BOUND", "RENEWING", "REBINDING", "INIT", "INIT-REBOOT", "SELECTING", "IDLE", agent.Absent, agent.Failed, agent.Locked}
	return rapid.Custom(func(t *rapid.T) agent.Status {
		s := agent.Status{
			Link:     genText().Draw(t, "link"),
			State:    rapid.OneOf(rapid.SampledFrom(states), genText()).Draw(t, "state"),
			Hardware: genText().Draw(t, "hardware"),
			Carrier:  rapid.Bool().Draw(t, "carrier"), Paused: rapid.Bool().Draw(t, "paused"),
			Since: genTime().Draw(t, "since"), Next: genTime().Draw(t, "next"), Try: rapid.IntRange(0, 9).Draw(t, "try"),
			Lease:  genLease().Draw(t, "lease"),
			Events: rapid.SliceOfN(genEvent(), 0, 3).Draw(t, "events"),
		}
		if rapid.Bool().Draw(t, "left") {
			s.SecondsLeft = pointer(rapid.Int64().Draw(t, "seconds"))
		}
		if rapid.Bool().Draw(t, "problem") {
			s.Problem = &agent.Problem{Time: genTime().Draw(t, "when"), Kind: genText().Draw(t, "kind"), Text: genText().Draw(t, "text")}
		}
		if rapid.Bool().Draw(t, "more") {
			s.Offers = []agent.Offer{
				{Address: genText().Draw(t, "address"), Server: genText().Draw(t, "server"), Why: genText().Draw(t, "why")},
				{Chosen: true, Seconds: pointer(rapid.Uint32().Draw(t, "seconds"))},
			}
			s.Refused = []agent.Refusal{{What: genText().Draw(t, "what"), Why: genText().Draw(t, "why")}}
			s.Overrides = []agent.Override{{How: genText().Draw(t, "how"), Name: genText().Draw(t, "name"), Sent: genText().Draw(t, "sent"), From: genText().Draw(t, "from"), Why: genText().Draw(t, "why")}}
			s.Counts = map[string]int{genText().Draw(t, "kind"): rapid.Int().Draw(t, "count")}
		}
		return s
	})
}

func genExplanation() *rapid.Generator[agent.Explanation] {
	return rapid.Custom(func(t *rapid.T) agent.Explanation {
		text := func() string { return genText().Draw(t, "text") }
		e := agent.Explanation{Link: text(), Address: text(), Message: text(), Time: genTime().Draw(t, "when")}
		for range rapid.IntRange(0, 2).Draw(t, "parts") {
			e.Host = append(e.Host, agent.Fact{Kind: text(), What: text(), From: text()})
			e.Options = append(e.Options, agent.Fate{Name: text(), Sent: text(), For: []string{text()}, Not: []agent.Refusal{{What: text(), Why: text()}}})
		}
		return e
	})
}

func genReader() *rapid.Generator[Options] {
	return rapid.Custom(func(t *rapid.T) Options {
		return Options{
			Width: rapid.OneOf(rapid.Just(0), rapid.IntRange(1, 250), rapid.SampledFrom([]int{-1, 80})).Draw(t, "width"),
			Color: rapid.Bool().Draw(t, "color"), ASCII: rapid.Bool().Draw(t, "ascii"), Now: now,
		}
	})
}

// linesOf checks a text and returns its lines.
func linesOf(t *rapid.T, text string, o Options) []string {
	if o.Width <= 0 {
		o.Color = false // in a pipe nothing is harmless
	}
	if err := harmful(text, o); err != nil {
		t.Fatalf("%v in\n%q", err, text)
	}
	if !strings.HasSuffix(text, "\n") && text != "" {
		t.Fatalf("the last line has no end: %q", text)
	}
	lines := strings.Split(text, "\n")
	lines = lines[:len(lines)-1]
	for _, l := range lines {
		if w := columnsOf(sgr.ReplaceAllString(l, "")); o.Width > 0 && w > o.Width {
			t.Fatalf("%d columns of %d: %q", w, o.Width, l)
		}
		if strings.HasSuffix(l, " ") {
			t.Fatalf("blanks at the end: %q", l)
		}
	}
	return lines
}

func TestATableHasALineForEachLinkAndFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(genStatus(), 1, 5).Draw(t, "links")
		o := genReader().Draw(t, "reader")
		want := len(list)
		if o.Width > 0 {
			want++ // the names of the columns
		}
		lines := linesOf(t, Table(list, o), o)
		if len(lines) != want {
			t.Fatalf("%d lines, want %d", len(lines), want)
		}
		for i, l := range lines {
			if fields := strings.Fields(l); o.Width <= 0 && len(fields) < 6 {
				t.Fatalf("line %d has %d fields: %q", i, len(fields), l)
			}
		}
	})
}

func TestASheetFitsAndAnEventIsOneLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, e := genStatus().Draw(t, "link"), genEvent().Draw(t, "event")
		o := genReader().Draw(t, "reader")
		linesOf(t, Full(s, o), o)
		linesOf(t, Explanation(genExplanation().Draw(t, "explanation"), o), o)
		if lines := linesOf(t, EventLine(e, o), o); len(lines) != 1 {
			t.Fatalf("%d lines", len(lines))
		}
	})
}

// TestASheetLosesNothing compares a narrow terminal with one that has room for
// all.
func TestASheetLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genStatus().Draw(t, "link")
		o := Options{Width: rapid.IntRange(20, 100).Draw(t, "width"), Now: now}
		bare := func(o Options) string {
			return strings.NewReplacer(" ", "", "\n", "", "█", "", "░", "").Replace(Full(s, o))
		}
		room := o
		room.Width = 1 << 20
		if bare(o) != bare(room) {
			t.Fatalf("%s\n\n%s", Full(s, o), Full(s, room))
		}
	})
}

func TestColumnsAreAlignedByWhatIsSeen(t *testing.T) {
	var list []agent.Status
	for _, name := range []string{"eth0", "漢字", "ひ", "e\u0301e\u0301", "\x1b", "é🙂"} {
		list = append(list, agent.Status{Link: name, State: "BOUND", Carrier: true})
	}
	for _, o := range []Options{{Width: 80}, {}} {
		for i, l := range strings.Split(strings.TrimSuffix(Table(list, o), "\n"), "\n") {
			if o.Width > 0 && i == 0 {
				continue
			}
			if before, _, _ := strings.Cut(l, "BOUND"); columnsOf(before) != 6 {
				t.Errorf("%q: the state begins in column %d", l, columnsOf(before))
			}
		}
	}
}

func TestABarShowsHowMuchIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 24).Draw(t, "columns")
		whole := time.Duration(rapid.Int64Range(1, math.MaxUint32).Draw(t, "whole")) * time.Second
		left := time.Duration(rapid.Int64Range(0, int64(whole)).Draw(t, "left"))
		p := penFor(Options{Width: 80})
		count := func(left time.Duration) int {
			l := p.bar(term{held: true, left: left, whole: whole}, n, none)
			if l.width() != n {
				t.Fatalf("%d columns of %d", l.width(), n)
			}
			text := ""
			for _, piece := range l {
				text += piece.text
			}
			return strings.Count(text, "█")
		}
		got, exact := count(left), float64(n)*float64(left)/float64(whole)
		if (left > 0) != (got > 0) || float64(got) > exact+1e-6 && got > 1 || float64(got) < exact-1-1e-6 {
			t.Fatalf("%d of %d for %v of %v", got, n, left, whole)
		}
		if count(whole) != n || count(0) != 0 || count(max(left-time.Hour, 0)) > got {
			t.Fatal("not in proportion")
		}
	})
}

func TestSpansAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 999 * time.Millisecond: "0s", time.Second: "1s", 59 * time.Second: "59s", time.Minute: "1m", 545 * time.Second: "9m5s",
		41 * time.Minute: "41m", 41*time.Minute + 59*time.Second: "41m", time.Hour: "1h", 23*time.Hour + 59*time.Minute: "23h", 76 * time.Hour: "3d4h",
		40 * 24 * time.Hour: "40d", math.MaxUint32 * time.Second: "49710d", -time.Hour: "0s",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, math.MaxUint32).Draw(t, "d")) * time.Second
		if got := span(d); len(got) > 6 || len(got) < 2 {
			t.Fatalf("%v: %s", d, got)
		}
	})
}
