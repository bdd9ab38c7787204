package supervise

import (
	"errors"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"
)

// logger returns a logger that writes to a reader, and a function that returns
// the next entry.
func logger(t *testing.T) (*slog.Logger, func() []field) {
	t.Helper()
	r := listen(t)
	return slog.New(NewJournalHandler(r.path, slog.LevelDebug)), func() []field {
		t.Helper()
		out, err := parseEntry(r.receive())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// values returns the values of a field.
func values(entry []field, name string) (out []string) {
	for _, f := range entry {
		if f.name == name {
			out = append(out, f.value)
		}
	}
	return out
}

func TestARecordIsAnEntry(t *testing.T) {
	log, next := logger(t)
	log.Warn("no server answers", "link", "eth0", "tries", 3, "addr", netip.MustParseAddr("192.0.2.7"), "error", errors.New("silence"))
	want := []field{
		{"PRIORITY", "4"}, {"SYSLOG_IDENTIFIER", "lessee"},
		{"MESSAGE", "no server answers link=eth0 tries=3 addr=192.0.2.7 error=silence"},
		{"LESSEE_EVENT", "no server answers"},
		{"LESSEE_LINK", "eth0"}, {"LESSEE_TRIES", "3"}, {"LESSEE_ADDR", "192.0.2.7"}, {"LESSEE_ERROR", "silence"},
	}
	if got := next(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLevelsArePriorities(t *testing.T) {
	log, next := logger(t)
	for level, want := range map[slog.Level]string{
		slog.LevelDebug: "7", slog.LevelInfo: "6", slog.LevelInfo + 1: "6", slog.LevelWarn: "4", slog.LevelError: "3", slog.LevelError + 4: "3",
	} {
		log.Log(t.Context(), level, "x")
		if got := values(next(), "PRIORITY"); !slices.Equal(got, []string{want}) {
			t.Errorf("%v: %q, want %s", level, got, want)
		}
	}
}

func TestRecordsBelowTheLevelAreNotWritten(t *testing.T) {
	r := listen(t)
	var level slog.LevelVar
	log := slog.New(NewJournalHandler(r.path, &level))
	log.Debug("x")
	r.silent()
	level.Set(slog.LevelDebug)
	log.Debug("y")
	r.receive()
}

func TestValuesAreWrittenAsTheyAre(t *testing.T) {
	for _, tc := range []struct {
		name        string
		attr        slog.Attr
		field, want string
		text        string // in MESSAGE
	}{
		{"a duration", slog.Duration("t1", 90*time.Second), "LESSEE_T1", "1m30s", "t1=1m30s"},
		{"a time", slog.Time("expiry", time.Unix(1, 5).UTC()), "LESSEE_EXPIRY", "1970-01-01T00:00:01.000000005Z", "expiry=1970-01-01T00:00:01.000000005Z"},
		{"lines", slog.String("text", "a\nMESSAGE=b\n"), "LESSEE_TEXT", "a\nMESSAGE=b\n", `text="a\nMESSAGE=b\n"`},
		{"only a newline", slog.String("text", "\n"), "LESSEE_TEXT", "\n", `text="\n"`},
		{"nothing", slog.String("text", ""), "LESSEE_TEXT", "", `text=""`},
		{"an equals sign", slog.String("text", "a=b"), "LESSEE_TEXT", "a=b", `text="a=b"`},
		{"no text", slog.String("text", "\x00\xff"), "LESSEE_TEXT", "\x00\xff", `text="\x00\xff"`},
		{"odd characters in the key", slog.String("öde-key.1\n", "x"), "LESSEE__DE_KEY_1_", "x", `"öde-key.1\n"=x`},
		{"a long key", slog.String(strings.Repeat("k", 100), "x"), "LESSEE_" + strings.Repeat("K", 57), "x", strings.Repeat("k", 100) + "=x"},
		{"a key of nothing", slog.String("", "x"), "LESSEE_", "x", `""=x`},
		{"a value that resolves late", slog.Any("late", late{}), "LESSEE_LATE", "resolved", "late=resolved"},
		{"a value that panics", slog.Any("bad", panics{}), "LESSEE_BAD", "%!v(PANIC=String method: no)", `bad="%!v(PANIC=String method: no)"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log, next := logger(t)
			log.LogAttrs(t.Context(), slog.LevelInfo, "m", tc.attr)
			entry := next()
			if got := values(entry, tc.field); !slices.Equal(got, []string{tc.want}) {
				t.Errorf("%s: %q, want %q", tc.field, got, tc.want)
			}
			if got := values(entry, "MESSAGE"); !slices.Equal(got, []string{"m " + tc.text}) {
				t.Errorf("message %q, want %q", got, "m "+tc.text)
			}
		})
	}
}

type late struct{}

func (late) LogValue() slog.Value { return slog.StringValue("resolved") }

type panics struct{}

func (panics) String() string { panic("no") }

func TestGroupsAreInTheName(t *testing.T) {
	log, next := logger(t)
	log.With("link", "eth0").WithGroup("server").With("addr", "192.0.2.1").WithGroup("").
		Info("m", "port", 67, slog.Group("relay", "addr", "192.0.2.2", slog.Group("", "hops", 1)), slog.Group("empty"))
	entry := next()
	want := []field{{"LESSEE_LINK", "eth0"}, {"LESSEE_SERVER_ADDR", "192.0.2.1"}, {"LESSEE_SERVER_PORT", "67"}, {"LESSEE_SERVER_RELAY_ADDR", "192.0.2.2"}, {"LESSEE_SERVER_RELAY_HOPS", "1"}}
	if got := entry[4:]; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := entry[2].value, "m link=eth0 server.addr=192.0.2.1 server.port=67 server.relay.addr=192.0.2.2 server.relay.hops=1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestHandlersThatShareTheirBeginningDoNotMix(t *testing.T) {
	log, next := logger(t)
	// Enough for the slices behind to have room left.
	for range 5 {
		log = log.With("shared", "attribute")
	}
	a, b := log.With("link", "a"), log.With("link", "b")
	for _, tc := range []struct {
		log  *slog.Logger
		want string
	}{{a, "a"}, {b, "b"}, {a, "a"}} {
		tc.log.Info("m")
		entry := next()
		if got := values(entry, "LESSEE_LINK"); !slices.Equal(got, []string{tc.want}) {
			t.Errorf("%q, want %q", got, tc.want)
		}
		if got := entry[2].value; !strings.HasSuffix(got, " link="+tc.want) {
			t.Errorf("%q, want link=%s", got, tc.want)
		}
	}
}

func TestALongEntryGoesByFile(t *testing.T) {
	log, next := logger(t)
	long := strings.Repeat("line\n", 1<<18) // longer than any socket's buffer
	log.Info("m", "text", long)
	if got := values(next(), "LESSEE_TEXT"); len(got) != 1 || got[0] != long {
		t.Errorf("%d values", len(got))
	}
}

func TestAJournalThatHangsLosesEntriesAndSaysHowMany(t *testing.T) {
	full := true
	var got []byte
	h := NewJournalHandler("", slog.LevelInfo)
	h.send = func(b []byte) error {
		if full {
			return errors.New("full")
		}
		got = b
		return nil
	}
	log := slog.New(h)
	log.Info("1")
	log.With("link", "eth0").Info("2")
	full = false
	for _, want := range [][]string{{"2"}, nil} {
		log.WithGroup("g").Info("3")
		entry, err := parseEntry(got)
		if err != nil {
			t.Fatal(err)
		}
		if lost := values(entry, "LESSEE_LOST"); !slices.Equal(lost, want) {
			t.Errorf("%q lost, want %q", lost, want)
		}
	}
}

func TestMoreThanTheQueueHoldsIsAnErrorAndNoWait(t *testing.T) {
	r := listen(t)
	h := NewJournalHandler(r.path, slog.LevelInfo)
	for range 10_000 { // more than any queue holds
		if err := h.Handle(t.Context(), slog.Record{Message: "x"}); err != nil {
			return
		}
	}
	t.Error("a queue without an end")
}

func TestManyMayLogAtOnce(t *testing.T) {
	log, next := logger(t)
	log = log.With("shared", "attribute")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { log.With("link", i).Info("m", "n", i) })
	}
	seen := map[string]bool{}
	for range 8 {
		entry := next()
		link, n := values(entry, "LESSEE_LINK"), values(entry, "LESSEE_N")
		if len(link) != 1 || !slices.Equal(link, n) {
			t.Fatalf("%q", entry)
		}
		seen[link[0]] = true
	}
	all.Wait()
	if len(seen) != 8 {
		t.Errorf("%v", seen)
	}
}

// TestTheHandlerKeepsSlogsContract runs the standard library's own checks. An
// entry has its level as PRIORITY, and no time: journald stamps it.
func TestTheHandlerKeepsSlogsContract(t *testing.T) {
	var entry []byte
	slogtest.Run(t, func(*testing.T) slog.Handler {
		h := NewJournalHandler("", slog.LevelInfo)
		h.send = func(b []byte) error { entry = b; return nil }
		return h
	}, func(t *testing.T) map[string]any {
		fields, err := parseEntry(entry)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]any{slog.MessageKey: values(fields, "LESSEE_EVENT")[0], slog.LevelKey: values(fields, "PRIORITY")[0]}
		if !strings.HasSuffix(t.Name(), "/zero-time") {
			out[slog.TimeKey] = "journald's"
		}
		for _, f := range fields[4:] {
			nest(out, strings.Split(strings.TrimPrefix(f.name, "LESSEE_"), "_"), f.value)
		}
		return out
	})
}

// nest puts a value where its groups say. The checks write groups in capitals
// and keys in small letters.
func nest(m map[string]any, path []string, value string) {
	for _, group := range path[:len(path)-1] {
		if m[group] == nil {
			m[group] = map[string]any{}
		}
		m = m[group].(map[string]any)
	}
	m[strings.ToLower(path[len(path)-1])] = value
}

// FuzzNoValueForgesAField holds the handler to it that an entry says what the
// record says and nothing else, whatever texts come from the network.
func FuzzNoValueForgesAField(f *testing.F) {
	f.Add("bound", "link", "eth0", "server")
	f.Add("a\nPRIORITY=0", "k\nMESSAGE", "v\n_TRANSPORT=kernel\n", "g\n=")
	f.Add("\n", "", "\x00\n\x08\x00\x00\x00\x00\x00\x00\x00", "")
	f.Fuzz(func(t *testing.T, message, key, value, group string) {
		var entry []byte
		h := NewJournalHandler("", slog.LevelInfo)
		h.send = func(b []byte) error { entry = b; return nil }
		slog.New(h).WithGroup(group).With(key, value).Info(message, key, value)
		got, err := parseEntry(entry)
		if err != nil {
			t.Fatalf("%v in %q", err, entry)
		}
		if len(got) != 6 || got[3] != (field{"LESSEE_EVENT", message}) || got[4].value != value || !reflect.DeepEqual(got[4], got[5]) {
			t.Fatalf("%q", got)
		}
		if !strings.HasPrefix(got[2].value, message+" ") || strings.Contains(got[2].value[len(message):], "\n") {
			t.Fatalf("message %s", strconv.Quote(got[2].value))
		}
	})
}
