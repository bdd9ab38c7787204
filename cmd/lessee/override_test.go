package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// remembers checks that what is remembered is what was granted.
func (b *bench) remembers(dns string) {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "eth0.lease.json"))
	if err != nil || !strings.Contains(strings.Join(strings.Fields(string(text)), ""), `"dns":["`+dns+`"]`) {
		b.t.Errorf("remembered: %v\n%s\nwant name server %s", err, text, dns)
	}
}

// resolves checks which name servers stand in resolv.conf, and that a domain
// does.
func (b *bench) resolves(domain string, servers ...string) {
	b.t.Helper()
	text, err := os.ReadFile(b.resolvConf())
	var got []string
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "nameserver" {
			got = append(got, words[1])
		}
	}
	if err != nil || !slices.Equal(got, servers) || strings.Contains(string(text), " example.org") != (domain != "") {
		b.t.Errorf("resolv.conf says %q, want domain %q and servers %q, %v", text, domain, servers, err)
	}
}

func (b *bench) mtu() int {
	b.t.Helper()
	ifi, err := b.host.Interface("eth0")
	if err != nil {
		b.t.Fatal(err)
	}
	return ifi.MTU
}

func TestTheHostGetsWhatIsUsedAndTheStoreWhatWasGranted(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	mtu := b.mtu()
	path := file(t, "[link.eth0.override]\nprepend = { domain-name-servers = ['127.0.0.1'] }\ndefault.domain-name = 'example.org'\n")
	args := []string{"--config", path, "--supersede", "interface-mtu=1400", "--supersede", "subnet-mask=255.255.255.128", "--supersede", "routers="}
	r := b.want(0, "bound", append([]string{"acquire", "eth0"}, args...)...)
	for _, want := range []string{
		"/25 from 192.0.2.1\n", "  dns          127.0.0.1 192.0.2.53\n", "  domain       example.org\n", "  mtu          1400\n",
		"  note: option 6 (domain-name-servers) is prepended to, by " + path + ":2 [link.eth0.override]; the server sent 192.0.2.53\n",
		"  note: option 26 (interface-mtu) is superseded, by --supersede; the server sent nothing\n",
		"  note: option 3 (routers) is superseded, by --supersede; the server sent 192.0.2.1\n",
	} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %q in\n%s", want, r.out)
		}
	}
	b.resolves("example.org", "127.0.0.1", "192.0.2.53")
	b.remembers("192.0.2.53")
	if a := b.host.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix.Bits() != 25 || b.mtu() != 1400 {
		t.Errorf("addresses %v, MTU %d", a, b.mtu())
	}
	if routes := b.host.RoutesOf(); len(routes) != 1 {
		t.Errorf("routes %q", routes)
	}
	b.want(0, "/25 from 192.0.2.1\n", append([]string{"renew", "eth0"}, args...)...)
	b.want(0, "/24 from 192.0.2.1\n", "acquire", "eth0", "--config", "none")
	b.resolves("", "192.0.2.53")
	if a := b.host.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix.Bits() != 24 || b.mtu() != mtu {
		t.Errorf("addresses %v, MTU %d, before it was %d", a, b.mtu(), mtu)
	}
	b.want(0, "released", "release", "eth0")
	b.clean()
}

func TestOverridesShowInEveryForm(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	args := []string{"--append", "domain-name-servers=192.0.2.54", "--default", "ntp-servers=192.0.2.123"}
	r := b.want(0, "", append([]string{"acquire", "eth0", "--no-apply", "--format", "json"}, args...)...)
	var d document
	if err := json.Unmarshal([]byte(r.out), &d); err != nil {
		t.Fatalf("%v\n%s", err, r.out)
	}
	want := []agent.Override{
		{Code: 42, Name: "ntp-servers", How: "default", From: "--default"},
		{Code: 6, Name: "domain-name-servers", How: "append", Sent: "192.0.2.53", From: "--append"},
	}
	if !slices.Equal(d.Overrides, want) || len(d.Lease.DNS) != 2 || len(d.Lease.NTP) != 1 {
		t.Errorf("%s", r.out)
	}
	r = b.want(0, "LESSEE_DNS='192.0.2.53 192.0.2.54'", append([]string{"acquire", "eth0", "--no-apply", "--format", "env"}, args...)...)
	for _, line := range []string{"LESSEE_OPTION_6='192.0.2.53,192.0.2.54'\n", "LESSEE_SENT_6='192.0.2.53'\n", "LESSEE_SENT_42=''\n"} {
		if !strings.Contains(r.out, line) {
			t.Errorf("no %q in\n%s", line, r.out)
		}
	}
	b.want(0, "  ntp          192.0.2.123\n", append([]string{"acquire", "eth0", "--dry-run", "--offer-wait", "100ms"}, args...)...)
	b.host.Addr("eth0", "192.0.2.9/24")
	b.want(0, "eth0: informed, 192.0.2.9/24", "inform", "eth0", "--supersede", "subnet-mask=/16", "--supersede", "domain-name=a.example")
}

