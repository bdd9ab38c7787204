package kernelargs

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

var compare = []cmp.Option{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}

func TestEveryFormOfIP(t *testing.T) {
	any := []Link{{}}
	for _, tc := range []struct {
		line   string
		want   Args
		notice string // a part of the only one; "": there is none
	}{
		{"", Args{}, ""},
		{"ip=dhcp", Args{Links: any}, ""},
		{"ip=on", Args{Links: any}, ""},
		{"ip=any", Args{Links: any}, ""},
		{"ip=all", Args{Links: any}, ""},
		{"ip=", Args{Links: any}, ""},
		{"ip", Args{}, ""},
		{"ip=::::::", Args{Links: any}, ""},
		{"ip=single-dhcp", Args{Links: any, First: true}, ""},
		{"nfsaddrs=dhcp", Args{Links: any}, ""},
		{"ip=off", Args{Refused: true}, ""},
		{"ip=none", Args{Refused: true}, ""},
		{"ip=static", Args{Refused: true}, ""},
		{"ip=both", Args{Refused: true}, "BOOTP and RARP"},
		{"ip=bootp", Args{Refused: true}, "BOOTP"},
		{"ip=rarp", Args{Refused: true}, "RARP"},
		{"ip=ibft", Args{Refused: true}, "iBFT"},
		{"ip=dhcp6", Args{Refused: true}, "IPv6"},
		{"ip=auto6", Args{Refused: true}, "IPv6"},
		{"ip=either6", Args{Refused: true}, "IPv6"},
		{"ip=link6", Args{Refused: true}, "IPv6"},

		{"ip=eth0:dhcp", Args{Links: []Link{{Device: "eth0"}}}, ""},
		{"ip=eth0:on ip=eth1:any", Args{Links: []Link{{Device: "eth0"}, {Device: "eth1"}}}, ""},
		{"ip=eth0:dhcp ip=eth1:off", Args{Links: []Link{{Device: "eth0"}}, Refused: true, Off: []string{"eth1"}}, ""},
		{"ip=eth0:dhcp6", Args{Refused: true}, "IPv6"},
		{"ip=eth0:dhcp:9000", Args{Links: []Link{{Device: "eth0", MTU: 9000}}}, ""},
		{"ip=eth0:dhcp::52:54:00:12:34:56", Args{Links: []Link{{Device: "eth0"}}}, "hardware address is not changed"},
		{"ip=eth0:dhcp:1400:52:54:00:12:34:56", Args{Links: []Link{{Device: "eth0", MTU: 1400}}}, "hardware address is not changed"},
		{"ip=eth0:dhcp:67", Args{Links: []Link{{Device: "eth0"}}}, "MTU"},

		{"ip=:::::eth0:dhcp", Args{Links: []Link{{Device: "eth0"}}}, ""},
		{"ip=:::::eth0:", Args{Links: []Link{{Device: "eth0"}}}, ""},
		{"ip=:::::eth0", Args{Links: []Link{{Device: "eth0"}}}, ""},
		{"ip=::::node-7::dhcp", Args{Links: []Link{{HostName: "node-7"}}}, ""},
		{"ip=192.0.2.7:192.0.2.1::::eth0:dhcp", Args{Links: []Link{{Device: "eth0", Addr: addr("192.0.2.7"), Server: addr("192.0.2.1")}}}, ""},
		{"ip=0.0.0.0:0.0.0.0::::eth0:dhcp", Args{Links: []Link{{Device: "eth0"}}}, ""},
		{"ip=192.0.2.7:192.0.2.1/32::::eth0:dhcp", Args{Links: []Link{{Device: "eth0", Addr: addr("192.0.2.7"), Server: addr("192.0.2.1")}}}, ""},
		{"ip=:::::eth0:dhcp:192.0.2.53:192.0.2.54", Args{Links: []Link{{Device: "eth0", NameServers: []netip.Addr{addr("192.0.2.53"), addr("192.0.2.54")}}}}, ""},
		{"ip=:::::eth0:dhcp:::192.0.2.123", Args{Links: []Link{{Device: "eth0", TimeServers: []netip.Addr{addr("192.0.2.123")}}}}, ""},
		{"ip=:::::eth0:dhcp:::x:y", Args{Links: []Link{{Device: "eth0"}}}, "a time server: \"x\" is no address; nothing follows the time server"},
		{"ip=:::::eth0:dhcp:9000", Args{Links: []Link{{Device: "eth0", MTU: 9000}}}, ""},
		{"ip=:::::eth0:dhcp::52:54:00:12:34:56", Args{Links: []Link{{Device: "eth0"}}}, "hardware address is not changed"},
		{"ip=::192.0.2.1:255.255.255.0::eth0:dhcp", Args{Links: []Link{{Device: "eth0"}}}, "gateway and netmask"},
		{"ip=x::::::dhcp", Args{Links: any}, `"x" is no address`},
		{"ip=224.0.0.1::::::dhcp", Args{Links: any}, "not the address of a host"},
		{"ip=0.0.0.7::::::dhcp", Args{Links: any}, "not the address of a host"},
		{"ip=::::" + strings.Repeat("a", 64) + ":eth0:dhcp", Args{Links: []Link{{Device: "eth0"}}}, "host name"},
		{"ip=::::" + strings.Repeat("a", 63) + ".b:eth0:dhcp", Args{Links: []Link{{Device: "eth0", HostName: strings.Repeat("a", 63) + ".b"}}}, ""},
		{"ip=[2001:db8::1]:::::eth0:dhcp", Args{Links: []Link{{Device: "eth0"}}}, "IPv6"},
		{"ip=::::$(reboot):eth0:dhcp", Args{Links: []Link{{Device: "eth0"}}}, "host name"},

		{"ip=192.0.2.7", Args{Refused: true}, "static"},
		{"ip=192.0.2.7::192.0.2.1:255.255.255.0::eth0:none", Args{Refused: true, Off: []string{"eth0"}}, "static"},
		{"ip=192.0.2.7::192.0.2.1:255.255.255.0::eth0:off:192.0.2.53", Args{Refused: true, Off: []string{"eth0"}}, "static"},
		{"ip=192.0.2.7::192.0.2.1:255.255.255.0::eth0", Args{Refused: true, Off: []string{"eth0"}}, "static"},
		{"ip=[2001:db8::7]::[2001:db8::1]:64::eth0:none", Args{Refused: true}, "static"},
		{"ip=:::::eth0:off", Args{Refused: true, Off: []string{"eth0"}}, ""},
		{"ip=:::::eth0:ibft", Args{Refused: true}, "iBFT"},

		{"ip=dchp", Args{Unclear: true}, "neither a method"},
		{"ip=eth0:dchp", Args{Unclear: true}, `"eth0" is neither`},
		{"ip=eth0:dchp:9000", Args{Unclear: true}, `"eth0" is neither`},
		{"ip=:::::eth0:dchp", Args{Unclear: true}, `"dchp" is not known`},
		{"ip=:::::et/h0:dhcp", Args{Unclear: true}, "cannot be a link's name"},
		{"ip=:::::muchtoolonganame:dhcp", Args{Unclear: true}, "cannot be a link's name"},
	} {
		got := Parse("quiet " + tc.line + " root=/dev/nfs")
		notices := got.Notices
		got.Notices = nil
		if d := cmp.Diff(&tc.want, got, compare...); d != "" {
			t.Errorf("%s: (-want +got)\n%s", tc.line, d)
		}
		switch {
		case tc.notice == "" && len(notices) > 0 || len(notices) > 1:
			t.Errorf("%s: %v", tc.line, notices)
		case tc.notice != "" && (len(notices) != 1 || !strings.Contains(notices[0].Why, tc.notice)):
			t.Errorf("%s: %v, want %q", tc.line, notices, tc.notice)
		}
	}
}

