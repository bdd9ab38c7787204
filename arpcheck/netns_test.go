package arpcheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lessee/lessee/client/nettest"
	"golang.org/x/sys/unix"
)

// The tests of this file let real kernels speak, in namespaces of their own: a
// is this host, b the rest of the world. They measure real time, so they only
// check bounds that a busy machine keeps, too.

// twoHosts returns two hosts with a cable between a0 and b0.
func twoHosts(t *testing.T) (a, b *nettest.Machine) {
	t.Helper()
	n := nettest.New(t)
	a, b = n.Host("a"), n.Host("b")
	n.Connect(a, "a0", b, "b0")
	return a, b
}

// ip runs ip(8) in h for each line of commands.
func ip(t *testing.T, h *nettest.Machine, commands ...string) {
	t.Helper()
	if err := h.Do(func() error { return ipHere(commands...) }); err != nil {
		t.Error(err)
	}
}

// ipHere does the same in the namespace of the current thread.
func ipHere(commands ...string) error {
	for _, line := range commands {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %s", line, bytes.TrimSpace(out))
		}
	}
	return nil
}

// carried waits, in the namespace of the current thread, until a link can send.
func carried(t *testing.T, name string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		ifi, err := net.InterfaceByName(name)
		if err == nil && ifi.Flags&net.FlagRunning != 0 {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%s has no carrier: %v", name, err)
			return
		}
	}
}

// with calls f with a Checker for the interface name of h, inside of h.
func with(t *testing.T, h *nettest.Machine, name string, cfg Config, f func(*Checker) error) {
	t.Helper()
	err := h.Do(func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		c, err := New(ifi, cfg)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		return f(c)
	})
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// probe probes addr from the interface name of h.
func probe(t *testing.T, h *nettest.Machine, name string, cfg Config) (holder net.HardwareAddr, took time.Duration, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	with(t, h, name, cfg, func(c *Checker) error {
		start := time.Now()
		holder, err = c.Probe(ctx, addr)
		took = time.Since(start)
		return nil
	})
	return holder, took, err
}