func TestWhatIsNotAskedForIsNotAskedFor(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0", "--no-apply", "--no-request", "domain-name-servers,ntp-servers", "--request", "tftp-server-name")
	for _, e := range b.srv.Log() {
		if e.Message == nil || e.Sent {
			continue
		}
		list, err := dhcp4.ParameterList.Get(e.Message.Options)
		if err != nil || slices.Contains(list, 6) || slices.Contains(list, 42) || list[len(list)-1] != 66 || list[0] != 1 {
			t.Errorf("%v asks for %v, %v", e.Message.Type(), list, err)
		}
	}
}

// agent runs the agent on the host until the test ends.
func (b *bench) agent(args ...string) (stop func() string, hup func()) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	b.t.Cleanup(cancel)
	args = append([]string{"run", "eth0", "--state-dir", b.dir, "--run-dir", b.dir, "--resolv-conf", b.resolvConf(), "--probe", "off"}, args...)
	cmd := b.command(ctx, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := b.host.Start(cmd); err != nil {
		b.t.Fatal(err)
	}
	over := false
	stop = func() string {
		if !over {
			over = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait() // however it ended, the log says it
		}
		return stderr.String()
	}
	b.t.Cleanup(func() { stop() })
	return stop, func() {
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			b.t.Fatal(err)
		}
	}
}

// eventually waits until something holds.
func (b *bench) eventually(what string, holds func() bool) {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("it never came to that: %s", what)
		}
	}
}

// status is what the agent tells of the link.
func (b *bench) status() (s agent.Status) {
	b.t.Helper()
	r := b.lessee("status", "eth0", "--run-dir", b.dir, "--format", "json")
	if r.code == 0 {
		if err := json.Unmarshal([]byte(r.out), &s); err != nil {
			b.t.Fatal(err)
		}
	}
	return s
}

