package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

func TestTheKernelsCommandLineSaysWhatIsWanted(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1")
	eth1, err := b.host.Interface("eth1")
	if err != nil {
		t.Fatal(err)
	}
	b.want(0, "nothing", "ip=off")
	b.want(0, "a static address is not this program's (the kernel's own autoconfiguration, klibc's ipconfig", "ip=192.0.2.7::192.0.2.1:255.255.255.0::eth0:off")
	b.want(0, "nothing", "rd.neednet=0")
	b.want(2, "word 2 (column 7), ip=dchp: neither a method", "quiet ip=dchp")
	b.only()
	if n := len(b.servers["eth0"].Log()) + len(b.servers["eth1"].Log()); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
	b.want(0, "eth1: bound", "BOOTIF=01-"+strings.ReplaceAll(eth1.HardwareAddr.String(), ":", "-"))
	b.only("eth1")
	r := b.want(0, "eth0: bound, 198.51.0.17", "ip=198.51.0.17:192.0.2.99::::eth0:dhcp:9.9.9.9 nameserver=8.8.8.8 ip=dhcp6")
	if !strings.Contains(r.stderr, "word 3 (column 67), ip=dhcp6: IPv6") {
		t.Errorf("%s", r.stderr)
	}
	conf, err := os.ReadFile(b.path("net-eth0.conf"))
	for _, want := range []string{"IPV4DNS0='9.9.9.9'\n", "IPV4DNS1='8.8.8.8'\n", "ROOTSERVER='192.0.2.99'\n"} {
		if err != nil || !strings.Contains(string(conf), want) {
			t.Errorf("no %s in %s, %v", want, conf, err)
		}
	}
	b.want(0, "eth0: bound", "ip=eth0:dhcp:1400")
	if mtu, err := b.host.MTU("eth0"); mtu != 1400 || err != nil {
		t.Errorf("MTU %d, %v", mtu, err)
	}
	b.want(0, "LESSEE_NEXT_SERVER='192.0.2.98'\n", "ip=:192.0.2.98::::eth0:dhcp", "--format", "env")
}

