package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// mistakes reads a file that is not good, and returns what is wrong a line
// each, as line:column: text.
func mistakes(t *testing.T, text string) []string {
	t.Helper()
	_, err := Parse("f", text)
	var m *Mistakes
	if !errors.As(err, &m) {
		t.Fatalf("%q: %v", text, err)
	}
	var out []string
	for _, line := range strings.Split(err.Error(), "\n") {
		out = append(out, strings.TrimPrefix(line, "f:"))
	}
	return out
}

func TestAMistakeIsToldWithItsPlaceAndWhatIsRight(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		// Unknown keys.
		{"[defaults]\nmetrc = 1", "2:1: metrc: no such setting; metric is probably meant"},
		{"[defaults]\n  client_id = 'duid'", "2:3: client_id: no such setting; client-id is probably meant"},
		{"[defaults]\nresolvconf = 'none'", "2:1: resolvconf: no such setting; resolv-conf is probably meant"},
		{"[defaults]\nfoo = 1", "2:1: foo: no such setting"},
		{"[defaults]\n\"fö o\\n\" = 1", `2:1: "fö o\n": no such setting`},
		{"[defaults]\nno-mtu = true", "2:1: no-mtu: no such setting; mtu = false means that"},
		{"[defaults]\nlog-level = 'info'", "2:1: log-level: a setting of the agent as a whole; it stands in [agent]"},
		{"[agent]\nmetric = 1", `2:1: metric: a setting of links; it stands in [defaults] or [link."NAME"]`},
		{"metric = 1", `1:1: metric: a setting of links; it stands in [defaults] or [link."NAME"]`},
		{"ready = 'first'", "1:1: ready: a setting of the agent as a whole; it stands in [agent]"},
		{"[default]\nmetric = 1", "1:2: default: no such table; defaults is probably meant (there are agent, defaults and link)"},
		{"[eth0]\nmetric = 1", "1:2: eth0: no such table (there are agent, defaults and link)"},
		{"[defaults.eth0]\nmetric = 1", "1:11: eth0: no such setting"},
		{"[link.eth0.x]\nmetric = 1", "1:12: x: no such setting"},
		{"[link]\nmetric = 1", `2:1: metric: settings of all links stand in [defaults], of some in [link."NAME"]`},

		// Wrong types.
		{"[defaults]\nmetric = 'high'", `2:10: metric: found the text "high", want a number or "auto", such as metric = 100`},
		{"[defaults]\nmetric = 1.5", `2:10: metric: found the number 1.5, want a number or "auto", such as metric = 100`},
		{"[defaults]\nmtu = 1", "2:7: mtu: found the number 1, want true or false, such as mtu = false"},
		{"[defaults]\nmtu = 'true'", `2:7: mtu: found the text "true", want true or false, such as mtu = false`},
		{"[defaults]\ncarrier-delay = 3", `2:17: carrier-delay: found the number 3, want a duration, such as carrier-delay = "3s"`},
		{"[defaults]\noffer-wait = 3", `2:14: offer-wait: found the number 3, want a duration or "auto", such as offer-wait = "500ms"`},
		{"[defaults]\nprobe = false", `2:9: probe: found false, want a text, such as probe = "fast"`},
		{"[defaults]\nhostname = 1979-05-27", `2:12: hostname: found a date, want a text, such as hostname = "host-1"`},
		{"[defaults]\nhostname = []", `2:12: hostname: found a list, want a text, such as hostname = "host-1"`},
		{"[defaults]\nhostname = {}", `2:12: hostname: found a table, want a text, such as hostname = "host-1"`},
		{"[defaults]\nrequire = 'routers'", `2:11: require: found the text "routers", want a list of texts, such as require = ["routers"]`},
		{"[defaults]\nrequire = [\n 3]", `2:11: require: found the number 3 in the list, want texts, such as require = ["routers"]`},
		{"[defaults]\nresolv-conf = 1", `2:15: resolv-conf: found the number 1, want the name of a file, such as resolv-conf = "/etc/resolv.conf"`},
		{"agent = 1", "1:1: agent: found the number 1, want a table, [agent]"},
		{"[[defaults]]", "1:3: defaults: found a list of tables, want a table, [defaults]"},
		{"link = 1", `1:1: link: found the number 1, want tables, such as [link."en*"]`},
		{"[link]\n'a.b' = 1", `2:1: a.b: found the number 1, want a table, [link."a.b"]`},

		{"\n[link.eth0.mtu]\nx = 1", "2:12: mtu: found a table, want true or false, such as mtu = false"},
		{"defaults.mtu.x = 1", "1:10: mtu: found a table, want true or false, such as mtu = false"},

		// Wrong values.
		{"[defaults]\nmetric = -1", "2:10: metric: want 0 or more"},
		{"[defaults]\nmetric = 4294967296", "2:10: metric: the number is too large"},
		{"[defaults]\nmetric = 9223372036854775807", "2:10: metric: the number is too large"},
		{"[defaults]\ncarrier-delay = 'soon'", `2:17: carrier-delay: want a duration such as "1m30s"`},
		{"[defaults]\ncarrier-delay = '-1s'", "2:17: carrier-delay: want 0 or more"},
		{"[defaults]\nlease-time = '0'", "2:14: lease-time: want a time above 0"},
		{"[defaults]\nprobe = 'of'", "2:9: probe: want one of fast, rfc5227, off; off is probably meant"},
		{"[defaults]\nclient-id = 'zz'", "2:13: client-id: want mac, duid, none, or hexadecimal digits: dhcp-client-identifier: "},
		{"[defaults]\nclient-id = '01'", "2:13: client-id: want mac, duid, none, or hexadecimal digits: dhcp-client-identifier: 1 bytes, want 2 or more; an example: dhcp-client-identifier=01:02:00:5e:10:00:01"},
		{"[defaults]\nresolv-conf = 'resolv.conf'", `2:15: resolv-conf: found the text "resolv.conf", want a path that begins with /`},
		{"[defaults]\nrequest = [ 'routers', # one\n  'ruoters' ]", `3:3: request: "ruoters": no option of that name or number (lessee options lists them); routers is probably meant`},
		{"[defaults]\noption = ['routers']", `2:11: option: "routers": want NAME=VALUE`},
		{"[defaults]\noption = ['53=1']", `2:11: option: "53=1": option 53 cannot be set by hand: the protocol decides it`},
		{"[defaults]\noption = ['80=']", `2:11: option: "80=": option 80 (rapid commit) is not supported: a lease committed that way would be dropped`},
		{"[defaults]\noption = ['61=0102']", `2:11: option: "61=0102": the client identifier is set by client-id, so that answers are recognized by it`},
		{"[defaults]\nallow-server = ['192.0.2.1', '::1']", `2:30: allow-server: "::1": want an IPv4 address or prefix`},
		{"[defaults]\nvendor-class = 'a\\u0000'\nvendor-class = 1", "3:1: not TOML: Key 'defaults.vendor-class' has already been defined."},
		{"[defaults]\nvendor-class = \"a\\u0000\"", "2:16: vendor-class: a NUL byte cannot be in it"},
		{"[agent]\nlinks = ['en*', 'en[']", `2:17: links: "en[": a bracket or a backslash at the end means nothing`},
		{"[agent]\nlinks = ['a@b/c']", `2:10: links: "a@b/c": the namespace: a character that names cannot have`},
		{"[agent]\nmetrics-listen = 'x'", "2:18: metrics-listen: want an address and a port: no port from 1 to 65535"},
		{"[link.\"a/b\"]", `1:7: link "a/b": a character that names cannot have`},

		// Not TOML.
		{"[defaults]\nmetric = ", "2:9: not TOML: unexpected EOF; expected value"},
		{"[defaults]\nmetric = \nmtu = true", "2:10: not TOML: expected value but found '\\n' instead"},
		{"[defaults]\nmetric 3\n", "2:8: not TOML: "},
		{"[defaults]\n[defaults]", "2:2: not TOML: "},
		{"\x00", "1:1: not TOML: files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8"},
		{"[defaults]\nhostname = '\xff'", "2:1"},
	} {
		got := mistakes(t, tc.text)
		if len(got) != 1 || !strings.HasPrefix(got[0], tc.want) || !strings.HasSuffix(tc.want, ": ") && got[0] != tc.want && len(tc.want) > 3 {
			t.Errorf("%s\n got %q\nwant %q", tc.text, got, tc.want)
		}
	}
}

