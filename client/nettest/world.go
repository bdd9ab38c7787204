package nettest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A World is a set of hosts. It is not safe for concurrent use.
type World struct {
	hosts []*Host
}

// NewWorld returns an empty world, or says why this process may not make one.
func NewWorld() (*World, error) {
	w := &World{}
	h, err := w.Host("probe")
	if err != nil {
		return nil, err
	}
	h.close()
	w.hosts = nil
	return w, nil
}

// Close takes all hosts away, with everything between them.
func (w *World) Close() {
	for _, h := range w.hosts {
		h.close()
	}
	w.hosts = nil
}

// A Host is a network namespace with a thread in it.
type Host struct {
	Name  string
	ns    netns.NsHandle
	tasks chan func()
	gone  chan struct{} // closed when the thread has ended
}

// Host adds a host whose only link is lo, which is up. IPv6 is off, so that
// captures hold what the test is about.
func (w *World) Host(name string) (*Host, error) {
	h := &Host{Name: name, tasks: make(chan func()), gone: make(chan struct{})}
	ready := make(chan error)
	go h.live(ready)
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("make a network namespace: %w (CAP_SYS_ADMIN or a user namespace is needed)", err)
	}
	w.hosts = append(w.hosts, h)
	return h, errors.Join(h.Do(noIPv6), h.SetUp("lo"))
}

// live is the host's thread. It is never unlocked, so that it ends with its
// namespace.
func (h *Host) live(ready chan<- error) {
	defer close(h.gone)
	runtime.LockOSThread()
	err := unix.Unshare(unix.CLONE_NEWNET)
	if err == nil {
		h.ns, err = netns.Get()
	}
	ready <- err
	if err != nil {
		return
	}
	defer h.ns.Close()
	for task := range h.tasks {
		task()
	}
}

// noIPv6 keeps router solicitations and the like out of captures, where the
// kernel has IPv6 at all.
func noIPv6() error {
	for _, which := range []string{"all", "default"} {
		err := os.WriteFile("/proc/sys/net/ipv6/conf/"+which+"/disable_ipv6", []byte("1"), 0)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (h *Host) close() { close(h.tasks) }

// Do runs f in the host's namespace and returns its error. It must not be
// called from within itself. It runs on a goroutine of the host, so f must not
// end the test there: that would end the host, and every later Do fails.
func (h *Host) Do(f func() error) error {
	done := make(chan error, 1)
	var err error
	select {
	case h.tasks <- func() { done <- f() }:
		select {
		case err = <-done:
		case <-h.gone:
			err = errEnded
		}
	case <-h.gone:
		err = errEnded
	}
	if err != nil {
		return fmt.Errorf("on host %s: %w", h.Name, err)
	}
	return nil
}

var errEnded = errors.New("its thread has ended (was the test ended on it, by Fatal or FailNow?)")

// Start starts a command in the host's namespace.
func (h *Host) Start(cmd *exec.Cmd) error { return h.Do(cmd.Start) }

// Connect lays a cable between two hosts; its ends are links of the given
// names, up, and have a carrier: what is sent from now on arrives.
func (w *World) Connect(a *Host, ifA string, b *Host, ifB string) error {
	err := a.Do(func() error { return newCable(ifA, ifB, int(b.ns)) })
	if err = errors.Join(err, a.SetUp(ifA), b.SetUp(ifB)); err != nil {
		return err
	}
	return errors.Join(a.Carry(ifA), b.Carry(ifB))
}

// Bridge makes a bridge of the given name on h, with one port for each host,
// whose end of the cable is its eth0. Ports are named after the hosts.
func (w *World) Bridge(h *Host, name string, hosts ...*Host) error {
	err := h.Do(func() error { return newBridge(name) })
	if err = errors.Join(err, h.SetUp(name)); err != nil {
		return err
	}
	for _, peer := range hosts {
		if err := w.Plug(h, name, peer); err != nil {
			return err
		}
	}
	return nil
}

// Plug connects one more host to a bridge on h, by its eth0.
func (w *World) Plug(h *Host, bridge string, peer *Host) error {
	if err := w.Connect(h, peer.Name, peer, "eth0"); err != nil {
		return err
	}
	return h.onLink(peer.Name, func(l netlink.Link) error {
		b, err := netlink.LinkByName(bridge)
		if err != nil {
			return err
		}
		return netlink.LinkSetMaster(l, b)
	})
}

func (h *Host) onLink(name string, f func(netlink.Link) error) error {
	return h.Do(func() error {
		l, err := netlink.LinkByName(name)
		if err != nil {
			return fmt.Errorf("link %s: %w", name, err)
		}
		return f(l)
	})
}

// SetUp sets a link up.
func (h *Host) SetUp(link string) error { return h.onLink(link, netlink.LinkSetUp) }

// SetDown sets a link down. The other end of its cable loses its carrier.
func (h *Host) SetDown(link string) error { return h.onLink(link, netlink.LinkSetDown) }

// Remove deletes a link, and with it the other end of its cable.
func (h *Host) Remove(link string) error { return h.onLink(link, netlink.LinkDel) }

// SetMTU sets a link's MTU, in bytes.
func (h *Host) SetMTU(link string, mtu int) error {
	return h.onLink(link, func(l netlink.Link) error { return netlink.LinkSetMTU(l, mtu) })
}

// SetHardwareAddr gives a link another hardware address.
func (h *Host) SetHardwareAddr(link string, a net.HardwareAddr) error {
	return h.onLink(link, func(l netlink.Link) error { return netlink.LinkSetHardwareAddr(l, a) })
}

// AddAddr gives a link an address, for ever, as an operator would.
func (h *Host) AddAddr(link string, p netip.Prefix) error {
	return h.onLink(link, func(l netlink.Link) error {
		return netlink.AddrAdd(l, &netlink.Addr{IPNet: ipNet(p)})
	})
}

// AddRoute adds a route by a gateway, as an operator would.
func (h *Host) AddRoute(dest netip.Prefix, gateway netip.Addr) error {
	return h.Do(func() error {
		return netlink.RouteAdd(&netlink.Route{Dst: ipNet(dest), Gw: gateway.AsSlice()})
	})
}

// Interface returns a link as package net knows it.
func (h *Host) Interface(link string) (ifi *net.Interface, err error) {
	err = h.Do(func() error {
		ifi, err = net.InterfaceByName(link)
		return err
	})
	return ifi, err
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
