package hook

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestB16OnlyWhatMeansNothingToAShellIsHandedOn(t *testing.T) {
	for _, good := range []string{"example.com", "192.0.2.1 192.0.2.2", "10.0.0.0/8 192.0.2.1", "aa:bb:cc", "http://x/y", "user@host", "a,b", "a=b", "a+b", "a_b", "a-b"} {
		if !safe(good) {
			t.Errorf("%q is not handed on", good)
		}
	}
	for _, bad := range []string{
		"a\nb", "a\rb", "a\tb", "a\x00b", "a;b", "a&b", "a|b", "$(a)", "${a}", "`a`", "'a'", `"a"`, `a\b`, "a>b", "a<b", "*", "a?", "[a]", "{a}", "!a", "#a", "~a",
		"%s", "^a", "-rf", "a -b", "ä", "\xff", "\x1b[31m", strings.Repeat("a", maxValue+1),
	} {
		if safe(bad) {
			t.Errorf("%q is handed on", bad)
		}
	}
}

func TestNamesAreNames(t *testing.T) {
	if got := names([]string{"a.example", "b c", "$(d)", "x/y", "e.example"}); got != "a.example e.example" {
		t.Errorf("%q", got)
	}
	for _, bad := range []string{"a b", "a/b", "a:b", "a@b", "a,b", "-a", strings.Repeat("a", 254)} {
		if name(bad) != "" {
			t.Errorf("%q is a name", bad)
		}
	}
}

// envOf is what a script gets, but for what every program gets.
func envOf(c *call) []string {
	_, e := c.program()
	e = slices.DeleteFunc(e, func(s string) bool { return strings.HasPrefix(s, "PATH=") || strings.HasPrefix(s, "LANG=") })
	slices.Sort(e)
	return e
}

func TestWhatUdhcpcsScriptGets(t *testing.T) {
	l := sampleLease()
	c := &call{style: UDHCPC, reason: ReasonBound, link: "eth0", new: l, mtu: true, now: start}
	want := []string{
		"broadcast=192.0.2.255", "dns=192.0.2.53 192.0.2.54", "domain=example.com", "interface=eth0", "ip=192.0.2.77", "lease=3600",
		"mask=24", "mtu=1400", "ntpsrv=192.0.2.9", "opt53=05", "router=192.0.2.1", "search=a.example b.example", "serverid=192.0.2.1",
		"staticroutes=10.0.0.0/8 192.0.2.1 0.0.0.0/0 192.0.2.1", "subnet=255.255.255.0",
	}
	if got := envOf(c); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if c.mtu = false; slices.Contains(envOf(c), "mtu=1400") {
		t.Error("an MTU that the operator does not want")
	}
	for reason, want := range map[Reason]string{
		ReasonBound: "bound", ReasonReboot: "bound", ReasonTimeout: "bound", ReasonRenew: "renew", ReasonRebind: "renew",
		ReasonPreinit: "deconfig", ReasonExpire: "deconfig", ReasonRelease: "deconfig", ReasonStop: "deconfig", ReasonFail: "leasefail", ReasonNAK: "nak",
	} {
		if args, _ := (&call{style: UDHCPC, reason: reason, link: "eth0"}).program(); !slices.Equal(args, []string{want}) {
			t.Errorf("%s: %q", reason, args)
		}
	}
	if got := envOf(&call{style: UDHCPC, reason: ReasonNAK, link: "eth0", text: "not here"}); !slices.Equal(got, []string{"interface=eth0", "message=not here"}) {
		t.Errorf("%q", got)
	}
}

func TestWhatToBootFromIsTold(t *testing.T) {
	l := sampleLease()
	l.NextServer, l.BootFile = netip.MustParseAddr("192.0.2.9"), "pxe/boot.img"
	for style, want := range map[Style][]string{
		UDHCPC:   {"siaddr=192.0.2.9", "boot_file=pxe/boot.img"},
		DHClient: {"new_next_server=192.0.2.9", "new_filename=pxe/boot.img"},
		"":       {"LESSEE_NEXT_SERVER=192.0.2.9", "LESSEE_BOOT_FILE=pxe/boot.img"},
	} {
		got := []string((&Event{Lease: l}).environment())
		if style != "" {
			got = envOf(&call{style: style, reason: ReasonBound, link: "eth0", new: l, now: start})
		}
		for _, s := range want {
			if !slices.Contains(got, s) {
				t.Errorf("no %s in %q", s, got)
			}
		}
	}
	l.BootFile = "$(reboot)"
	if got := envOf(&call{style: UDHCPC, reason: ReasonBound, link: "eth0", new: l, now: start}); strings.Contains(strings.Join(got, " "), "boot_file") {
		t.Errorf("%q", got)
	}
}

func TestWhatDhclientsScriptGets(t *testing.T) {
	old, l := leaseOf("192.0.2.66", "dhcp-server-identifier=192.0.2.1", "dhcp-lease-time=60", "subnet-mask=/28"), sampleLease()
	want := []string{
		"interface=eth0",
		"new_broadcast_address=192.0.2.255", "new_dhcp_lease_time=3600", "new_dhcp_message_type=5", "new_dhcp_server_identifier=192.0.2.1",
		"new_domain_name=example.com", "new_domain_name_servers=192.0.2.53 192.0.2.54", "new_domain_search=a.example. b.example.",
		"new_expiry=1714568400", "new_interface_mtu=1400", "new_ip_address=192.0.2.77", "new_network_number=192.0.2.0", "new_ntp_servers=192.0.2.9",
		"new_rfc3442_classless_static_routes=8 10 192 0 2 1 0 192 0 2 1", "new_routers=192.0.2.1", "new_subnet_mask=255.255.255.0",
		"old_broadcast_address=192.0.2.79", "old_dhcp_lease_time=60", "old_dhcp_server_identifier=192.0.2.1", "old_expiry=1714564860",
		"old_ip_address=192.0.2.66", "old_network_number=192.0.2.64", "old_subnet_mask=255.255.255.240",
		"reason=RENEW",
	}
	if got := envOf(&call{style: DHClient, reason: ReasonRenew, link: "eth0", old: old, new: l, mtu: true, now: start}); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for _, s := range envOf(&call{style: DHClient, reason: ReasonRelease, link: "eth0", old: old, new: l, now: start}) {
		if strings.HasPrefix(s, "new_") {
			t.Errorf("%s, though the lease goes", s)
		}
	}
	if got := envOf(&call{style: DHClient, reason: ReasonTimeout, link: "eth0", new: l, now: start.Add(l.Expiry.Sub(start) / 2)}); !slices.Contains(got, "new_dhcp_lease_time=1800") {
		t.Errorf("a lease that nobody confirmed is worth more than what is left of it: %q", got)
	}
	forever := leaseOf("192.0.2.66", "dhcp-server-identifier=192.0.2.1", "dhcp-lease-time=infinite", "subnet-mask=/28")
	if got := envOf(&call{style: DHClient, reason: ReasonBound, link: "eth0", new: forever, now: start}); !slices.Contains(got, "new_dhcp_lease_time=4294967295") || !slices.Contains(got, "new_expiry=2147483647") {
		t.Errorf("%q", got)
	}
}