func TestContradictions(t *testing.T) {
	for _, tc := range []struct {
		text string
		want []string
	}{
		{"[defaults]\nallow-server = ['192.0.2.1']\ndeny-server = ['192.0.2.0/24']",
			[]string{"3:1: deny-server: contradicts allow-server (f:2): 192.0.2.1 is allowed and 192.0.2.0/24 is denied, so no offer from there is ever good"}},
		{"[link.a]\nallow-server = ['192.0.2.1']\n[defaults]\ndeny-server = ['192.0.2.1']",
			[]string{"4:1: deny-server: contradicts allow-server (f:2): 192.0.2.1 is allowed and 192.0.2.1 is denied, so no offer from there is ever good"}},
		{"[defaults]\nallow-server = ['192.0.2.1']\n[link.'e*']\ndeny-server = ['192.0.2.1']",
			[]string{"4:1: deny-server: contradicts allow-server (f:2): 192.0.2.1 is allowed and 192.0.2.1 is denied, so no offer from there is ever good"}},
		{"[defaults]\nallow-route = ['10.8.0.1']\ndeny-route = ['10.8.0.0/16']",
			[]string{"3:1: deny-route: contradicts allow-route (f:2): 10.8.0.1 is allowed and 10.8.0.0/16 is denied, which wins"}},
		{"[defaults]\nallow-route = ['0.0.0.0/0']\ndeny-route = ['0.0.0.0/0']",
			[]string{"3:1: deny-route: contradicts allow-route (f:2): 0.0.0.0/0 is allowed and 0.0.0.0/0 is denied, which wins"}},
		{"[defaults]\nvendor-class = 'a'\noption = ['vendor-class-identifier=b']",
			[]string{"3:1: option: contradicts vendor-class (f:2): both say what option 60 is"}},
		{"[defaults]\nhostname = 'none'\noption = ['12=b']\nlease-time = '1h'\nuser-class = ['x']",
			[]string{"3:1: option: contradicts hostname (f:2): both say what option 12 is"}},
		{"[defaults]\nrequest-address = '192.0.2.7'",
			[]string{"2:1: request-address: a wish of all links, but only one can have the address; it stands in the table of one, such as [link.eth0]"}},
		{"[link.'e*']\nrequest-address = '192.0.2.7'",
			[]string{"2:1: request-address: a wish of several links, but only one can have the address; it stands in the table of one, such as [link.eth0]"}},
		{"[link.a]\nrequest-address = '192.0.2.7'\n[link.b]\nrequest-address = '192.0.2.7'",
			[]string{"4:1: request-address: two links cannot have one address; [link.a] (f:2) wishes for it too"}},
	} {
		if got := mistakes(t, tc.text); fmt.Sprint(got) != fmt.Sprint(tc.want) {
			t.Errorf("%s\n got %q\nwant %q", tc.text, got, tc.want)
		}
	}
}

