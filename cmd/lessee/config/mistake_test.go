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
		{"[link.eth0.overide]\nsupersede = {}", "1:12: overide: no such setting; override is probably meant"},
		{"[link.eth0]\nsupersede = {}", `2:1: supersede: stands in a table of its own, [defaults.override] or [link."NAME".override]`},
		{"[link.eth0.override]\nsuperseed = {}", "2:1: superseed: no such setting; supersede is probably meant"},
		{"[link.eth0.override]\nmetric = 1", `2:1: metric: a setting of links; it stands in [defaults] or [link."NAME"]`},
		{"[link.eth0.override]\nno-mtu = true", "2:1: no-mtu: no such setting"},
		{"[agent.override]\nsupersede = {}", "1:8: override: no such setting"},
		{"[link]\nmetric = 1", `2:1: metric: settings of all links stand in [defaults], of some in [link."NAME"]`},

		// Wrong types.
		{"[defaults]\nmetric = 'high'", `2:10: metric: found the text "high", want a number or "auto", such as metric = 100`},
		{"[defaults]\nmetric = 1.5", `2:10: metric: found the number 1.5, want a number or "auto", such as metric = 100`},
		{"[defaults]\nmtu = 1", "2:7: mtu: found the number 1, want true or false, such as mtu = false"},
		{"[defaults]\nmtu = 'true'", `2:7: mtu: found the text "true", want true or false, such as mtu = false`},
		{"[defaults]\ncarrier-delay = 1.5", `2:17: carrier-delay: found the number 1.5, want a duration, such as carrier-delay = "3s"`},
		{"[defaults]\noffer-wait = true", `2:14: offer-wait: found true, want a duration or "auto", such as offer-wait = "500ms"`},
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

		{"[link.eth0]\noverride = 1", "2:1: override: found the number 1, want a table, [link.eth0.override]"},
		{"[defaults]\noverride = []", "2:1: override: found a list, want a table, [defaults.override]"},
		{"[link.eth0.override]\nsupersede = ['routers=192.0.2.1']", `2:13: supersede: found a list, want a table of options, such as supersede = { domain-name-servers = ["192.0.2.1"] }`},
		{"[link.eth0.override.supersede]\ndomain-name-servers = '192.0.2.1'", `2:23: supersede: domain-name-servers: found the text "192.0.2.1", want a list, such as domain-name-servers = ["192.0.2.1", "192.0.2.2"]`},
		{"[link.eth0.override]\nsupersede = { routers = [true] }", `2:25: supersede: routers: found true in the list, want texts, such as routers = ["192.0.2.1", "192.0.2.2"]`},
		{"[link.eth0.override]\nsupersede = { interface-mtu = '1400' }", `2:31: supersede: interface-mtu: found the text "1400", want a number, such as interface-mtu = 68`},
		{"[link.eth0.override]\nsupersede = { domain-name = 3 }", `2:29: supersede: domain-name: found the number 3, want a text, such as domain-name = "host.example"`},
		{"[link.eth0.override]\nsupersede = { ip-forwarding = 1 }", `2:31: supersede: ip-forwarding: found the number 1, want true or false, such as ip-forwarding = true`},
		{"[link.eth0.override]\ndefault.224 = 7", `2:15: default: 224: found the number 7, want a text, such as 224 = "0x0a0b"`},
		{"[link.eth0.override]\ndefault.routers.x = 7", `2:9: default: routers: found a table, want a list, such as routers = ["192.0.2.1", "192.0.2.2"]`},
		{"\n[link.eth0.mtu]\nx = 1", "2:12: mtu: found a table, want true or false, such as mtu = false"},
		{"defaults.mtu.x = 1", "1:10: mtu: found a table, want true or false, such as mtu = false"},

		// Wrong values.
		{"[defaults]\nmetric = -1", "2:10: metric: want 0 or more"},
		{"[defaults]\nmetric = 4294967296", "2:10: metric: the number is too large"},
		{"[defaults]\nmetric = 9223372036854775807", "2:10: metric: the number is too large"},
		{"[defaults]\ncarrier-delay = 'soon'", `2:17: carrier-delay: want a duration such as "1m30s", or seconds`},
		{"[defaults]\ncarrier-delay = '-1s'", "2:17: carrier-delay: want 0 or more"},
		{"[defaults]\ncarrier-delay = -1", "2:17: carrier-delay: want 0 or more"},
		{"[defaults]\ncarrier-delay = 9223372036854775807", `2:17: carrier-delay: want a duration such as "1m30s", or seconds`},
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
		{"[defaults]\nno-request = ['ntp-servers', '54']", `2:30: no-request: "54": option 54 (dhcp-server-identifier) is asked for in any case: there is no lease without it`},
		{"[link.eth0.override]\nsupersede = { domain-nam = 'a',\tmtu = 7 }\n", `2:15: supersede: domain-nam: no option of that name or number (lessee options lists them); domain-name is probably meant
2:33: supersede: mtu: no option of that name or number (lessee options lists them)`},
		{"[link.eth0.override.default]\n6 = ['192.0.2.1', 'x']", `2:5: default: "6=192.0.2.1,x": domain-name-servers: ParseAddr("x"): unable to parse IP; an example: domain-name-servers=192.0.2.1,192.0.2.2`},
		{"[link.eth0.override.default]\n6 = '0x0102'", `2:5: default: "6=0x0102": option 6 (domain-name-servers): 2 bytes, want a multiple of 4`},
		{"[link.eth0.override.default]\ninterface-mtu = 67", `2:17: default: "interface-mtu=67": interface-mtu: 67, want 68 or more; an example: interface-mtu=68`},
		{"[link.eth0.override.default]\ndomain-name = 'a b'", `2:15: default: "domain-name=a b": domain-name: ' ' in a name; an example: domain-name=host.example`},
		{"[link.eth0.override.default]\nrouters = []", `2:11: default: "routers=": nothing to default; only what is superseded may be nothing`},
		{"[link.eth0.override.prepend]\ninterface-mtu = 1400", `2:17: prepend: "interface-mtu=1400": option 26 (interface-mtu) is one value, to which none can be added; supersede or default sets it`},
		{"[link.eth0.override.append]\nsubnet-mask = '/24'", `2:15: append: "subnet-mask=/24": option 1 (subnet-mask) is one value, to which none can be added; supersede or default sets it`},
		{"[link.eth0.override.supersede]\ndhcp-lease-time = '1h'", `2:1: supersede: dhcp-lease-time: option 51 cannot be overridden: for how long an address may be used is the server's to say (lease-time wishes for another one)`},
		{"[link.eth0.override.supersede]\ndhcp-server-identifier = '192.0.2.1'", `2:1: supersede: dhcp-server-identifier: option 54 cannot be overridden: it is about the exchange, not about the host`},
		{"[link.eth0.override.supersede]\nrouters = []\n3 = ['192.0.2.1']", `3:5: supersede: "3=192.0.2.1": option 3 is there twice`},
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
		if strings.Join(got, "\n") == tc.want {
			continue
		}
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
		{"[link.a.override]\nsupersede = { routers = [], interface-mtu = 1400 }\ndefault = { domain-name = 'a',\n26 = 1500 }\nprepend.routers = ['192.0.2.1']",
			[]string{"4:1: default: contradicts supersede (f:2): of option 26 (interface-mtu), which is superseded, nothing else counts",
				"5:9: prepend: contradicts supersede (f:2): of option 3 (routers), which is superseded, nothing else counts"}},
		{"[defaults.override]\nsupersede = { routers = [] }\n[link.a.override]\nappend = { 3 = ['192.0.2.1'] }",
			[]string{"4:12: append: contradicts supersede (f:2): of option 3 (routers), which is superseded, nothing else counts"}},
		{"[link.a]\nrequire = ['routers']\n[link.a.override]\nrequire = ['3']",
			[]string{"4:1: require: stands in [link.a] too (line 2), and once is enough"}},
		{"[defaults]\nno-request = ['42', 'routers']\n[link.a.override]\nrequire = ['ntp-servers']",
			[]string{"4:1: require: contradicts no-request (f:2): option 42 (ntp-servers) is wanted, and not asked for"}},
		{"[defaults]\nrequest = ['wpad']\nno-request = ['252', '249']\nms-routes = true",
			[]string{"3:1: no-request: contradicts request (f:2): option 252 (wpad) is wanted, and not asked for",
				"4:1: ms-routes: contradicts no-request (f:3): option 249 (ms-classless-static-routes) is wanted, and not asked for"}},
		{"[defaults]\naccept-timezone = 'always'\naccept-time-servers = 'always'\naccept-hostname = 'always'\nmtu = true\nno-request = ['101',\n '42', '12', '26', '100']",
			[]string{"6:1: no-request: contradicts accept-hostname (f:4): option 12 (host-name) is wanted, and not asked for",
				"6:1: no-request: contradicts accept-time-servers (f:3): option 42 (ntp-servers) is wanted, and not asked for",
				"6:1: no-request: contradicts accept-timezone (f:2): option 101 (tzdb-timezone) is wanted, and not asked for",
				"6:1: no-request: contradicts mtu (f:5): option 26 (interface-mtu) is wanted, and not asked for"}},
		{"[link.a]\nhook-script = '/x'",
			[]string{"2:1: hook-script: contradicts hook-style (default): without a style nobody calls the script"}},
		{"[defaults]\nhook-style = 'udhcpc'\n[link.a]\nhook-style = 'none'\nhook-script = '/x'",
			[]string{"5:1: hook-script: contradicts hook-style (f:4): without a style nobody calls the script"}},
		{"[defaults]\nroutes = 'default'\naccept-hostname = 'never'\n[link.a]\nhook-style = 'dhclient'\nresolv-conf = 'none'",
			[]string{"5:1: hook-style: contradicts accept-hostname (f:3): a script that was made for dhclient configures the host, and is not told of accept-hostname",
				"5:1: hook-style: contradicts routes (f:2): a script that was made for dhclient configures the host, and is not told of routes",
				"6:1: resolv-conf: contradicts hook-style (f:5): a script that was made for dhclient configures the host, and is not told of resolv-conf"}},
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
		"[defaults]\nhook-script = '/x'\n[link.a]\nhook-style = 'udhcpc'", // for whoever has a style
		"[defaults]\nroutes = 'none'\n[link.a]\nroutes = 'all'\nmtu = false\nresolv-conf = '/x'\nhook-style = 'udhcpc'",
		"[defaults]\naccept-hostname = 'always'\nno-request = ['host-name']\nrequest = ['fqdn']", // which says it too
		"[defaults]\nno-request = ['interface-mtu', '12', '101', '42']",
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
	flags["deny-server"] = Flag{Flag: "deny-server", Values: []string{""}}
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
