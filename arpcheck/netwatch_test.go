package arpcheck

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/nettest"
	"github.com/mdlayher/arp"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// onRaw calls f with a socket on an interface of h that hears and sends whole
// ARP frames.
func onRaw(t *testing.T, h *nettest.Machine, name string, f func(*packet.Conn) error) {
	t.Helper()
	err := h.Do(func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		p, err := packet.Listen(ifi, packet.Raw, unix.ETH_P_ARP, nil)
		if err != nil {
			return err
		}
		defer func() { _ = p.Close() }()
		return f(p)
	})
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// frame returns an Ethernet frame with an ARP packet.
func frame(dst, src net.HardwareAddr, arp []byte) []byte {
	return append(append(append(append([]byte(nil), dst...), src...), 0x08, 0x06), arp...)
}

// K4, K9: what a neighbour sees of an address that is taken.
func TestK4K9FramesOnTheLink(t *testing.T) {
	a, b := twoHosts(t)
	mac := macOf(t, a, "a0")
	var got []string
	onRaw(t, b, "b0", func(p *packet.Conn) error {
		with(t, a, "a0", Config{}, func(c *Checker) error {
			if holder, err := c.Probe(t.Context(), addr); holder != nil || err != nil {
				t.Errorf("probe: %v, %v", holder, err)
			}
			return c.Announce(t.Context(), addr)
		})
		last := frame(everybody.HardwareAddr, mac, marshalARP(t, probePacket(mac, other)))
		onRaw(t, a, "a0", func(p *packet.Conn) error { _, err := p.WriteTo(last, &everybody); return err })
		if err := p.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		for buf := make([]byte, 1500); ; {
			n, _, err := p.ReadFrom(buf)
			if err != nil || bytes.Equal(buf[:n], last) {
				return err
			}
			got = append(got, hex.EncodeToString(buf[:n]))
		}
	})
	m := hex.EncodeToString(mac)
	head := "ffffffffffff" + m + "0806" + "0001" + "0800" + "06" + "04" + "0001" + m
	probe := head + "00000000" + "000000000000" + "c0000207"
	claim := head + "c0000207" + "000000000000" + "c0000207"
	want := []string{probe, probe, probe, claim, claim}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// broadcast sends ARP packets from b0 of b, each in a frame of its sender.
func broadcast(t *testing.T, b *nettest.Machine, packets ...*arp.Packet) {
	t.Helper()
	var frames [][]byte
	for _, p := range packets {
		frames = append(frames, frame(everybody.HardwareAddr, p.SenderHardwareAddr, marshalARP(t, p)))
	}
	sendRaw(t, b, frames...)
}

func sendRaw(t *testing.T, b *nettest.Machine, frames ...[]byte) {
	t.Helper()
	onRaw(t, b, "b0", func(p *packet.Conn) error {
		for _, f := range frames {
			if _, err := p.WriteTo(f, &everybody); err != nil {
				return err
			}
		}
		return nil
	})
}

// afterProbe returns a Config that calls f after the first probe.
func afterProbe(f func()) Config {
	done := false
	return Config{Tap: func(fr Frame) {
		if fr.Sent && !done {
			done = true
			f()
		}
	}}
}

// K15: each frame that is no conflict is followed by one that is, from somebody
// else: whoever is named shows which one counted.
func TestK15FramesThatAreNoConflictWhileProbing(t *testing.T) {
	a, b := twoHosts(t)
	mac := macOf(t, a, "a0")
	toUs := frame(mac, them, marshalARP(t, probePacket(them, addr)))
	vlan := func(id byte, p *arp.Packet) []byte {
		f := frame(everybody.HardwareAddr, p.SenderHardwareAddr, marshalARP(t, p))
		return append(append(append([]byte(nil), f[:12]...), 0x81, 0, 0, id), f[12:]...)
	}
	for name, f := range map[string][]byte{
		"probe to this host alone":          toUs,
		"announcement on VLAN 10":           vlan(10, announcement(them, addr)),
		"broadcast probe from nobody":       frame(everybody.HardwareAddr, them, marshalARP(t, probePacket(zeroMAC, addr))),
		"announcement of another address":   frame(everybody.HardwareAddr, them, marshalARP(t, announcement(them, other))),
		"broadcast reply in the same frame": frame(everybody.HardwareAddr, them, marshalARP(t, makeARP(arp.OperationReply, them, other, us, addr))),
	} {
		holder, _, err := probe(t, a, "a0", afterProbe(func() {
			sendRaw(t, b, f)
			broadcast(t, b, probePacket(third, addr))
		}))
		if !bytes.Equal(holder, third) || err != nil {
			t.Errorf("%s: %v, %v; want it passed over", name, holder, err)
		}
	}
	holder, _, err := probe(t, a, "a0", afterProbe(func() { sendRaw(t, b, vlan(0, announcement(them, addr))) }))
	if !bytes.Equal(holder, them) || err != nil {
		t.Errorf("announcement with priority tag: %v, %v; want a conflict", holder, err)
	}
}

// patience bounds what should come at once.
const patience = 20 * time.Second

// watch announces addr on a0 of a, calls f, and watches until addr is lost. What f sends waits for Watch, so nothing here depends on its speed.
func watch(t *testing.T, a *nettest.Machine, cfg Config, f func()) (holder net.HardwareAddr) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	with(t, a, "a0", cfg, func(c *Checker) (err error) {
		if err := c.Announce(ctx, addr); err != nil {
			return err
		}
		f()
		holder, err = c.Watch(ctx, addr)
		return err
	})
	return holder
}

