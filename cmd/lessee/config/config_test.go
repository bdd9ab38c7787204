package config

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lessee/lessee/arpcheck"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/netconf"
	"github.com/lessee/lessee/netconf/hook"
)

// parse reads a file that is good.
func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("f", text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// linkOf is what holds for a link.
func linkOf(t *testing.T, f *File, name string, flags Flags) Link {
	t.Helper()
	l, err := f.Link(name, flags)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// flag is a flag that was given.
func flag(name string, values ...string) Flags { return Flags{name: {Flag: name, Values: values}} }

// is finds a value by name.
func is(t *testing.T, values []Value, name string) Value {
	t.Helper()
	i := slices.IndexFunc(values, func(v Value) bool { return v.Name == name })
	if i < 0 {
		t.Fatalf("no %s", name)
	}
	return values[i]
}

func TestWhatIsSaidMoreExactlyWins(t *testing.T) {
	f := parse(t, `
[link.en0]
metric = 40
[defaults]
metric = 10
[link."en*"]
metric = 20
[link."*"]
metric = 30
[link."en0@blue"]
metric = 50
[link."*@*"]
metric = 60
`)
	for _, tc := range []struct {
		link   string
		flags  Flags
		metric int
		from   string
	}{
		{"en0", nil, 40, "f:3"}, // though it stands first
		{"en1", nil, 30, "f:9"}, // of two patterns the later one
		{"wl0", nil, 30, "f:9"},
		{"en0@blue", nil, 50, "f:11"},
		{"en1@blue", nil, 60, "f:13"},
		{"en0", flag("metric", "7"), 7, "--metric"},
	} {
		values, err := f.LinkValues(tc.link, tc.flags)
		if err != nil {
			t.Fatal(err)
		}
		if l, v := linkOf(t, f, tc.link, tc.flags), is(t, values, "metric"); l.Host.Metric != tc.metric || v.Origin.String() != tc.from {
			t.Errorf("%s: metric %d from %s, want %d from %s", tc.link, l.Host.Metric, v.Origin, tc.metric, tc.from)
		}
	}
	if v, err := new(File).LinkValues("en0", nil); err != nil || is(t, v, "metric").Origin.String() != "default" {
		t.Errorf("no file: %v, %v", v, err)
	}
}

func TestAListReplacesTheListBeforeIt(t *testing.T) {
	f := parse(t, `
[defaults]
deny-server = ["192.0.2.1", "198.51.100.0/24"]
[link.a]
deny-server = ["192.0.2.2"]
[link.b]
deny-server = []
`)
	p := netip.MustParsePrefix
	for _, tc := range []struct {
		link  string
		flags Flags
		want  []netip.Prefix
	}{
		{"x", nil, []netip.Prefix{p("192.0.2.1/32"), p("198.51.100.0/24")}},
		{"a", nil, []netip.Prefix{p("192.0.2.2/32")}},
		{"b", nil, nil},
		{"x", flag("deny-server", "192.0.2.3"), []netip.Prefix{p("192.0.2.3/32")}},
		{"x", flag("deny-server", ""), nil},
	} {
		if got := linkOf(t, f, tc.link, tc.flags).Machine.Deny; !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.link, got, tc.want)
		}
	}
}

