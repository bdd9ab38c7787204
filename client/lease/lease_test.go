package lease

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

var start = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// ack is a DHCPACK with options as people write them.
func ack(t *testing.T, yiaddr string, options ...string) *dhcp4.Message {
	t.Helper()
	m := &dhcp4.Message{Op: dhcp4.OpReply, YIAddr: netip.MustParseAddr(yiaddr)}
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		s, ok := dhcp4.ByName(name)
		if !ok {
			t.Fatalf("no option %q", name)
		}
		b, err := s.Parse(value)
		if err != nil {
			t.Fatal(err)
		}
		m.Options.Put(s.OptionCode(), b)
	}
	return m
}

func TestTimes(t *testing.T) {
	for _, tc := range []struct {
		name, lease, t1, t2 string
		want1, want2        time.Duration
		noted               bool
	}{
		{"E1 the server says nothing", "1h", "", "", 30 * time.Minute, 52*time.Minute + 30*time.Second, false},
		{"the server decides", "1h", "10m", "20m", 10 * time.Minute, 20 * time.Minute, false},
		{"only T1", "1h", "10m", "", 10 * time.Minute, 52*time.Minute + 30*time.Second, false},
		{"only T2", "1h", "", "40m", 30 * time.Minute, 40 * time.Minute, false},
		{"E2 T1 after T2", "1h", "40m", "20m", 30 * time.Minute, 52*time.Minute + 30*time.Second, true},
		{"E2 T2 after the end", "1h", "10m", "2h", 30 * time.Minute, 52*time.Minute + 30*time.Second, true},
		{"E2 T1 is T2", "1h", "10m", "10m", 30 * time.Minute, 52*time.Minute + 30*time.Second, true},
		{"E2 T1 infinite", "1h", "infinite", "20m", 30 * time.Minute, 52*time.Minute + 30*time.Second, true},
		{"E1 68 years", "2147483647", "", "", 2147483647 * time.Second / 2, 1879048191125 * time.Millisecond, false},
		{"E1 136 years", "4294967294", "", "", 2147483647 * time.Second, 3758096382250 * time.Millisecond, false},
		{"E2 T1 after T2 in 136 years", "4294967294", "40m", "20m", 2147483647 * time.Second, 3758096382250 * time.Millisecond, true},
		{"E2 one second", "1s", "", "", 500 * time.Millisecond, 875 * time.Millisecond, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			options := []string{"dhcp-server-identifier=192.0.2.1", "subnet-mask=/24", "dhcp-lease-time=" + tc.lease}
			if tc.t1 != "" {
				options = append(options, "dhcp-renewal-time="+tc.t1)
			}
			if tc.t2 != "" {
				options = append(options, "dhcp-rebinding-time="+tc.t2)
			}
			l, notes, err := FromACK(ack(t, "192.0.2.77", options...), start)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.T1.Sub(start); got != tc.want1 {
				t.Errorf("T1 %v, want %v", got, tc.want1)
			}
			if got := l.T2.Sub(start); got != tc.want2 {
				t.Errorf("T2 %v, want %v", got, tc.want2)
			}
			if (len(notes) > 0) != tc.noted {
				t.Errorf("notes: %v", notes)
			}
			if !l.Valid(l.Expiry.Add(-1)) || l.Valid(l.Expiry) {
				t.Error("it is not valid up to its expiry")
			}
		})
	}
}

