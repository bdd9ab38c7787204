package netconf

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/nettest"
)

// twoLinks is a host with two links on one network, and a peer there.
func twoLinks(t *testing.T) *rig {
	r := newRig(t)
	bridge := r.net.Host("switch")
	r.must(r.m.Remove("eth0"))
	r.net.Connect(r.m, "eth0", bridge, "port0")
	r.net.Connect(r.m, "eth1", bridge, "port1")
	r.net.Connect(r.peer, "eth0", bridge, "port2")
	r.peer.Addr("eth0", "192.0.2.1/24")
	for _, line := range []string{"link add br0 type bridge", "link set br0 up", "link set port0 master br0", "link set port1 master br0", "link set port2 master br0"} {
		out, err := ipOn(bridge, strings.Fields(line)...)
		if err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
	return r
}

func (r *rig) openLink(link string, o Options) (h *Host) {
	r.t.Helper()
	r.m.Must(func() (err error) {
		h, err = Open(link, r.config(o))
		return err
	})
	return h
}

func leaseOf(addr string) lease.Lease {
	return testLease(func(l *lease.Lease) { l.Addr = netip.MustParsePrefix(addr) })
}

// answers lets the peer knock at an address, and returns which of the host's
// links answered ARP for it, and sent the refusal.
func (r *rig) answers(c *nettest.Capture, addr string) (arp, ip []string) {
	r.t.Helper()
	if out, err := ipOn(r.peer, "neighbour", "flush", "all"); err != nil {
		r.t.Fatalf("%v: %s", err, out)
	}
	seen := len(c.Frames())
	r.peer.Must(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := new(net.Dialer).DialContext(ctx, "tcp4", addr+":9")
		if !errors.Is(err, unix.ECONNREFUSED) {
			return err
		}
		return nil
	})
	want := netip.MustParseAddr(addr)
	isARP := func(f nettest.Frame) bool {
		op, sender, _, ok := f.ARP()
		return ok && op == 2 && sender == want
	}
	isIP := func(f nettest.Frame) bool {
		return f.EtherType() == 0x0800 && netip.AddrFrom4([4]byte(f.Data[26:30])) == want
	}
	fresh := func(is func(nettest.Frame) bool) func(nettest.Frame) bool {
		return func(f nettest.Frame) bool { return is(f) && slices.IndexFunc(c.Frames()[seen:], is) >= 0 }
	}
	c.Wait(time.Minute, fresh(isIP))
	for _, link := range []string{"eth0", "eth1"} {
		ifi, err := r.m.Interface(link)
		r.must(err)
		for _, f := range c.Frames()[seen:] {
			switch from := slices.Equal(f.Src(), ifi.HardwareAddr); {
			case from && isARP(f) && !slices.Contains(arp, link):
				arp = append(arp, link)
			case from && isIP(f) && !slices.Contains(ip, link):
				ip = append(ip, link)
			}
		}
	}
	return arp, ip
}

func TestOfTwoLinksOnOneSubnetEachAnswersForItself(t *testing.T) {
	r := twoLinks(t)
	before := r.full()
	o := Options{Metric: AutoMetric, SourceRouting: SourceOff}
	a, b := r.openLink("eth0", o), r.openLink("eth1", o)
	la, lb := leaseOf("192.0.2.77/24"), leaseOf("192.0.2.78/24")
	r.must(errors.Join(r.apply(a, la), r.apply(b, lb)))
	c := r.peer.Hear("eth0")
	if _, ip := r.answers(c, "192.0.2.78"); !slices.Equal(ip, []string{"eth0"}) {
		t.Errorf("without source routing %q answered for the second link: this test shows nothing", ip)
	}

	o.SourceRouting = SourceAuto
	a, b = r.openLink("eth0", o), r.openLink("eth1", o)
	r.must(errors.Join(r.apply(a, la), r.apply(b, lb)))
	for _, tc := range []struct{ addr, link string }{{"192.0.2.77", "eth0"}, {"192.0.2.78", "eth1"}, {"192.0.2.77", "eth0"}} {
		arp, ip := r.answers(c, tc.addr)
		if !slices.Equal(arp, []string{tc.link}) || !slices.Equal(ip, []string{tc.link}) {
			t.Errorf("%s: ARP was answered by %q, packets by %q, want both by %s", tc.addr, arp, ip, tc.link)
		}
	}
	applied := r.full()
	r.must(errors.Join(r.apply(a, la), r.apply(b, lb)))
	r.isFull("applied again", applied)

	// One goes, and with it the other's reason.
	r.withdraw(b, lb)
	r.must(r.apply(a, la))
	if now := r.full(); strings.Contains(now, "lookup 68") || strings.Contains(now, "eth0/arp_filter") {
		t.Errorf("still there:\n%s", now)
	}
	r.withdraw(a, la)
	r.isFull("withdrawn", before)
	r.tidy("in the end")
}

