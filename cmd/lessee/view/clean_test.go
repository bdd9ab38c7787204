package view

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// sgr are the only sequences that may be printed: the colours that have a
// meaning, and their end.
var sgr = regexp.MustCompile(`\x1b\[(0|31|32|33)m`)

// harmful tells what in a text a terminal would obey, or show as something
// that it is not.
func harmful(text string, o Options) error {
	if o.Color {
		text = sgr.ReplaceAllString(text, "")
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("not UTF-8")
	}
	for _, r := range strings.ReplaceAll(text, "\n", "") {
		switch {
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs):
			return fmt.Errorf("%U", r)
		case unicode.IsSpace(r) && r != ' ':
			return fmt.Errorf("%U", r)
		case o.ASCII && r > '~':
			return fmt.Errorf("%U in ASCII", r)
		}
	}
	return nil
}

// obeyed are texts that somebody on the link may send, and that a terminal
// would obey or misplace.
var obeyed = []string{
	"\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1bP+q544e\x1b\\", "\x1b[2J\x1b[H", "\x1b[200~", "\u009b31m", "\x9b31m",
	"a\r\nb", "a\tb", "\x00", "\x08\x08\x08", "\x7f", "\x0e", "\xff\xfe", "\xed\xa0\x80", "\xf4\x90\x80\x80",
	"\u202egnp.exe", "\u2066x\u2069", "\u200b", "\u200d", "\ufeff", "\u2028", "\u2029", "\u00ad", "\u00a0", "\u3000",
	"\U000e0041", "\ue000", "\U0010fffd",
}

// hostile are those and others that are a nuisance in a table.
var hostile = append([]string{
	"a\nroot: BOUND", "\ufffe", "a" + strings.Repeat("\u0301", 100), "\u0301x", "☁\ufe0f", "漢字のサーバー", "é", "🙂",
	strings.Repeat("x", 300), strings.Repeat("漢", 100), " ", "  a  b  ", `\x1b[31m`,
}, obeyed...)

// fill puts text into everything below v that can hold one, and something into
// everything else, so that all of it is shown. It returns how many texts there
// are.
func fill(v reflect.Value, text string) (n int) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(now.Add(time.Hour)))
		return 0
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(netip.MustParseAddr("fe80::1").WithZone(text)))
		return 1
	case reflect.TypeFor[netip.Prefix]():
		v.Set(reflect.ValueOf(netip.MustParsePrefix("192.0.2.1/24")))
		return 0
	case reflect.TypeFor[dhcp4.Options]():
		var list dhcp4.Options
		for c := 1; c < 255; c++ {
			list = append(list, dhcp4.RawOption{Code: dhcp4.Code(c), Value: []byte(text)})
		}
		v.Set(reflect.ValueOf(list))
		return len(list)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return 1
	case reflect.Struct:
		for i := range v.NumField() {
			n += fill(v.Field(i), text)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		n = fill(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		n = fill(v.Index(0), text) + fill(v.Index(1), text)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		n = fill(key, text) + fill(value, text)
		v.SetMapIndex(key, value)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1000)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(1)
	default:
		panic(fmt.Sprintf("what is a %v?", v.Type()))
	}
	return n
}

func TestNothingFromTheNetworkReachesATerminalAsItIs(t *testing.T) {
	for _, text := range hostile {
		var s agent.Status
		if n := fill(reflect.ValueOf(&s).Elem(), text); n < 280 {
			t.Fatalf("%d texts in a status", n)
		}
		var e agent.Event
		fill(reflect.ValueOf(&e).Elem(), text)
		for _, o := range []Options{{}, {Width: 1}, {Width: 80}, {Width: 80, Color: true}, {Width: 200, Color: true, ASCII: true}, {ASCII: true}} {
			o.Now = now
			for what, got := range map[string]string{
				"table": Table([]agent.Status{s, s}, o), "full": Full(s, o), "event": EventLine(e, o),
			} {
				if err := harmful(got, o); err != nil {
					t.Errorf("%s of %q for %+v: %v", what, text, o, err)
				}
				if n := strings.Count(got, "\n"); what == "event" && n != 1 {
					t.Errorf("an event of %q is %d lines", text, n)
				}
			}
		}
	}
}

func TestTheCheckForHarmCanFail(t *testing.T) {
	for _, text := range obeyed {
		if harmful(text, Options{}) == nil {
			t.Errorf("%q seems harmless", text)
		}
	}
	if harmful("\x1b[32mBOUND\x1b[0m", Options{Color: true}) != nil || harmful("\x1b[32mBOUND\x1b[0m", Options{}) == nil {
		t.Error("colours are taken amiss")
	}
}

func TestWhatIsCleanedCanStillBeRead(t *testing.T) {
	for text, want := range map[string]string{
		"plain":               "plain",
		"naïve 漢字":            "naïve 漢字",
		"\x1b[31m":            `\x1b[31m`,
		"a\r\nb\tc":           `a\r\nb\tc`,
		"\xff":                `\xff`,
		"\u202e":              `\u202e`,
		"\U000e0041":          `\U000e0041`,
		"e\u0301":             "e\u0301",
		"\u0301e":             `\u0301e`,
		"e\u0301\u0302\u0303": "e\u0301\u0302" + `\u0303`,
		`"\`:                  `"\`,
	} {
		if got := clean(text, false); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := clean("naïve 漢", true); got != `na\u00efve \u6f22` {
		t.Errorf("in ASCII: %q", got)
	}
}

func FuzzClean(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, ascii := range []bool{false, true} {
			got := clean(text, ascii)
			if err := harmful(got, Options{ASCII: ascii}); err != nil || strings.Contains(got, "\n") {
				t.Fatalf("%q: %q: %v", text, got, err)
			}
			if again := clean(got, ascii); again != got {
				t.Fatalf("%q, then %q", got, again)
			}
		}
	})
}