func TestC19InfiniteHasNoTimes(t *testing.T) {
	l, _, err := FromACK(ack(t, "192.0.2.77", "dhcp-server-identifier=192.0.2.1", "subnet-mask=/24", "dhcp-lease-time=infinite"), start)
	if err != nil || !l.Infinite() || !l.T1.IsZero() || !l.T2.IsZero() || !l.Valid(start.AddDate(100, 0, 0)) {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestB13MissingMaskComesFromTheClass(t *testing.T) {
	for addr, want := range map[string]int{"10.1.2.3": 8, "172.16.1.2": 16, "192.0.2.77": 24} {
		l, notes, err := FromACK(ack(t, addr, "dhcp-server-identifier=192.0.2.1", "dhcp-lease-time=1h"), start)
		if err != nil || l.Addr.Bits() != want || !l.MaskDerived || len(notes) != 1 {
			t.Errorf("%s: %v, derived %v, notes %v, %v", addr, l.Addr, l.MaskDerived, notes, err)
		}
	}
}

func TestC8C9WhatGrantsNothing(t *testing.T) {
	good := []string{"dhcp-server-identifier=192.0.2.1", "subnet-mask=/24", "dhcp-lease-time=1h"}
	for _, tc := range []struct {
		name, yiaddr string
		options      []string
		why          string
	}{
		{"no server", "192.0.2.77", good[1:], "server identifier"},
		{"a server nowhere", "192.0.2.77", append(good[1:3:3], "dhcp-server-identifier=0.0.0.0"), "no server has"},
		{"a server in 0/8", "192.0.2.77", append(good[1:3:3], "dhcp-server-identifier=0.1.2.3"), "no server has"},
		{"a server everywhere", "192.0.2.77", append(good[1:3:3], "dhcp-server-identifier=255.255.255.255"), "no server has"},
		{"a group of servers", "192.0.2.77", append(good[1:3:3], "dhcp-server-identifier=224.0.0.1"), "no server has"},
		{"a server on this host", "192.0.2.77", append(good[1:3:3], "dhcp-server-identifier=127.0.0.1"), "no server has"},
		{"no lease time", "192.0.2.77", good[:2], "lease time"},
		{"lease time 0", "192.0.2.77", append(good[:2:2], "dhcp-lease-time=0s"), "zero"},
		{"no address", "0.0.0.0", good, "no address"},
		{"0/8", "0.1.2.3", good, "0/8"},
		{"loopback", "127.0.0.1", good, "loopback"},
		{"multicast", "224.0.0.1", good, "multicast"},
		{"reserved", "250.0.0.1", good, "reserved"},
		{"broadcast", "255.255.255.255", good, "reserved"},
		{"the server's own", "192.0.2.1", good, "server's own"},
		{"the subnet's", "192.0.2.0", good, "subnet itself"},
		{"the subnet's broadcast", "192.0.2.255", good, "broadcast address"},
	} {
		if l, _, err := FromACK(ack(t, tc.yiaddr, tc.options...), start); err == nil || !strings.Contains(err.Error(), tc.why) {
			t.Errorf("%s: %+v, %v", tc.name, l, err)
		}
	}
}

// C9; RFC 3021: both addresses of a /31 are hosts'. In clouds a host may be
// alone in its subnet, and its server may even say that it is the host.
func TestC9AddressesOfTheSmallestSubnets(t *testing.T) {
	for _, tc := range []struct {
		addr, server string
		usable       bool
	}{
		{"192.0.2.76/31", "192.0.2.1", true},
		{"192.0.2.77/31", "192.0.2.1", true},
		{"192.0.2.77/31", "192.0.2.77", false},
		{"192.0.2.77/32", "192.0.2.1", true},
		{"192.0.2.77/32", "192.0.2.77", true},
		{"192.0.2.76/30", "192.0.2.1", false},
		{"192.0.2.77/30", "192.0.2.1", true},
		{"192.0.2.79/30", "192.0.2.1", false},
	} {
		why := Unusable(netip.MustParsePrefix(tc.addr), netip.MustParseAddr(tc.server))
		if (why == "") != tc.usable {
			t.Errorf("%s from %s: %q", tc.addr, tc.server, why)
		}
	}
}

func TestMalformedOptionsAreNotedAndSkipped(t *testing.T) {
	m := ack(t, "192.0.2.77", "dhcp-server-identifier=192.0.2.1", "subnet-mask=/24", "dhcp-lease-time=1h", "routers=192.0.2.1")
	m.Options.Put(dhcp4.DNS.Code, []byte{1, 2, 3})
	m.Options.Put(dhcp4.DomainName.Code, []byte("a;b"))
	m.Options.Put(224, []byte{1})
	l, notes, err := FromACK(m, start)
	if err != nil || len(notes) != 2 || l.DNS != nil || l.Domain != "" || len(l.Routers) != 1 {
		t.Errorf("%+v, notes %v, %v", l, notes, err)
	}
	if v, ok := l.Options.Lookup(224); !ok || len(v) != 1 {
		t.Error("B20: an unknown option is lost")
	}
}

func TestF9InformHasNoTimesAndKeepsItsAddress(t *testing.T) {
	p := netip.MustParsePrefix("192.0.2.9/24")
	l, notes := FromInform(ack(t, "192.0.2.77", "dhcp-server-identifier=192.0.2.1", "dhcp-lease-time=1h", "routers=192.0.2.1"), p, start)
	if l.Addr != p || !l.Expiry.IsZero() || len(l.Routers) != 1 || len(notes) != 0 {
		t.Errorf("%+v, %v", l, notes)
	}
}

func TestWhatToBootFrom(t *testing.T) {
	base := []string{"dhcp-server-identifier=192.0.2.1", "subnet-mask=/24", "dhcp-lease-time=1h"}
	for _, tc := range []struct {
		name, siaddr, file, option string
		server                     netip.Addr
		boots                      string
	}{
		{"nothing", "0.0.0.0", "", "", netip.Addr{}, ""},
		{"the fields", "192.0.2.9", "pxe.0", "", netip.MustParseAddr("192.0.2.9"), "pxe.0"},
		{"the option, which wins", "192.0.2.9", "pxe.0", "other.0", netip.MustParseAddr("192.0.2.9"), "other.0"},
	} {
		options := base
		if tc.option != "" {
			options = append(options, "bootfile-name="+tc.option)
		}
		m := ack(t, "192.0.2.77", options...)
		m.SIAddr, m.File = netip.MustParseAddr(tc.siaddr), tc.file
		l, _, err := FromACK(m, start)
		if err != nil || l.NextServer != tc.server || l.BootFile != tc.boots {
			t.Errorf("%s: %v %q, %v", tc.name, l.NextServer, l.BootFile, err)
		}
	}
}