func TestSourceRoutingUsesNoNumbersOfTheOperators(t *testing.T) {
	r := newRig(t)
	ifi, err := r.m.Interface("eth0")
	r.must(err)
	table, priority := sourceTables+ifi.Index, sourcePriorities+ifi.Index
	r.m.Addr("eth0", "203.0.113.5/24")
	r.mustIP(
		"route add 172.20.0.0/16 via 203.0.113.1 table "+itoa(table),
		"rule add from 203.0.113.5 lookup "+itoa(table+sourceStride)+" priority 100",
		"rule add from 203.0.113.5 lookup 7 priority "+itoa(priority),
	)
	before := r.full()
	h := r.open(Options{SourceRouting: SourceOn})
	r.must(r.apply(h, testLease(nil)))
	want := "from 192.0.2.77 lookup " + itoa(table+2*sourceStride) + " proto dhcp"
	if now := r.full(); !strings.Contains(now, itoa(priority+1)+":\t"+want) {
		t.Errorf("no rule %q:\n%s", want, now)
	}
	// The operator takes the number that we have: we go elsewhere.
	r.mustIP("rule add from 203.0.113.6 lookup " + itoa(table+2*sourceStride) + " priority 101")
	r.must(r.apply(h, testLease(nil)))
	if now := r.full(); !strings.Contains(now, "lookup "+itoa(table+3*sourceStride)+" proto dhcp") || strings.Contains(now, want) {
		t.Errorf("still in the operator's table:\n%s", now)
	}
	r.withdraw(h, lease.Lease{})
	r.mustIP("rule del priority 101")
	r.isFull("withdrawn", before)
}

func TestSourceRoutingIsUndoneByWhoeverComesNext(t *testing.T) {
	for name, lost := range map[string]func(*rig) error{
		"with the record":    func(*rig) error { return nil },
		"without the record": func(r *rig) error { return os.RemoveAll(filepath.Join(r.dir, "run")) },
		"after the kernel has ended the address": func(r *rig) error {
			_, err := r.ip("address", "flush", "dev", "eth0")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.m.Addr("eth0", "203.0.113.5/24")
			r.mustIP("address del 203.0.113.5/24 dev eth0")
			before := r.full()
			r.must(r.apply(r.open(Options{SourceRouting: SourceOn}), testLease(nil)))
			r.must(lost(r))
			h := r.open(Options{})
			if !r.leftover(h) {
				t.Error("nobody knows that something is left")
			}
			r.withdraw(h, lease.Lease{})
			after := r.full()
			if strings.HasPrefix(name, "without") { // what stood there before is lost with the record
				r.mustSysctl("eth0", "arp_filter", "0")
				after = strings.ReplaceAll(r.full(), "nameserver 192.0.2.53\n", operators)
			}
			if after != before {
				t.Errorf("withdrawn:\n%s", difference(before, after))
			}
		})
	}
}

func TestRulesOfALinkThatIsGoneAreTakenAway(t *testing.T) {
	for name, forget := range map[string]func(*rig, *Host) error{
		"by its host":    func(r *rig, h *Host) error { return h.Withdraw(t.Context(), lease.Lease{}) },
		"by another one": func(r *rig, _ *Host) error { return Forget("eth0", r.config(Options{})) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			h := r.open(Options{SourceRouting: SourceOn})
			r.must(r.apply(h, testLease(nil)))
			r.must(r.m.Remove("eth0"))
			if !strings.Contains(r.full(), "from 192.0.2.77") {
				t.Fatal("the kernel took the rule away itself")
			}
			r.m.Must(func() error { return forget(r, h) })
			if now := r.full(); strings.Contains(now, "from 192.0.2.77") {
				t.Errorf("the rule is there still:\n%s", now)
			}
			r.tidy("in the end")
		})
	}
}

func TestTheOperatorsLaterSysctlStays(t *testing.T) {
	r := newRig(t)
	h := r.open(Options{SourceRouting: SourceOn})
	r.must(r.apply(h, testLease(nil)))
	r.mustSysctl("eth0", "arp_filter", "0")
	r.withdraw(h, lease.Lease{})
	r.mustSysctl("eth0", "arp_filter", "1")
	before := r.full()
	r.must(r.apply(h, testLease(nil)))
	r.withdraw(h, lease.Lease{})
	r.isFull("it was set before", before)
}

// mustSysctl is the operator who sets a parameter.
func (r *rig) mustSysctl(link, name, value string) {
	r.t.Helper()
	r.m.Must(func() error {
		return os.WriteFile("/proc/sys/net/ipv4/conf/"+link+"/"+name, []byte(value), 0)
	})
}

func itoa(n int) string { return strconv.Itoa(n) }