func TestEveryOtherWord(t *testing.T) {
	for _, tc := range []struct {
		line string
		want Args
	}{
		{"BOOTIF=01-52-54-00-12-34-AB", Args{BootIF: "52:54:00:12:34:ab"}},
		{"BOOTIF=52:54:00:12:34:56", Args{BootIF: "52:54:00:12:34:56"}},
		{"BOOTIF=01-52-54-00-12-34-56 rd.bootif=0", Args{}},
		{"rd.bootif=0 BOOTIF=01-52-54-00-12-34-56", Args{}},
		{"rd.neednet=0", Args{NoNet: true}},
		{"rd.neednet=0 rd.neednet=1", Args{}},
		{"rd.neednet", Args{}},
		{"rd.peerdns=no", Args{NoPeerDNS: true}},
		{"nameserver=192.0.2.53 nameserver=192.0.2.54", Args{NameServers: []netip.Addr{addr("192.0.2.53"), addr("192.0.2.54")}}},
		{"rd.net.timeout.dhcp=7 rd.net.dhcp.retry=3 rd.net.timeout.carrier=20", Args{Timeout: 7 * time.Second, Retry: 3, Carrier: 20 * time.Second}},
		{`"rd.net.dhcp.vendor-class=two words"`, Args{VendorClass: "two words"}},
		{`rd.net.dhcp.vendor-class="two words"`, Args{VendorClass: "two words"}},
		{"rd.peerdns=0 -- rd.neednet=0", Args{NoPeerDNS: true}},
		{"xip=dhcp ip.x=dhcp root=ip=off", Args{}},
		{"\tip=dhcp\n", Args{Links: []Link{{}}}},
	} {
		if d := cmp.Diff(&tc.want, Parse(tc.line), compare...); d != "" {
			t.Errorf("%s: (-want +got)\n%s", tc.line, d)
		}
	}
}