// everything sets every field to something that is not the default.
const everything = `
[agent]
links = ["en*", "wan@blue"]
state-dir = "/s"
run-dir = "/r"
control-group = "netdev"
ready = "first"
metrics-file = "/m"
metrics-listen = ":9550"
log-level = "debug"
log-format = "journal"

[link.eth0]
client-id = "01:02"
hostname = "host-1"
vendor-class = "phone"
user-class = ["a", "b"]
option = ["ntp-servers=192.0.2.1,192.0.2.2", "224=0a"]
request = ["routers", "114", "42"]
no-request = ["28", "host-name"]
broadcast = true
request-address = "192.0.2.7"
lease-time = "1h"
require = ["routers", "3", "domain-name-servers"]
allow-server = ["192.0.2.0/24"]
deny-server = ["192.0.2.9", "192.0.2.9"]
probe = "rfc5227"
offer-wait = "2s"
initial-delay = "10s"
no-server = "fail"
metric = 100
resolver = "resolved"
resolv-conf = "none"
table = 100
source-routing = "on"
routes = "default"
allow-route = ["169.254.169.254", "0.0.0.0/0"]
deny-route = ["10.8.0.0/16"]
max-routes = 64
widest-subnet = 16
ms-routes = true
mtu = false
accept-hostname = "never"
accept-time-servers = "always"
accept-timezone = "always"
hooks-dir = "/h"
hook-timeout = "7s"
carrier-delay = "5s"
defence = "always"
on-stop = "release"

[link.eth0.override]
supersede = { domain-name-servers = ["192.0.2.1", "192.0.2.2"], "26" = 1400, routers = [], 224 = "0x0a0b" }
default = { domain-name = "example.org", ip-forwarding = true }
append.domain-search = ["a.example"]

[link.eth0.override.prepend]
classless-static-routes = ["10.0.0.0/8 via 192.0.2.1", "192.0.2.128/25 on-link"]
path-mtu-plateau-table = [68, 296]

[link.eth1]
hook-style = "dhclient"
hook-script = "/h/script"
`

func TestEverySettingSetsItsField(t *testing.T) {
	f := parse(t, everything)
	want := Link{Name: "eth0", ClientID: "01:02", HostName: "host-1", Probe: arpcheck.RFC5227, Defence: arpcheck.DefendAlways, Resolver: "resolved", ResolvConf: "none", OnStop: Release,
		HooksDir: "/h", HookTimeout: 7 * time.Second}
	want.Host.Metric, want.Host.MSRoutes = 100, true
	want.Host.Table, want.Host.SourceRouting = 100, netconf.SourceOn
	want.Host.Received = netconf.RoutePolicy{
		Follow: netconf.FollowDefault, Max: 64, Widest: 16,
		Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("169.254.169.254/32")},
		Deny:  []netip.Prefix{netip.MustParsePrefix("10.8.0.0/16")},
	}
	want.Host.HostName, want.Host.TimeServers, want.Host.TimeZone = netconf.AcceptNever, netconf.AcceptAlways, netconf.AcceptAlways
	m := &want.Machine
	m.Link.Broadcast = true
	m.VendorClass, m.UserClass = "phone", [][]byte{[]byte("a"), []byte("b")}
	m.Options.Put(dhcp4.NTPServers.Code, []byte{192, 0, 2, 1, 192, 0, 2, 2})
	m.Options.Put(224, []byte{10})
	m.Parameters = append(machine.DefaultParameters(), dhcp4.MSRoutes.Code, dhcp4.TZDatabase.Code, dhcp4.PosixTimezone.Code) // the others are asked for anyway
	m.Parameters = slices.DeleteFunc(m.Parameters, func(c dhcp4.Code) bool { return c == 28 || c == 12 })
	want.NoRequest = []dhcp4.Code{12, 28}
	want.Policy = lease.Policy{
		Supersede: dhcp4.Options{{Code: 3}, {Code: 6, Value: []byte{192, 0, 2, 1, 192, 0, 2, 2}}, {Code: 26, Value: []byte{5, 120}}, {Code: 224, Value: []byte{10, 11}}},
		Default:   dhcp4.Options{{Code: 15, Value: []byte("example.org")}, {Code: 19, Value: []byte{1}}},
		Prepend:   dhcp4.Options{{Code: 25, Value: []byte{0, 68, 1, 40}}, {Code: 121, Value: []byte{8, 10, 192, 0, 2, 1, 25, 192, 0, 2, 128, 0, 0, 0, 0}}},
		Append:    dhcp4.Options{{Code: 119, Value: []byte("\x01a\x07example\x00")}},
	}
	m.RequestAddr = netip.MustParseAddr("192.0.2.7")
	m.LeaseTime = 3600
	m.Require = []dhcp4.Code{3, 6}
	m.Allow = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	m.Deny = []netip.Prefix{netip.MustParsePrefix("192.0.2.9/32"), netip.MustParsePrefix("192.0.2.9/32")}
	m.OfferWait, m.InitialDelay, m.CarrierDelay = 2*time.Second, 10*time.Second, 5*time.Second
	m.NoServerFail = true
	if got := linkOf(t, f, "eth0", nil); !got.Equal(want) {
		t.Error(cmp.Diff(want, got, cmp.Exporter(func(reflect.Type) bool { return true }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })))
	}
	if got := linkOf(t, f, "eth1", nil); got.HookStyle != hook.DHClient || got.HookScript != "/h/script" {
		t.Errorf("style %q, script %q", got.HookStyle, got.HookScript)
	}
	got, err := f.Agent(nil)
	wantAgent := Agent{Links: []string{"en*", "wan@blue"}, StateDir: "/s", RunDir: "/r", Control: "/r/control", ControlGroup: "netdev",
		Ready: First, MetricsFile: "/m", MetricsListen: netip.MustParseAddrPort("127.0.0.1:9550"), LogLevel: -4, LogFormat: "journal"}
	if err != nil || !got.Equal(wantAgent) {
		t.Errorf("%+v, %v, want %+v", got, err, wantAgent)
	}
}