// macOf returns the hardware address of an interface of h.
func macOf(t *testing.T, h *nettest.Machine, name string) net.HardwareAddr {
	t.Helper()
	var mac net.HardwareAddr
	err := h.Do(func() error {
		ifi, err := net.InterfaceByName(name)
		if err == nil {
			mac = ifi.HardwareAddr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return mac
}

func TestSquatterIsFoundAtOnce(t *testing.T) {
	a, b := twoHosts(t)
	ip(t, b, "addr add 192.0.2.7/24 dev b0")
	for _, mode := range []Mode{Fast, RFC5227} {
		probes := 0
		cfg := Config{Mode: mode, Tap: func(f Frame) {
			if f.Sent {
				probes++
			}
		}}
		want := macOf(t, b, "b0")
		with(t, a, "a0", cfg, func(c *Checker) error {
			holder, err := c.Probe(t.Context(), addr)
			if !bytes.Equal(holder, want) {
				t.Errorf("%v: %v, want holder %v", mode, holder, want)
			}
			return err
		})
		// The second of Fast is due after 60 ms, which a busy machine may
		// need to run us at all; that of RFC5227 not before a second.
		if mode == RFC5227 && probes != 1 || probes > 3 {
			t.Errorf("%v: the conflict was found after %d probes, want 1", mode, probes)
		}
	}
}

// The answer waits in the socket while this host does something else.
func TestSquatterIsFoundHoweverLateTheAnswerIsLookedAt(t *testing.T) {
	a, b := twoHosts(t)
	ip(t, b, "addr add 192.0.2.7/24 dev b0")
	var stalled time.Duration
	cfg := Config{Now: func() time.Time { return time.Now().Add(stalled) }}
	cfg.Tap = func(f Frame) {
		if f.Sent {
			stalled += time.Minute
		}
	}
	holder, _, err := probe(t, a, "a0", cfg)
	if want := macOf(t, b, "b0"); !bytes.Equal(holder, want) || err != nil {
		t.Errorf("%v, %v; want holder %v", holder, err, want)
	}
}

func TestNobodyThereIsFree(t *testing.T) {
	a, b := twoHosts(t)
	ip(t, b, "addr add 192.0.2.8/24 dev b0")
	holder, took, err := probe(t, a, "a0", Config{})
	if holder != nil || err != nil {
		t.Errorf("%v, %v; want free", holder, err)
	}
	if took < 200*time.Millisecond { // that it is no longer is for virtual time to show
		t.Errorf("took %v, want no less than 200 ms", took)
	}
	t.Logf("free after %v", took)
}

// Linux answers probes for addresses of its own only, even as a proxy.
func TestKernelProxyIsNoHolder(t *testing.T) {
	a, b := twoHosts(t)
	proxyFor(t, b)
	if holder, _, err := probe(t, a, "a0", Config{}); holder != nil || err != nil {
		t.Errorf("%v, %v; want free", holder, err)
	}
}

// proxyFor lets b answer for all the world.
func proxyFor(t *testing.T, b *nettest.Machine) {
	t.Helper()
	ip(t, b, "link add far type veth peer name farther", "link set far up", "link set farther up", "addr add 198.51.100.1/24 dev far",
		"route add 192.0.2.0/24 dev far", "addr add 203.0.113.1/24 dev b0")
	write := "cd /proc/sys/net/ipv4; echo 1 > ip_forward; echo 1 > conf/b0/proxy_arp; echo 0 > neigh/b0/proxy_delay; for f in conf/*/rp_filter; do echo 0 > $f; done"
	if err := b.Do(func() error { return exec.Command("sh", "-c", write).Run() }); err != nil {
		t.Fatalf("sysctl: %v", err)
	}
}

// K5: who hears the other's probe keeps off.
func TestOfTwoHostsThatProbeTogetherAtMostOneGetsTheAddress(t *testing.T) {
	a, b := twoHosts(t)
	macs := map[string]net.HardwareAddr{"a0": macOf(t, b, "b0"), "b0": macOf(t, a, "a0")} // the other one's
	for range 3 {
		conflicts := make(chan bool, 2)
		var begun sync.WaitGroup
		begun.Add(2)
		for h, name := range map[*nettest.Machine]string{a: "a0", b: "b0"} {
			go func() {
				begin := sync.OnceFunc(begun.Done)
				holder, _, err := probe(t, h, name, afterProbe(func() { // neither is done before both have begun
					begin()
					begun.Wait()
				}))
				begin() // or heard the other one before it said a word
				if err != nil || holder != nil && !bytes.Equal(holder, macs[name]) {
					t.Errorf("%s: %v, %v; want free or a conflict with %v", name, holder, err, macs[name])
				}
				conflicts <- holder != nil
			}()
		}
		if one, two := <-conflicts, <-conflicts; !one && !two {
			t.Error("the address is free for both")
		}
	}
}

// K6: this host answers by another of its interfaces on the same link.
func TestK6OwnMacvlanIsNoHolder(t *testing.T) {
	a, _ := twoHosts(t)
	ip(t, a, "link add m1 link a0 type macvlan mode bridge", "link set m1 up",
		"link add m2 link a0 type macvlan mode bridge", "link set m2 up", "addr add 192.0.2.7/24 dev m2")
	heard := 0
	holder, _, err := probe(t, a, "m1", Config{Tap: func(f Frame) {
		if !f.Sent {
			heard++
		}
	}})
	if holder != nil || err != nil {
		t.Errorf("%v, %v; want free", holder, err)
	}
	if heard != 3 {
		t.Errorf("heard %d answers of m2, want 3: this test shows nothing", heard)
	}
}

func TestLinkThatIsDownIsAnErrorAndNotFree(t *testing.T) {
	a, _ := twoHosts(t)
	ip(t, a, "link set a0 down")
	holder, took, err := probe(t, a, "a0", Config{})
	if holder != nil || !errors.Is(err, unix.ENETDOWN) {
		t.Errorf("%v, %v; want ENETDOWN", holder, err)
	}
	if took < 200*time.Millisecond {
		t.Errorf("gave up after %v, want the schedule to go on", took)
	}
}

func TestLinkThatGoesDownAndUpIsProbedOn(t *testing.T) {
	a, b := twoHosts(t)
	// The squatter comes with the link.
	holder, _, err := probe(t, a, "a0", afterProbe(func() {
		ip(t, b, "link set b0 down", "link set b0 up", "addr add 192.0.2.7/24 dev b0")
		carried(t, "a0") // the kernel tells a0 beside us, and what is sent before is lost
	}))
	if want := macOf(t, b, "b0"); !bytes.Equal(holder, want) || err != nil {
		t.Errorf("%v, %v; want holder %v", holder, err, want)
	}
	ip(t, b, "addr del 192.0.2.7/24 dev b0")
	holder, took, err := probe(t, a, "a0", afterProbe(func() {
		if err := ipHere("link set a0 down"); err != nil {
			t.Error(err)
		}
	}))
	if holder != nil || err != nil || took < 200*time.Millisecond {
		t.Errorf("%v, %v after %v; want free, as one probe was sent", holder, err, took)
	}
}

func TestInterfaceDeletedWhileProbing(t *testing.T) {
	a, b := twoHosts(t)
	holder, took, err := probe(t, a, "a0", afterProbe(func() { ip(t, b, "link del b0") }))
	if holder != nil || !errors.Is(err, unix.ENXIO) {
		t.Errorf("%v, %v; want ENXIO", holder, err)
	}
	t.Logf("noticed after %v", took)
}

// K16.
func TestK16LinksWithoutARP(t *testing.T) {
	a, _ := twoHosts(t)
	ip(t, a, "link set a0 arp off")
	for _, name := range []string{"a0", "lo"} {
		sent := false
		holder, _, err := probe(t, a, name, afterProbe(func() { sent = true }))
		if holder != nil || !errors.Is(err, ErrNoARP) || sent {
			t.Errorf("%s: %v, %v, sent: %v; want ErrNoARP at once", name, holder, err, sent)
		}
	}
}
