package main

import (
	"encoding/json"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/store"
)

// routesIn are the metrics of the link's routes in a table.
func (b *bench) routesIn(table int) (metrics []int) {
	b.host.Must(func() error {
		list, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: table}, netlink.RT_FILTER_TABLE)
		for _, r := range list {
			metrics = append(metrics, r.Priority)
		}
		return err
	})
	return metrics
}

func TestALeaseIsExtendedAsItWasGot(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	stay := func(command string) {
		t.Helper()
		if got := b.routesIn(77); !slices.Equal(got, []int{5, 5}) {
			t.Errorf("after %s: metrics %v in table 77, want both routes with 5", command, got)
		}
		b.resolves("example.org", "127.0.0.1", "192.0.2.53")
	}
	dir := b.hooksDir(tellsAll)
	b.want(0, "bound", "acquire", "eth0", "--metric", "5", "--table", "77", "--hostname", "other", "--client-id", "01:02:03",
		"--lease-time", "30m", "--vendor-class", "phone", "--no-request", "ntp-servers", "--default", "domain-name=example.org",
		"--prepend", "domain-name-servers=127.0.0.1", "--hooks-dir", dir)
	stay("acquire")
	b.want(0, "by --prepend, when the lease was got; the server sent 192.0.2.53", "renew", "eth0")
	stay("renew")
	b.want(0, "renewed", "rebind", "eth0")
	stay("rebind")
	b.want(0, "domain       example.org", "inform", "eth0", "--run-dir", b.dir)
	r := b.want(0, "metric ", "config", "show", "eth0", "--state-dir", b.dir, "--run-dir", b.dir, "--config", "none", "--table", "78")
	for _, want := range []string{" = 5 ", "# --metric, when the lease was got\n", " = 78 ", "# --table\n"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("config show: no %q in\n%s", want, r.out)
		}
	}
	b.want(0, `"from": "lease",
      "flag": "vendor-class"`, "config", "show", "eth0", "--state-dir", b.dir, "--run-dir", b.dir, "--config", "none", "--format", "json")
	b.want(0, "released", "release", "eth0")
	b.clean()
	if got := events(b.said()); !slices.Equal(got, []string{"bound", "renewed", "rebound", "released"}) {
		t.Errorf("hooks were told of %q", got)
	}
	b.asIntroduced(t, "other", "phone", "01:02:03", 1800)
	b.want(0, "bound", "acquire", "eth0")
	if got := b.routesIn(77); len(got) != 0 {
		t.Errorf("another lease is got as the former one was: %v", got)
	}
}

// asIntroduced checks what all messages to the server said of the client, where
// they may say it.
func (b *bench) asIntroduced(t *testing.T, name, class, id string, seconds dhcp4.Lifetime) {
	t.Helper()
	for _, e := range b.srv.Log() {
		if e.Message == nil || e.Sent {
			continue
		}
		o := e.Message.Options
		if got, err := dhcp4.ClientIdentifier.Get(o); err != nil || got.String() != id {
			t.Errorf("%v: client identifier %v, %v", e, got, err)
		}
		if e.Message.Type() == dhcp4.Release {
			continue
		}
		gotName, _ := dhcp4.HostName.Get(o)
		gotClass, _ := dhcp4.VendorClass.Get(o)
		list, err := dhcp4.ParameterList.Get(o)
		if gotName != name || gotClass != class || err != nil || slices.Contains(list, dhcp4.NTPServers.Code) {
			t.Errorf("%v: host name %q, vendor class %q, asks for %v, %v", e, gotName, gotClass, list, err)
		}
		if got, _ := dhcp4.LeaseTime.Get(o); got != seconds && e.Message.Type() != dhcp4.Inform {
			t.Errorf("%v: wishes for %v", e, got)
		}
	}
}