func TestTheTestAboveHasEverySetting(t *testing.T) {
	f := parse(t, everything)
	values, err := f.LinkValues("eth0", nil)
	other, errOther := f.LinkValues("eth1", nil) // what cannot stand beside the rest
	agent, errAgent := f.AgentValues(nil)
	if err != nil || errOther != nil || errAgent != nil {
		t.Fatal(err, errOther, errAgent)
	}
	for i, v := range append(values, agent...) {
		if v.Name != "control" && v.Origin.File == "" && (i >= len(other) || other[i].Origin.File == "") { // control follows run-dir there
			t.Errorf("%s is not set", v.Name)
		}
	}
}

func TestWhatIsShownIsAFileThatMeansTheSame(t *testing.T) {
	for _, text := range []string{"", everything, "[link.eth0]\nvendor-class = '\"a\\b\"'\nuser-class = [\"\\t\\u007f\", 'ö']"} {
		f := parse(t, text)
		var b strings.Builder
		for _, link := range []string{"", "eth0"} {
			values, err := f.AgentValues(nil)
			if link != "" {
				values, err = f.LinkValues(link, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(Header(link) + "\n")
			for _, v := range values {
				b.WriteString(v.Key() + " = " + v.String() + "\n")
			}
		}
		again := parse(t, b.String())
		if want, got := linkOf(t, f, "eth0", nil), linkOf(t, again, "eth0", nil); !got.Equal(want) {
			t.Errorf("%+v\n%+v\n%s", want, got, &b)
		}
		want, err := f.Agent(nil)
		got, errAgain := again.Agent(nil)
		if err != nil || errAgain != nil || !got.Equal(want) {
			t.Errorf("%+v\n%+v\n%s", want, got, &b)
		}
	}
}

func TestDurationsAreReadInOneWay(t *testing.T) {
	want := linkOf(t, parse(t, "[defaults]\nlease-time = '1m30s'\noffer-wait = '1m30s'\ninitial-delay = '1m30s'\nhook-timeout = '1m30s'\ncarrier-delay = '1m30s'"), "eth0", nil)
	for _, text := range []string{"90", "'90'", "'90s'", "'1.5m'"} {
		f := parse(t, strings.ReplaceAll("[defaults]\nlease-time = X\noffer-wait = X\ninitial-delay = X\nhook-timeout = X\ncarrier-delay = X", "X", text))
		if got := linkOf(t, f, "eth0", nil); !got.Equal(want) {
			t.Errorf("%s: %+v\nwant %+v", text, got, want)
		}
		flags := Flags{}
		for _, s := range LinkSettings() {
			if s.Kind == Duration {
				flags[s.Name] = Flag{Flag: s.Name, Values: one(strings.Trim(text, "'"))}
			}
		}
		if got := linkOf(t, new(File), "eth0", flags); !got.Equal(want) || len(flags) != 5 {
			t.Errorf("%d flags %s: %+v\nwant %+v", len(flags), text, got, want)
		}
	}
}

func TestOnlyAChangeOfMeaningIsAChange(t *testing.T) {
	first := linkOf(t, parse(t, `
[defaults]
carrier-delay = "3000ms"
client-id = "0102"
require = ["routers", "6"]
deny-server = ["192.0.2.2", "192.0.2.1/32"]
`), "eth0", nil)
	same := linkOf(t, parse(t, `
# moved, and written otherwise
[link."e*"]
client-id = "01:02"
carrier-delay = 3
deny-server = ["192.0.2.1", "192.0.2.2"]
require = ["domain-name-servers", "3"]
allow-server = []
`), "eth0", nil)
	if !first.Equal(same) {
		t.Errorf("%+v\n%+v", first, same)
	}
	usual := linkOf(t, new(File), "eth0", nil)
	for _, s := range LinkSettings() {
		f := new(File)
		if s.Name == "hook-script" { // which is no setting without a style
			f = parse(t, "[defaults]\nhook-style = 'dhclient'")
			usual = linkOf(t, f, "eth0", nil)
		}
		if linkOf(t, f, "eth0", flag(s.Name, other(s))).Equal(usual) {
			t.Errorf("%s: %s changes nothing", s.Name, other(s))
		}
	}
}

// other is a value that is not the default.
func other(s Setting) string {
	for _, w := range append([]string{s.Example}, s.Words...) {
		if !slices.Equal(one(w), s.Default) {
			return w
		}
	}
	return "7s"
}

func TestFlagsThatAreWrongAreToldInTheOrderOfTheTable(t *testing.T) {
	flags := flag("metric", "x")
	flags["hostname"] = Flag{Flag: "hostname", Values: []string{"a b"}}
	flags["require"] = Flag{Flag: "require", Values: []string{"routers", "nonsense"}}
	_, err := new(File).Link("eth0", flags)
	var m *Mistakes
	if !errors.As(err, &m) || len(m.List) != 3 {
		t.Fatal(err)
	}
	want := []Mistake{
		{Origin{Flag: "hostname"}, "a b", "option 12 (host-name): ' ' in a name", "host-1"},
		{Origin{Flag: "require"}, "nonsense", "no option of that name or number (lessee options lists them)", "routers"},
		{Origin{Flag: "metric"}, "x", "want a number", "100"},
	}
	if diff := cmp.Diff(want, m.List); diff != "" {
		t.Error(diff)
	}
}

func TestHostNameIsTheHostsOwnUnlessSaidOtherwise(t *testing.T) {
	for _, tc := range []struct{ wish, own, want string }{
		{"", "pc7.example.com", "pc7"},
		{"", "localhost", ""},
		{"", "a b", ""},
		{"", "", ""},
		{"none", "pc7", ""},
		{"other", "pc7", "other"},
	} {
		if got := (Link{HostName: tc.wish}).HostNameOn(tc.own); got != tc.want {
			t.Errorf("%q on %q: %q, want %q", tc.wish, tc.own, got, tc.want)
		}
	}
}

func TestMetricsAreForThisHostUnlessSaidOtherwise(t *testing.T) {
	for text, want := range map[string]string{
		"9550":               "127.0.0.1:9550",
		":9550":              "127.0.0.1:9550",
		"localhost:9550":     "127.0.0.1:9550",
		"0.0.0.0:9550":       "0.0.0.0:9550",
		"[::1]:9550":         "[::1]:9550",
		"":                   "invalid AddrPort",
		"9550x":              "",
		"192.0.2.1":          "",
		"example.com:9550":   "",
		"127.0.0.1:0":        "",
		"127.0.0.1:99999":    "",
		"127.0.0.1:9550:":    "",
		"[127.0.0.1:9550":    "",
		"192.0.2.1:9550/tcp": "",
	} {
		a, err := new(File).Agent(flag("metrics-listen", text))
		if got := a.MetricsListen.String(); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: %s, %v, want %s", text, got, err, want)
		}
	}
}
