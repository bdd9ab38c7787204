package main

import (
	"errors"
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
	b.want(0, "a static address is not this program's", "ip=192.0.2.7::192.0.2.1:255.255.255.0::eth0:off")
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
	if took := time.Since(began); took > 20*time.Second {
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