func TestNoContradictions(t *testing.T) {
	for _, text := range []string{
		"[defaults]\nallow-server = ['192.0.2.0/24']\ndeny-server = ['192.0.2.1']",
		"[defaults]\nallow-server = ['192.0.2.1']\n[link.a]\nallow-server = []\ndeny-server = ['192.0.2.1']",
		"[defaults]\nallow-server = ['192.0.2.1']\n[link.'e*']\nallow-server = []\n[link.en0]\ndeny-server = ['192.0.2.1']",
		"[defaults]\nallow-server = ['192.0.2.1']\n[link.'*']\nallow-server = []\n[link.'e*']\ndeny-server = ['192.0.2.1']",
		"[defaults]\nrequest-address = ''\n[link.'e*']\nrequest-address = ''",
		"[link.a]\nrequest-address = '192.0.2.7'\n[link.'a@b']\nrequest-address = '192.0.2.7'",
		"[defaults]\nprobe = 'off'\ndefence = 'always'", // it is announced and watched all the same
		"[defaults]\nclient-id = 'none'\non-stop = 'release'",
		"[defaults]\nallow-route = ['10.0.0.0/8']\ndeny-route = ['0.0.0.0/0', '10.8.0.0/16']", // all but the default route, and but a part
		"[defaults]\noption = ['vendor-class-identifier=b']\nhostname = 'x'",
	} {
		parse(t, text)
	}
}

func TestAFlagThatContradictsTheFileIsToBlame(t *testing.T) {
	f := parse(t, "[defaults]\ndeny-server = ['192.0.2.0/24']")
	_, err := f.Link("eth0", flag("allow-server", "192.0.2.1"))
	want := "--allow-server 192.0.2.1: contradicts deny-server (f:2): 192.0.2.1 is allowed and 192.0.2.0/24 is denied, so no offer from there is ever good"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	flags := flag("allow-server", "192.0.2.1")
	flags["deny-server"] = Flag{"deny-server", []string{""}}
	if _, err := f.Link("eth0", flags); err != nil {
		t.Errorf("taken back: %v", err)
	}
}

func TestAnAddressIsWishedForByOneLink(t *testing.T) {
	wish := flag("request-address", "192.0.2.7")
	for _, links := range [][]string{{"eth0"}, {}, {"eth0@blue"}} {
		if err := wish.ForLinks(links); err != nil {
			t.Errorf("%q: %v", links, err)
		}
	}
	for _, links := range [][]string{{"eth0", "eth1"}, {"en*"}, {"eth0@*"}} {
		if err := wish.ForLinks(links); err == nil {
			t.Errorf("%q: nobody complains", links)
		}
		if err := flag("request-address", "").ForLinks(links); err != nil {
			t.Errorf("%q: %v", links, err)
		}
	}
}

func TestAllMistakesAreToldInTheOrderOfTheLinesButNoMoreThanTwenty(t *testing.T) {
	text := "[defaults]\n"
	for i := range 30 {
		text += fmt.Sprintf("x%d = 1\n", i)
	}
	got := mistakes(t, text)
	if len(got) != maxMistakes+1 || got[0] != "2:1: x0: no such setting" || got[19] != "21:1: x19: no such setting" || got[20] != "and 10 more" {
		t.Errorf("%q", got)
	}
}

func TestTheLineIsShownWithAMarkWhereItBegins(t *testing.T) {
	_, err := Parse("f", "[defaults]\r\nhostname\t= \"ä\u202e b\"\r\n")
	var m *Mistakes
	if !errors.As(err, &m) || len(m.List) != 1 {
		t.Fatal(err)
	}
	if got, want := m.Excerpt(m.List[0]), "    2 | hostname = \"ä\ufffd b\"\n      |            ^"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := m.Excerpt(Mistake{Origin: Origin{Flag: "x"}}); got != "" {
		t.Errorf("of a flag: %q", got)
	}
}