func TestTheKernelsCommandLineSaysWhichNameServers(t *testing.T) {
	for line, want := range map[string]string{
		"":                                    "192.0.2.53",
		"nameserver=192.0.2.7":                "192.0.2.7 192.0.2.53",
		"rd.peerdns=0 nameserver=192.0.2.7":   "192.0.2.7",
		"rd.peerdns=0":                        "",
		"ip=:::::eth0:dhcp:192.0.2.8":         "192.0.2.8 192.0.2.53",
		"ip=:::::eth0:dhcp:192.0.2.8:9.9.9.9": "192.0.2.8 9.9.9.9 192.0.2.53",
	} {
		b := newBootBench(t, "eth0")
		b.want(0, "eth0: bound", line)
		text, err := os.ReadFile(b.path("resolv.conf"))
		if err != nil && (want != "" || !errors.Is(err, os.ErrNotExist)) {
			t.Error(err)
		}
		var got []string
		for l := range strings.Lines(string(text)) {
			if a, ok := strings.CutPrefix(l, "nameserver "); ok {
				got = append(got, strings.TrimSpace(a))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", line, got, want)
		}
	}
}

func TestFlagsWinOverTheKernelsCommandLine(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1")
	b.servers["eth0"].Always(dhcptest.Ignore)
	began := time.Now()
	b.want(3, "eth0: no server answered", "ip=eth1:dhcp rd.net.timeout.dhcp=50 ip=192.0.2.9::::::off", "eth0", "--timeout", "3s")
	if took := time.Since(began); took >= 50*time.Second {
		t.Errorf("it took %v", took)
	}
	b.only()
	b.want(0, "eth1: bound", "ip=::::from-kernel:eth1:dhcp", "--hostname", "from-flag")
	for _, e := range b.servers["eth1"].Log() {
		if e.Message == nil {
			continue
		}
		if name, err := dhcp4.HostName.Get(e.Message.Options); err == nil && name == "from-kernel" {
			t.Errorf("the host name is %s", name)
		}
	}
}

// option is what of an option stands in a document, and who overrides it.
func (b *bootBench) overridden(kernel string, args ...string) (dns, ntp []netip.Addr, mtu int, by map[string]string) {
	b.t.Helper()
	r := b.want(0, "", kernel, append(args, "--format", "json")...)
	var d document
	if err := json.Unmarshal([]byte(r.out), &d); err != nil || d.Lease == nil {
		b.t.Fatalf("%v\n%s%s", err, r.out, r.stderr)
	}
	by = map[string]string{}
	for _, o := range d.Overrides {
		by[fmt.Sprintf("%s %d", o.How, o.Code)] = o.From
	}
	return d.Lease.DNS, d.Lease.NTP, d.Lease.MTU, by
}

// Of one option the kernel's command line wins over the file, and a flag over
// both. What is said of other options stays, whoever says it.
func TestOverridesOfFileKernelAndFlagsGoTogether(t *testing.T) {
	b := newBootBench(t, "eth0")
	path := file(t, "[defaults.override]\nsupersede = { interface-mtu = 1250, ntp-servers = [\"192.0.2.200\"] }\nprepend.domain-name-servers = [\"127.0.0.1\"]\n")
	const atBoot = " on the kernel's command line"
	inFile := func(line int) string { return fmt.Sprintf("%s:%d [defaults.override]", path, line) }
	for _, tc := range []struct {
		kernel string
		args   []string
		dns    string
		ntp    string
		mtu    int
		by     map[string]string
	}{
		{"", nil, "127.0.0.1 192.0.2.53", "192.0.2.200", 1250, map[string]string{"supersede 26": inFile(2), "supersede 42": inFile(2), "prepend 6": inFile(3)}},
		{"ip=eth0:dhcp:1300", nil, "127.0.0.1 192.0.2.53", "192.0.2.200", 1300, map[string]string{"supersede 26": "ip=" + atBoot, "supersede 42": inFile(2), "prepend 6": inFile(3)}},
		{"rd.peerdns=0", nil, "127.0.0.1", "192.0.2.200", 1250, map[string]string{"supersede 6": "rd.peerdns=0" + atBoot, "prepend 6": inFile(3), "supersede 26": inFile(2), "supersede 42": inFile(2)}},
		{"rd.peerdns=0 nameserver=9.9.9.9", []string{"--prepend", "domain-name-servers=127.0.0.2"}, "127.0.0.2", "192.0.2.200", 1250, map[string]string{"supersede 6": "rd.peerdns=0" + atBoot, "prepend 6": "--prepend", "supersede 26": inFile(2), "supersede 42": inFile(2)}},
		{"rd.peerdns=0 ip=eth0:dhcp:1300", []string{"--supersede", "interface-mtu=1280"}, "127.0.0.1", "", 1280, map[string]string{"supersede 6": "rd.peerdns=0" + atBoot, "prepend 6": inFile(3), "supersede 26": "--supersede"}},
		{"ip=:::::eth0:dhcp:9.9.9.9::192.0.2.123 nameserver=8.8.8.8", nil, "9.9.9.9 8.8.8.8 192.0.2.53", "192.0.2.123 192.0.2.200", 1250,
			map[string]string{"prepend 6": "ip= and nameserver=" + atBoot, "prepend 42": "ip=" + atBoot, "supersede 26": inFile(2), "supersede 42": inFile(2)}},
		{"nameserver=8.8.8.8 rd.peerdns=0", []string{"--supersede", "domain-name-servers=192.0.2.7", "--prepend", "ntp-servers=192.0.2.9"}, "192.0.2.7", "192.0.2.9", 0, map[string]string{"supersede 6": "--supersede", "prepend 42": "--prepend"}},
	} {
		dns, ntp, mtu, by := b.overridden(tc.kernel, append(tc.args, "--config", path)...)
		if words(dns) != tc.dns || words(ntp) != tc.ntp || mtu != tc.mtu || !maps.Equal(by, tc.by) {
			t.Errorf("%q %q: name servers %v, time servers %v, MTU %d, %v", tc.kernel, tc.args, dns, ntp, mtu, by)
		}
	}
}

// What the kernel's command line and the file say may not go together; the link
// is then told of at the end, and nobody waits for it.
func TestAtBootALinkWithSettingsThatContradictIsTold(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1")
	path := file(t, "[link.eth0]\noption = [\"host-name=mine\"]\n")
	r := b.want(2, "eth0: ", "ip=::::other:eth0:dhcp rd.net.timeout.carrier=1", "--config", path)
	if !strings.Contains(r.stderr, "both say what option 12 is") || r.out != "" {
		t.Errorf("%s%s", r.out, r.stderr)
	}
	r = b.want(0, "eth1: bound", "ip=::::other:eth0:dhcp ip=eth1:dhcp", "--config", path)
	if !strings.Contains(r.stderr, "both say what option 12 is") {
		t.Error(r.stderr)
	}
	b.only("eth1")
}

func TestAtBootNothingIsAskedForTwiceOrAgainstAWish(t *testing.T) {
	b := newBootBench(t, "eth0")
	b.want(0, "eth0: bound", "", "--request", "root-path", "--no-request", "nis-domain,100", "--accept-timezone", "always")
	for _, e := range b.servers["eth0"].Log() {
		if e.Message == nil || e.Sent {
			continue
		}
		list, err := dhcp4.ParameterList.Get(e.Message.Options)
		times := map[dhcp4.Code]int{}
		for _, c := range list {
			times[c]++
		}
		if err != nil || times[17] != 1 || times[67] != 1 || times[40] != 0 || times[100] != 0 || times[101] != 1 {
			t.Errorf("%v asks for %v, %v", e.Message.Type(), list, err)
		}
	}
}
