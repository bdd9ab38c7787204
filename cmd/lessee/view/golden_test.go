package view

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

var update = flag.Bool("update", false, "rewrite the texts in testdata with what is written now; look at them in a terminal before you commit them")

// readers are whom the golden files are for.
func readers() map[string]Options {
	out := map[string]Options{"piped": {}, "80-ascii": {Width: 80, ASCII: true}, "40": {Width: 40}}
	for _, w := range []int{80, 200} {
		out[fmt.Sprint(w)] = Options{Width: w}
		out[fmt.Sprintf("%d-color", w)] = Options{Width: w, Color: true}
	}
	for name, o := range out {
		o.Now = now
		out[name] = o
	}
	return out
}

// TestTheTextsAreAsTheyWereLookedAt compares everything with the files in
// testdata, which show what users see: cat them.
func TestTheTextsAreAsTheyWereLookedAt(t *testing.T) {
	for name, o := range readers() {
		events := ""
		for _, e := range full().Events {
			events += EventLine(e, o)
		}
		for what, got := range map[string]string{
			"table": Table(samples(), o), "two": Table([]agent.Status{full(), samples()[8]}, o), "full": Full(full(), o), "absent": Full(samples()[9], o), "for-ever": Full(samples()[3], o), "events": events, "explained": Explanation(explained(), o),
		} {
			file := "testdata/" + what + "-" + name + ".txt"
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s: -file +now\n%s", file, diff)
			}
		}
	}
}

func TestColourAddsNothingButColour(t *testing.T) {
	plain, coloured := Options{Width: 80, Now: now}, Options{Width: 80, Color: true, Now: now}
	for what, f := range map[string]func(Options) string{
		"table": func(o Options) string { return Table(samples(), o) },
		"full":  func(o Options) string { return Full(full(), o) },
		"event": func(o Options) string { return EventLine(full().Events[3], o) },
	} {
		got := f(coloured)
		if !strings.Contains(got, "\x1b[32m") {
			t.Errorf("%s: a lease in use is not green", what)
		}
		if stripped := sgr.ReplaceAllString(got, ""); stripped != f(plain) {
			t.Errorf("%s: %s", what, cmp.Diff(f(plain), stripped))
		}
	}
}

func TestAwkFindsTheColumns(t *testing.T) {
	text := Table(samples(), Options{Now: now, Color: true}) // there are no colours in a pipe
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(samples()) {
		t.Fatalf("%d lines for %d links", len(lines), len(samples()))
	}
	for i, want := range []string{
		"eth0 BOUND 192.0.2.140/24 192.0.2.1 2460 2026-02-26T12:19:00+01:00",
		"wlp0s20f3 RENEWING 192.168.178.123/24 192.168.178.1 36000 -",
		"eth1@blue REBINDING 10.0.0.7/8 10.255.255.254 300 2026-03-01T12:17:30+01:00",
		"br0 BOUND 198.51.100.2/30 198.51.100.1 infinite -",
		"veth1 BOUND 192.0.2.9/32 192.0.2.1 4 -",
		"enp3s0 BOUND 192.0.2.77/24 192.0.2.1 26400 -",
		"eth2 INIT - - - 2026-03-01T12:18:56+01:00",
		"eth3 SELECTING - - - -",
		"usb0 FAILED - - - 2026-03-01T12:18:58+01:00",
		"wwan0 ABSENT - - - -",
	} {
		if got := strings.Join(strings.Fields(lines[i])[:6], " "); got != want {
			t.Errorf("line %d: %s, want %s", i, got, want)
		}
	}
	if !strings.HasSuffix(lines[5], " no carrier") || !strings.HasSuffix(lines[7], " paused") {
		t.Errorf("%s\n%s", lines[5], lines[7])
	}
	if !strings.HasSuffix(lines[8], "failed: open a packet socket on usb0: operation not permitted") {
		t.Errorf("the problem is not whole: %s", lines[8])
	}
}

func TestNoLinksAreSaidToBeNone(t *testing.T) {
	if got := Table(nil, Options{Width: 80}); got != "no links\n" {
		t.Errorf("%q", got)
	}
	if got := Table(nil, Options{}); got != "" {
		t.Errorf("piped: %q", got)
	}
}
