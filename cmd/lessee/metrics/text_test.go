package metrics

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

var update = flag.Bool("update", false, "rewrite the texts in testdata with what is written now")

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 500e6, time.UTC)

func message(t dhcp4.MessageType) *dhcp4.Message {
	m := &dhcp4.Message{}
	if err := dhcp4.MsgType.Put(&m.Options, t); err != nil {
		panic(err)
	}
	return m
}

// example is a registry in which every series is, and the statuses to it.
func example() (*Registry, []agent.Status) {
	r := New(Config{Version: `1.0-"β"`, Start: epoch, Memory: func() int64 { return 5 << 20 }})
	l := r.Link("eth0")
	at := func(d time.Duration, e client.Event) {
		e.Time = epoch.Add(d)
		l.Observe(e)
	}
	report := func(d time.Duration, r machine.Report) { at(d, client.Event{Kind: client.Reported, Report: r}) }
	for t := dhcp4.Discover; t <= dhcp4.ForceRenew+1; t++ {
		at(0, client.Event{Kind: client.Sent, Message: message(t)})
		at(0, client.Event{Kind: client.Received, Message: message(t)})
	}
	at(0, client.Event{Kind: client.Sent, Message: message(dhcp4.Discover), Err: errors.New("no buffer space")})
	report(207*time.Millisecond, machine.Report{From: machine.Applying, To: machine.Bound, Cause: machine.CauseBound})
	for _, reason := range dropReasons {
		at(0, client.Event{Kind: client.Dropped, Reason: machine.Reason(reason)})
	}
	for _, reason := range frameReasons {
		l.DroppedFrame(reason)
	}
	for _, c := range append(troubleCauses, cause{errors.New("x"), other}) {
		l.Trouble(c.err)
	}
	r.Told(agent.Event{Link: "eth0", Kind: agent.KindPanicked})
	l.Changed(4)
	r.Link("wlan0@blue")

	left := int64(2460)
	finite := &lease.Lease{Addr: netip.MustParsePrefix("192.0.2.77/24"), Start: epoch, Expiry: epoch.Add(time.Hour)}
	return r, []agent.Status{
		{Link: "wlan0@blue", State: agent.Failed, Paused: true},
		{Link: "eth1", State: "REBOOTING", Carrier: true, Lease: &lease.Lease{Addr: finite.Addr, Start: epoch}},
		{Link: "eth0", State: "BOUND", Carrier: true, Lease: finite, SecondsLeft: &left},
	}
}

// TestTheWholeText compares both forms with what was read and found good.
func TestTheWholeText(t *testing.T) {
	r, list := example()
	for name, classic := range map[string]bool{"testdata/openmetrics.txt": false, "testdata/classic.txt": true} {
		got := string(r.render(list, classic))
		if _, err := check(got, classic); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: -file +now\n%s", name, diff)
		}
	}
}

func TestBothFormsHoldTheSameSamples(t *testing.T) {
	r, list := example()
	new, err := check(string(r.render(list, false)), false)
	if err != nil {
		t.Fatal(err)
	}
	old, err := check(string(r.render(list, true)), true)
	if err != nil {
		t.Fatal(err)
	}
	if len(new) < 100 {
		t.Fatalf("%d samples", len(new))
	}
	for i := range max(len(new), len(old)) {
		if i >= len(new) || i >= len(old) || new[i].name != old[i].name || new[i].value != old[i].value || !cmp.Equal(new[i].labels, old[i].labels) {
			t.Fatalf("sample %d: %+v and %+v", i, new[i:], old[i:])
		}
	}
}

func TestAnEmptyRegistryIsAValidText(t *testing.T) {
	read(t, New(Config{})).want(t, numbers{"build_info": 1})
}