func TestK11DefendedOnTheLinkAndGivenIn(t *testing.T) {
	a, b := twoHosts(t)
	sent := 0
	cfg := Config{Tap: func(f Frame) {
		if f.Sent {
			sent++
		}
	}}
	holder := watch(t, a, cfg, func() {
		with(t, b, "b0", Config{Mode: Off}, func(c *Checker) error { return c.Announce(t.Context(), addr) })
	})
	if want := macOf(t, b, "b0"); !bytes.Equal(holder, want) {
		t.Errorf("gave in to %v, want %v", holder, want)
	}
	if sent != 3 {
		t.Errorf("sent %d announcements, want 2 and a defence", sent)
	}
}

func TestK15ProbesForAnAddressInUseAreNoConflict(t *testing.T) {
	a, b := twoHosts(t)
	holder := watch(t, a, Config{Defence: DefendNever}, func() {
		broadcast(t, b, probePacket(them, addr), probePacket(them, addr), request(them, other, addr), announcement(third, addr))
	})
	if !bytes.Equal(holder, third) {
		t.Errorf("gave in to %v, want %v", holder, third)
	}
}

func TestK15KernelProxyAnsweringOurAnnouncementsIsNoConflict(t *testing.T) {
	a, b := twoHosts(t)
	proxyFor(t, b)
	proxy, answers := macOf(t, b, "b0"), 0
	cfg := Config{Defence: DefendNever, Tap: func(f Frame) {
		if !f.Sent && bytes.Equal(f.Peer, proxy) {
			answers++
		}
	}}
	holder := watch(t, a, cfg, func() { broadcast(t, b, announcement(third, addr)) })
	if !bytes.Equal(holder, third) {
		t.Errorf("gave in to %v, want %v", holder, third)
	}
	if answers == 0 {
		t.Error("the proxy did not answer: this test shows nothing")
	}
}

// A watcher is not woken by neighbours that ask for its address.
func TestWatchSleepsWhileNeighboursAsk(t *testing.T) {
	a, b := twoHosts(t)
	heard := 0
	cfg := Config{Defence: DefendNever, Tap: func(f Frame) {
		if !f.Sent {
			heard++
		}
	}}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	with(t, a, "a0", cfg, func(c *Checker) error {
		if err := c.Guard(addr); err != nil {
			return err
		}
		broadcast(t, b, request(them, other, addr), probePacket(them, addr), announcement(third, addr))
		for {
			select {
			case <-c.Heard():
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			if holder, err := c.Check(); holder != nil || err != nil {
				return err
			}
		}
	})
	if heard != 1 {
		t.Errorf("heard %d packets, want only the announcement", heard)
	}
}

func TestWithoutCapabilityTheErrorNamesIt(t *testing.T) {
	a, _ := twoHosts(t)
	with(t, a, "a0", Config{}, func(c *Checker) error {
		restore, err := dropNetRaw()
		if err != nil {
			return err
		}
		_, err = c.Probe(t.Context(), addr)
		if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_RAW") {
			t.Errorf("%v, want a permission error that names CAP_NET_RAW", err)
		}
		return restore()
	})
}

// dropNetRaw takes CAP_NET_RAW from the current thread until restore.
func dropNetRaw() (restore func() error, err error) {
	runtime.LockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var old [2]unix.CapUserData
	if err := unix.Capget(&header, &old[0]); err != nil {
		return nil, err
	}
	less := old
	less[0].Effective &^= 1 << unix.CAP_NET_RAW
	if err := unix.Capset(&header, &less[0]); err != nil {
		return nil, err
	}
	return func() error {
		defer runtime.UnlockOSThread()
		return unix.Capset(&header, &old[0])
	}, nil
}