func TestWhatIsNotFollowedIsToldOfWithItsPlace(t *testing.T) {
	for line, want := range map[string]string{
		"quiet ip=dchp":                                        `word 2 (column 7), ip=dchp: neither`,
		`a="b c"  nameserver=x`:                                `word 2 (column 10), nameserver=x: the name server: "x" is no address`,
		"nameserver=[2001:db8::53]":                            "IPv6",
		"BOOTIF=eth0":                                          "hardware address",
		"BOOTIF=01-52-54-00-12-34-5":                           "hardware address",
		"rd.net.timeout.dhcp=soon":                             "want a number from 1 to 86400",
		"rd.net.dhcp.retry=0":                                  "want a number from 1 to 1000",
		"rd.net.timeout.carrier=-1":                            "want a number",
		"rd.neednet=perhaps":                                   "want 0 or 1",
		"rd.net.dhcp.vendor-class=":                            "want a text",
		"rd.net.dhcp.vendor-class=" + strings.Repeat("a", 256): "want a text",
		"rd.route=198.51.100.0/24:192.0.2.1:eth0":              "static routes are not this program's (dracut's own network modules add them, or ip route add",
		"vlan=vlan5:eth0":                                      "made and named by others (dracut's own network modules, or ip link",
		"ip=\x1b[2J":                                           `word 1 (column 1), ip=\x1b[2J: neither`,
	} {
		got := Parse(line)
		if len(got.Notices) != 1 || !strings.Contains(got.Notices[0].String(), want) {
			t.Errorf("%q: %v, want %q", line, got.Notices, want)
		}
	}
}

func TestWhichLinksAreWanted(t *testing.T) {
	const mac, other = "52:54:00:12:34:56", "52:54:00:12:34:57"
	for _, tc := range []struct {
		line, device, hardware string
		wanted                 bool
	}{
		{"quiet", "eth0", mac, true},
		{"ip=dhcp", "eth0", mac, true},
		{"ip=off", "eth0", mac, false},
		{"ip=dchp", "eth0", mac, false},
		{"rd.neednet=0", "eth0", mac, false},
		{"rd.neednet=0 ip=dhcp", "eth0", mac, true},
		{"ip=eth1:dhcp", "eth0", mac, false},
		{"ip=eth1:dhcp", "eth1", mac, true},
		{"ip=eth0:off ip=eth1:dhcp", "eth0", mac, false},
		{"ip=192.0.2.7::::::none ip=dhcp", "eth0", mac, true},
		{"ip=dhcp ip=eth0:off", "eth0", mac, false},
		{"ip=dhcp ip=eth0:off", "eth1", mac, true},
		{"ip=192.0.2.7::192.0.2.1:255.255.255.0::eth0:none ip=dhcp", "eth0", mac, false},
		{"ip=eth0:off ip=eth0:dhcp", "eth0", mac, true},
		{"ip=dhcp ip=eth0:dhcp6", "eth0", mac, true},
		{"BOOTIF=01-52-54-00-12-34-56", "eth0", mac, true},
		{"BOOTIF=01-52-54-00-12-34-56", "eth0", other, false},
		{"BOOTIF=01-52-54-00-12-34-56 ip=dhcp", "eth0", other, false},
		{"BOOTIF=01-52-54-00-12-34-56 ip=eth0:dhcp", "eth0", other, true}, // who names it means it
	} {
		if _, wanted := Parse(tc.line).Wanted(tc.device, tc.hardware); wanted != tc.wanted {
			t.Errorf("%s: %s, %s: %v", tc.line, tc.device, tc.hardware, wanted)
		}
	}
	l, _ := Parse("ip=::::any::dhcp ip=::::one:eth1:dhcp").Wanted("eth1", mac)
	if l.HostName != "one" {
		t.Errorf("%+v: the word that names the link does not count", l)
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"BOOT_IMAGE=/vmlinuz root=/dev/nfs ip=192.0.2.7:192.0.2.1::255.255.255.0:node:eth0:dhcp:192.0.2.53:192.0.2.54:192.0.2.123 rd.neednet=1",
		`ip=eth0:dhcp:9000:52:54:00:12:34:56 "rd.net.dhcp.vendor-class=a b" BOOTIF=01-52-54-00-12-34-56 -- x`,
		`ip=[2001:db8::1]::[::]:64::eth0:none nameserver=[::1] rd.route=[2001:db8:3::/8]:[2001:db8:2::1]:ens10`,
		`ip="dhcp`, "ip=\x00:::::\xff:dhcp", `""=""`, "ip=:::::::::::::::",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := Parse(line)
		for _, l := range args.Links {
			if l.Device != "" && !isDevice(l.Device) || l.HostName != "" && !isHostName(l.HostName) || l.MTU != 0 && l.MTU < 68 || l.MTU > 65535 {
				t.Errorf("%+v", l)
			}
			if _, wanted := args.Wanted(l.Device, args.BootIF); !wanted {
				t.Errorf("%+v is asked for, and not wanted", l)
			}
		}
		for _, n := range args.Notices {
			if text := n.String(); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("%q is not printable", text)
			}
			// The place leads to the word, whose quotes alone are missing.
			rest := strings.ReplaceAll(line[n.Column-1:], `"`, "")
			if !strings.HasPrefix(rest, strings.ReplaceAll(n.Text, `"`, "")) {
				t.Errorf("%q is not at column %d of %q", n.Text, n.Column, line)
			}
		}
		if slices.ContainsFunc(args.NameServers, func(a netip.Addr) bool { return !a.Is4() || a.IsMulticast() }) {
			t.Errorf("%v", args.NameServers)
		}
	})
}
