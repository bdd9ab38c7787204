package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
)

const overrides = `
[defaults.override]
append = { domain-search = ["a.example"] }
supersede = { ntp-servers = [] }

[link.eth0.override]
supersede = { "6" = ["192.0.2.1"],
  interface-mtu = 1400 }

[link.eth0.override.prepend]
routers = ["192.0.2.9"]
`

func TestATableOfOptionsReplacesTheOneBeforeIt(t *testing.T) {
	f := parse(t, overrides)
	for _, tc := range []struct {
		link  string
		flags Flags
		want  string
	}{
		{"eth1", nil, "supersede 42; append 119"},
		{"eth0", nil, "supersede 6 26; prepend 3; append 119"},
		{"eth0", flag("supersede", "domain-name=a", "3="), "contradicts"},
		{"eth0", flag("supersede", "domain-name=a", "42="), "supersede 15 42; prepend 3; append 119"},
		{"eth0", flag("supersede", ""), "prepend 3; append 119"},
	} {
		l, err := f.Link(tc.link, tc.flags)
		if tc.want == "contradicts" {
			if err == nil || !strings.Contains(err.Error(), "--supersede 3=: contradicts prepend (f:11)") {
				t.Errorf("%v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, how := range []lease.How{lease.Supersede, lease.Default, lease.Prepend, lease.Append} {
			text := string(how)
			for _, o := range *listOf(&l.Policy, how) {
				text += fmt.Sprintf(" %d", uint8(o.Code))
			}
			if text != string(how) {
				got = append(got, text)
			}
		}
		if strings.Join(got, "; ") != tc.want {
			t.Errorf("%s: %q, want %s", tc.link, got, tc.want)
		}
	}
}

func TestWhereAnOverrideStandsIsKnown(t *testing.T) {
	f := parse(t, overrides)
	where, err := f.Overriding("eth0", Flags{"default": {Flag: "default", Values: []string{"domain-name=a"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		how         lease.How
		code        dhcp4.Code
		from, table string
	}{
		{lease.Supersede, 6, "f:7", "[link.eth0.override]"},
		{lease.Supersede, 26, "f:8", "[link.eth0.override]"},
		{lease.Prepend, 3, "f:11", "[link.eth0.override]"},
		{lease.Append, 119, "f:3", "[defaults.override]"},
		{lease.Default, 15, "--default", ""},
	} {
		if o := where(tc.how, tc.code); o.String() != tc.from || o.Table != tc.table {
			t.Errorf("%s of %d: %s %s, want %s %s", tc.how, tc.code, o, o.Table, tc.from, tc.table)
		}
	}
}

func TestAFlagIsToldOfAsItWasWritten(t *testing.T) {
	for _, tc := range []struct{ flag, value, want string }{
		{"supersede", "routers", "--supersede routers: want NAME=VALUE"},
		{"supersede", "ruoters=192.0.2.1", "--supersede ruoters=192.0.2.1: no option of that name or number (lessee options lists them); routers is probably meant"},
		{"append", "interface-mtu=1400", "--append interface-mtu=1400: option 26 (interface-mtu) is one value, to which none can be added; supersede or default sets it"},
		{"default", "54=192.0.2.1", "--default 54=192.0.2.1: option 54 cannot be overridden: it is about the exchange, not about the host"},
		{"no-request", "1", "--no-request 1: option 1 (subnet-mask) is asked for in any case: there is no lease without it"},
	} {
		if _, err := new(File).Link("eth0", flag(tc.flag, tc.value)); err == nil || err.Error() != tc.want {
			t.Errorf("%v\nwant %s", err, tc.want)
		}
	}
}

// B12, G1: what is left of the list is in its order, and what is added is last.
func TestWhatIsNotAskedForLeavesTheOrderAlone(t *testing.T) {
	flags := flag("no-request", "domain-search", "33", "wpad")
	flags["request"] = Flag{Flag: "request", Values: []string{"tftp-server-name"}}
	want := slices.DeleteFunc(machine.DefaultParameters(), func(c dhcp4.Code) bool { return c == 119 || c == 33 })
	if got := linkOf(t, new(File), "eth0", flags).Machine.Parameters; !slices.Equal(got, append(want, 66)) {
		t.Errorf("%v", got)
	}
}

func TestATableInOneLineSaysTheSame(t *testing.T) {
	s := find(linkRows, "supersede")
	for _, tc := range []struct {
		words []string
		want  string
	}{
		{nil, "{}"},
		{[]string{"routers=192.0.2.1, 192.0.2.2", "6=", "interface-mtu=0x0578", "26=0578"}, `{ routers = ["192.0.2.1", "192.0.2.2"], 6 = "", interface-mtu = "0x0578", 26 = "0578" }`},
		{[]string{"interface-mtu=1400", "ip-forwarding=true", `root-path=a="b"`, "224=0a"}, `{ interface-mtu = 1400, ip-forwarding = true, root-path = "a=\"b\"", 224 = "0a" }`},
	} {
		if got := s.Literal(tc.words); got != tc.want {
			t.Errorf("%s\nwant %s", got, tc.want)
		}
	}
}