func TestWhatIsSaidNowWinsOverWhatTheLeaseWasGotWith(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	metric := func(when string, want int) {
		t.Helper()
		if got := b.routesIn(254); !slices.Equal(got, []int{want, want}) {
			t.Errorf("%s: metrics %v, want %d", when, got, want)
		}
	}
	path := file(t, "[defaults]\nmetric = 9\n")
	b.want(0, "bound", "acquire", "eth0", "--metric", "5", "--config", path)
	b.want(0, "renewed", "renew", "eth0", "--config", path)
	metric("the file is as it was", 5)
	b.want(0, "renewed", "renew", "eth0", "--config", path, "--metric", "6")
	b.want(0, "renewed", "renew", "eth0", "--config", path)
	metric("renew was told something else", 6)
	if err := os.WriteFile(path, []byte("[defaults]\nmetric = 8\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.want(0, "renewed", "renew", "eth0", "--config", path)
	metric("the file was changed", 8)
	b.want(0, "bound", "acquire", "eth0", "--config", path, "--metric", "4")
	b.want(0, "bound", "acquire", "eth0", "--config", path)
	metric("acquire begins with the file", 8)
	b.want(0, "renewed", "renew", "eth0", "--config", path)
	metric("and what it was told before is forgotten", 8)
}

// The store is root's, and may all the same hold what another version wrote, or
// an editor.
func TestOddSettingsBesideALeaseAreNoReasonToFail(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0", "--metric", "5")
	f, known := store.LoadFormer(b.dir, "eth0", client.BootTime())
	if !known || f.Settings == nil {
		t.Fatalf("%v, %+v", known, f)
	}
	var hw dhcp4.HardwareAddr
	b.host.Must(func() error {
		ifi, err := net.InterfaceByName("eth0")
		if err == nil {
			hw = dhcp4.HardwareAddr(ifi.HardwareAddr)
		}
		return err
	})
	for text, said := range map[string]string{
		`"none of this"`: "cannot unmarshal",
		`{"metric":{"is":["many"],"over":["auto"]}}`:                           "want a number",
		`{"hook-script":{"is":["/bin/true"],"over":[""]}}`:                     "nobody calls the script",
		`{"of another version":{"is":["x"],"over":[""]},"metric":{}}`:          "",
		`{"state-dir":{"is":["/nowhere"],"over":["/var/lib/lessee"]}}`:         "",
		`{"metric":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`: "cannot unmarshal",
	} {
		s, err := store.Open(b.dir, "eth0", hw, f.ClientID, client.BootTime())
		if err != nil {
			t.Fatal(err)
		}
		s.Settings = json.RawMessage(text)
		if err := s.Save(f.Lease); err != nil {
			t.Fatal(err)
		}
		r := b.want(0, "renewed", "renew", "eth0")
		if told := strings.Contains(r.stderr, "is not followed"); told != (said != "") || !strings.Contains(r.stderr, said) {
			t.Errorf("%.60s: %s", text, r.stderr)
		}
	}
	b.want(0, "released", "release", "eth0")
	b.clean()
}

// What does not go together with what is said now gives way to it, and that is
// told.
func TestWhatContradictsTheFlagsOfNowIsNotFollowed(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0", "--no-request", "ntp-servers", "--metric", "5")
	b.want(0, "contradicts", "renew", "eth0", "--request", "ntp-servers")
	if got := b.routesIn(254); len(got) != 2 || got[0] == 5 {
		t.Errorf("metrics %v", got)
	}
	r := b.want(0, "renewed", "renew", "eth0")
	if r.stderr != "" {
		t.Errorf("what was not followed is remembered: %s", r.stderr)
	}
}

func TestTheAgentGoesByItsOwnSettings(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0", "--metric", "5")
	stop, _ := b.agent()
	b.eventually("the agent has confirmed the lease", func() bool { return b.status().State == "BOUND" })
	if got := b.routesIn(254); len(got) != 2 || got[0] == 5 {
		t.Errorf("metrics %v", got)
	}
	r := b.want(0, "renewed", "renew", "eth0")
	if strings.Contains(r.out, "goes by its own settings, and not by --metric") {
		t.Errorf("nobody said so now:\n%s", r.out)
	}
	stop()
	b.want(0, "renewed", "renew", "eth0")
	if got := b.routesIn(254); len(got) != 2 || got[0] == 5 {
		t.Errorf("what the agent has made another: metrics %v", got)
	}
}