func TestAReloadOfOverridesChangesTheHostAndSendsNothing(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	mtu := b.mtu()
	path := file(t, "")
	configure := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stop, hup := b.agent("--config", path, "--hooks-dir", b.hooksDir(tellsAll))
	b.eventually("bound", func() bool { return b.status().State == "BOUND" })
	before := len(b.srv.Log())
	addr := b.host.AddrsOf("eth0")[0].Prefix.Addr()

	configure("[link.eth0.override]\nsupersede = { interface-mtu = 1400, subnet-mask = '/25',\n domain-name-servers = ['127.0.0.1'] }\ndefault = { domain-name = 'example.org' }\n")
	hup()
	b.eventually("MTU 1400", func() bool { return b.mtu() == 1400 })
	b.eventually("resolv.conf", func() bool {
		text, _ := os.ReadFile(b.resolvConf())
		return strings.Contains(string(text), "127.0.0.1")
	})
	b.resolves("example.org", "127.0.0.1")
	b.remembers("192.0.2.53")
	if a := b.host.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix.String() != addr.String()+"/25" {
		t.Errorf("addresses %v", a)
	}
	s := b.status()
	if s.State != "BOUND" || s.Lease.Addr.Bits() != 25 || s.Lease.MTU != 1400 || len(s.Overrides) != 4 {
		t.Errorf("status: %+v", s)
	}
	want := agent.Override{Code: 6, Name: "domain-name-servers", How: "supersede", Sent: "192.0.2.53", From: path + ":3 [link.eth0.override]"}
	if !slices.Contains(s.Overrides, want) {
		t.Errorf("overrides %+v", s.Overrides)
	}
	b.eventually("hooks hear of it", func() bool { return len(b.said()) == 2 })
	told := strings.Split(readFile(t, filepath.Join(b.dir, "json")), "\n")[1]
	if _, former, _ := strings.Cut(told, `"former"`); !strings.Contains(told, `"dns":["127.0.0.1"]`) || !strings.Contains(former, `"dns":["192.0.2.53"]`) {
		t.Errorf("hooks were told %s", told)
	}
	r := b.lessee("status", "eth0", "--run-dir", b.dir)
	if want := fmt.Sprintf("option 15 (domain-name) is set by default, by %s:4 [link.eth0.override]; the server sent nothing", path); !strings.Contains(r.out, want) {
		t.Errorf("no %q in\n%s", want, r.out)
	}
	// Other settings than the ones that are wrong stay in force.
	configure("[link.eth0.override]\nsupersede = { interface-mtu = 67 }\n")
	hup()
	b.eventually("the refusal shows", func() bool { s := b.status(); return s.Problem != nil && s.Problem.Kind == agent.KindRefused })
	if b.mtu() != 1400 {
		t.Errorf("MTU %d", b.mtu())
	}

	configure("")
	hup()
	b.eventually("the MTU of before", func() bool { return b.mtu() == mtu })
	b.eventually("the server's name servers", func() bool {
		text, _ := os.ReadFile(b.resolvConf())
		return strings.Contains(string(text), "192.0.2.53")
	})
	b.eventually("the server's mask", func() bool {
		a := b.host.AddrsOf("eth0")
		return len(a) == 1 && a[0].Prefix.String() == addr.String()+"/24"
	})
	if s := b.status(); len(s.Overrides) != 0 {
		t.Errorf("overrides %+v", s.Overrides)
	}
	if log := b.srv.Log()[before:]; len(log) > 0 {
		t.Errorf("messages: %v", log)
	}
	b.eventually("hooks hear of that too", func() bool { return len(b.said()) == 3 })
	if log := stop(); strings.Contains(log, "level=ERROR msg=\"a mistake") {
		t.Error(log)
	}
	if got := events(b.said()); !slices.Equal(got, []string{"bound", "reconfigured", "reconfigured", "stopping"}) {
		t.Errorf("hooks were told of %q", got)
	}
}

// fact finds a thing on the host.
func fact(t *testing.T, e agent.Explanation, kind, what string) agent.Fact {
	t.Helper()
	for _, f := range e.Host {
		if f.Kind == kind && strings.HasPrefix(f.What, what) {
			return f
		}
	}
	t.Errorf("no %s %s in %+v", kind, what, e.Host)
	return agent.Fact{}
}

// fate finds what became of an option.
func fate(e agent.Explanation, code uint8) string {
	for _, f := range e.Options {
		if f.Code == code {
			text := strings.Join(f.For, ", ")
			for _, n := range f.Not {
				text += fmt.Sprintf(" [%s: %s]", n.What, n.Why)
			}
			return strings.TrimSpace(text)
		}
	}
	return "nothing"
}