func TestTheStateIsOneOfThoseThatAreKnown(t *testing.T) {
	r := New(Config{})
	for _, state := range states {
		n := read(t, r, agent.Status{Link: "eth0", State: state})
		sum := 0.0
		for _, s := range states {
			sum += n["link_state "+s]
		}
		if sum != 1 || n["link_state "+state] != 1 {
			t.Errorf("%s: %v", state, n)
		}
	}
	n := read(t, r, agent.Status{Link: "eth0", State: "DREAMING"})
	if _, there := n["link_state DREAMING"]; there {
		t.Error("a state that nobody knows is shown")
	}
}

func TestSecondsLeftAreAbsentWithoutAnEnd(t *testing.T) {
	forEver := &lease.Lease{Addr: netip.MustParsePrefix("192.0.2.77/24"), Start: epoch}
	for name, s := range map[string]agent.Status{"no lease": {Link: "eth0"}, "for ever": {Link: "eth0", Lease: forEver}} {
		n := read(t, New(Config{}), s)
		for _, key := range []string{"lease_seconds_left", "lease_duration_seconds"} {
			if v, there := n[key]; there {
				t.Errorf("%s: %s %v", name, key, v)
			}
		}
	}
}

func TestAnyNameOfALinkIsOneLabel(t *testing.T) {
	names := []string{`a"b`, `a\b`, "a\nb", `a\nb`, "a\rb", "a\tb", "\xff\xfe", "\xfe\xff", "ö", "", "x\"} 1\n# EOF", strings.Repeat("l", 300), "\x1b[31m"}
	r := New(Config{})
	var list []agent.Status
	for _, name := range names {
		r.Link(name).Changed(1)
		list = append(list, agent.Status{Link: name}, agent.Status{Link: name})
	}
	for _, classic := range []bool{false, true} {
		samples, err := check(string(r.render(list, classic)), classic)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]int{}
		for _, s := range samples {
			if s.name == "lessee_applied_changes_total" || s.name == "lessee_link_carrier" {
				found[s.labels["link"]]++
			}
		}
		if len(found) != len(names) {
			t.Errorf("%d names of %d: %v", len(found), len(names), found)
		}
		for _, name := range []string{`a"b`, `a\b`, "a\nb", `a\nb`, "a\tb", "ö", "x\"} 1\n# EOF", `\xff\xfe`, `a\rb`} {
			if found[name] != 2 {
				t.Errorf("%q is there %d times", name, found[name])
			}
		}
	}
}

func FuzzLinkNamesStayInTheirLabel(f *testing.F) {
	f.Add("eth0", "eth1")
	f.Add("a\"} 1\nlessee_naks_total{link=\"", `\`)
	f.Fuzz(func(t *testing.T, a, b string) {
		r := New(Config{Version: b})
		r.Link(a)
		samples, err := check(string(r.render([]agent.Status{{Link: a, State: b}}, false)), false)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples {
			if len(s.labels) > 4 {
				t.Fatalf("%+v", s)
			}
		}
	})
}

func TestNumbersAreWrittenCanonically(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 0.01: "0.01", 0.2: "0.2", 1: "1.0", 10: "10.0", 300: "300.0", 1e5: "100000.0", 1e6: "1e+06", 1e-10: "1e-10",
	} {
		if got := float(f); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
}

// A brokenWriter fails, as a peer that went away.
type brokenWriter struct{}

var errBroken = errors.New("broken pipe")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestAWriterThatFailsIsToldOf(t *testing.T) {
	if err := New(Config{}).WriteText(brokenWriter{}, nil); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
}

func TestTheMemoryOfThisProcessIsKnown(t *testing.T) {
	if n := ResidentMemory(); n < 1<<20 || n > 4<<30 {
		t.Errorf("%d bytes", n)
	}
}

func TestOfALinkThatIsThereTwiceTheFirstStatusCounts(t *testing.T) {
	list := byLink([]agent.Status{{Link: "b"}, {Link: "a", State: "BOUND"}, {Link: "a", State: "FAILED"}})
	if len(list) != 2 || list[0].State != "BOUND" || list[1].Link != "b" {
		t.Errorf("%+v", list)
	}
}