func TestExplainTellsWhereAllComesFromAndWhatIsNotFollowed(t *testing.T) {
	options := dhcptest.MustOptions("routers=192.0.2.1,192.0.2.9", "domain-name-servers=192.0.2.53", "ntp-servers=192.0.2.123",
		"tftp-server-name=boot", "interface-mtu=1400", "domain-name=example.com")
	options.Put(dhcp4.DomainSearch.Code, []byte{200})
	options.Put(224, []byte{1, 2})
	b := newBench(t, dhcptest.Config{Options: options, ForceOptions: true})
	path := file(t, "[link.eth0.override]\nprepend = { domain-name-servers = ['127.0.0.1'] }\nsupersede.domain-name = 'example.org'\nsupersede.interface-mtu = 1280\n")
	stop, _ := b.agent("--config", path)
	b.eventually("bound", func() bool { return b.status().State == "BOUND" })
	r := b.want(0, "", "status", "eth0", "--explain", "--run-dir", b.dir, "--format", "json")
	var e agent.Explanation
	if err := json.Unmarshal([]byte(r.out), &e); err != nil {
		t.Fatal(err)
	}
	if s := b.status(); e.Link != "eth0" || e.Message != "DHCPACK" || e.Server.String() != "192.0.2.1" || e.Time.Sub(s.Lease.Start).Abs() > time.Minute || e.Address != s.Lease.Addr.String() {
		t.Errorf("%+v", e)
	}
	here := path + ":2 [link.eth0.override]"
	for _, tc := range []struct{ kind, what, from string }{
		{"address", e.Address, "yiaddr and option 1 (subnet-mask)"},
		{"route", "192.0.2.0/24", "option 1 (subnet-mask)"},
		{"route", "default via 192.0.2.1", "option 3 (routers)"},
		{"name server", "192.0.2.53", "option 6 (domain-name-servers)"},
		{"name server", "127.0.0.1", "option 6 (domain-name-servers), prepend of " + here},
		{"domain", "example.org", "option 15 (domain-name), supersede of " + path + ":3 [link.eth0.override]"},
		{"mtu", "1280", "option 26 (interface-mtu), supersede of " + path + ":4 [link.eth0.override]"},
	} {
		f := fact(t, e, tc.kind, tc.what)
		if f.From != tc.from || (len(f.Overrides) > 0) != strings.Contains(tc.from, " of ") {
			t.Errorf("%s %s: %+v, want %s", tc.kind, tc.what, f, tc.from)
		}
	}
	for code, want := range map[uint8]string{
		3:   "[router 192.0.2.9: there is one default route, by the first router]",
		6:   "name server 127.0.0.1, name server 192.0.2.53",
		15:  "domain example.org [example.com: superseded by " + path + ":3 [link.eth0.override]]",
		26:  "mtu 1280 [1400: superseded by " + path + ":4 [link.eth0.override]]",
		51:  "the times of the lease",
		54:  "the exchange with the server",
		66:  "[boot: nothing on this host follows it; it is shown, and handed on; it was not asked for]",
		119: "malformed: ",
		224: "[0x0102: unknown to lessee; it is shown, and handed on; it was not asked for]",
	} {
		if got := fate(e, code); !strings.HasSuffix(got, want) && !(strings.HasSuffix(want, ": ") && strings.Contains(got, want)) {
			t.Errorf("option %d: %s, want %s", code, got, want)
		}
	}
	for _, args := range [][]string{{"status", "eth0"}, {"status"}, {"acquire", "eth0"}} {
		r := b.lessee(append(args, "--explain", "--run-dir", b.dir)...)
		for _, want := range []string{
			"eth0: " + e.Address + ", by DHCPACK from 192.0.2.1, asked for ",
			"  name server   127.0.0.1, by option 6 (domain-name-servers), prepend of " + here + "\n",
			"  224 option-224                0x0102: unknown to lessee; it is shown, and handed on; it was not asked for\n",
		} {
			if r.code != 0 || !strings.Contains(r.out, want) {
				t.Errorf("%v: no %q in\n%s%s", args, want, r.out, r.stderr)
			}
		}
	}
	r = b.want(0, "", "inform", "eth0", "--run-dir", b.dir, "--format", "json")
	if !strings.Contains(r.out, `"agent": `) || !strings.Contains(r.out, `"from": "`+here+`"`) {
		t.Errorf("through the agent: %s", r.out)
	}
	b.want(0, "note: the agent goes by its own settings, and not by --metric, --resolv-conf, --supersede\n", "renew", "eth0", "--supersede", "domain-name=a.example", "--metric", "7")
	stop()
	b.want(0, "  name server   192.0.2.53, by option 6 (domain-name-servers)\n", "acquire", "eth0", "--explain", "--config", "none")
	b.want(2, "--no-apply", "acquire", "eth0", "--explain", "--no-apply")
}

func TestConfigShowTellsOfOverridesAsTheyStandInTheFile(t *testing.T) {
	path := file(t, "[defaults.override]\nappend = { domain-search = ['a.example'] }\n[link.nolink7.override]\nrequire = ['routers']\nsupersede = { 6 = ['192.0.2.1'], interface-mtu = 1400 }\n")
	r := runLessee(t, "config", "show", "nolink7", "--config", path, "--default", "domain-name=x.example", "--default", "domain-search=b.example")
	got := strings.Join(strings.Fields(r.out), " ")
	for _, want := range []string{
		`require = ["routers"] # ` + path + `:4 [link.nolink7.override]`,
		`override.supersede = { 6 = ["192.0.2.1"], interface-mtu = 1400 } # ` + path + `:5 [link.nolink7.override]`,
		`override.append = { domain-search = ["a.example"] } # ` + path + `:2 [defaults.override]`,
		`override.default = { domain-name = "x.example", domain-search = ["b.example"] } # --default`,
		`override.prepend = {} # default`,
	} {
		if r.code != exitDone || !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s%s", want, r.out, r.stderr)
		}
	}
}
