package netconf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// protoDHCP marks what is ours, on routes (RTPROT_DHCP) and on addresses
// (IFA_PROTO, whose numbers are free above the kernel's own three).
const protoDHCP = unix.RTPROT_DHCP

// netlinkKernel is the real kernel, in the namespace of the calling thread.
//
// It uses the library's functions rather than a netlink.Handle: a Handle in a
// value that is converted to an interface makes the linker keep all its
// methods, which is a megabyte.
type netlinkKernel struct {
	link netlink.Link // as it was when we opened it
}

func openKernel(name string) (kernel, int, error) {
	link, err := netlink.LinkByName(name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		err = ErrNoLink
	}
	if err != nil {
		return nil, 0, err
	}
	return &netlinkKernel{link}, link.Attrs().Index, nil
}

func (k *netlinkKernel) index() int { return k.link.Attrs().Index }

// now asks for the link as it is.
func (k *netlinkKernel) now() (*netlink.LinkAttrs, error) {
	l, err := netlink.LinkByIndex(k.index())
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil, ErrNoLink
	}
	if err != nil {
		return nil, err
	}
	return l.Attrs(), nil
}

func (k *netlinkKernel) mtu() (int, error) {
	a, err := k.now()
	if err != nil {
		return 0, err
	}
	return a.MTU, nil
}

func (k *netlinkKernel) setMTU(mtu int) error { return netlink.LinkSetMTU(k.link, mtu) }

func (k *netlinkKernel) addrs() (out []kernelAddr, err error) {
	list, err := netlink.AddrList(k.link, netlink.FAMILY_V4)
	for _, a := range list {
		ip, ok := netip.AddrFromSlice(a.IP.To4())
		if !ok {
			continue
		}
		bits, _ := a.Mask.Size()
		out = append(out, kernelAddr{netip.PrefixFrom(ip, bits), a.Protocol == protoDHCP, time.Duration(a.ValidLft) * time.Second})
	}
	return out, err
}

// addr builds the library's value anew for each call, because the library
// writes into it.
func addr(a Address, left time.Duration) *netlink.Addr {
	out := &netlink.Addr{
		IPNet:    ipNet(a.Prefix),
		Flags:    unix.IFA_F_NOPREFIXROUTE, // the prefix's route is ours, with our metric
		Protocol: protoDHCP,
	}
	if a.Broadcast.IsValid() {
		out.Broadcast = a.Broadcast.AsSlice()
	}
	if left > 0 { // both zero is for ever
		out.ValidLft, out.PreferedLft = int(left/time.Second), int(left/time.Second)
	}
	return out
}

func (k *netlinkKernel) addAddr(a Address, left time.Duration) error {
	return netlink.AddrAdd(k.link, addr(a, left))
}

func (k *netlinkKernel) replaceAddr(a Address, left time.Duration) error {
	return netlink.AddrReplace(k.link, addr(a, left))
}

// delAddr deletes an address, and nothing else: where it was the first of its
// subnet, the kernel takes all later ones of that subnet away as well (unless
// promote_secondaries is set), and those are put back.
func (k *netlinkKernel) delAddr(p netip.Prefix) error {
	before, err := netlink.AddrList(k.link, netlink.FAMILY_V4)
	if err != nil {
		return err
	}
	if err := netlink.AddrDel(k.link, &netlink.Addr{IPNet: ipNet(p)}); err != nil {
		return err
	}
	var errs []error
	for _, a := range before {
		ip, _ := netip.AddrFromSlice(a.IP.To4())
		if a.Flags&unix.IFA_F_SECONDARY != 0 && ip != p.Addr() && p.Contains(ip) {
			a.Flags &^= unix.IFA_F_SECONDARY | unix.IFA_F_PERMANENT // the kernel's to say
			if err := netlink.AddrAdd(k.link, &a); !errors.Is(err, unix.EEXIST) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

func (k *netlinkKernel) route(r Route) *netlink.Route {
	out := &netlink.Route{
		LinkIndex: k.index(), Dst: ipNet(r.Dest), Src: r.Src.AsSlice(),
		Priority: r.Metric, Protocol: protoDHCP, Table: unix.RT_TABLE_MAIN,
	}
	if r.Gateway.IsValid() {
		out.Gw = r.Gateway.AsSlice()
	} else {
		out.Scope = netlink.SCOPE_LINK
	}
	return out
}

func (k *netlinkKernel) addRoute(r Route) error     { return netlink.RouteAdd(k.route(r)) }
func (k *netlinkKernel) replaceRoute(r Route) error { return netlink.RouteReplace(k.route(r)) }
func (k *netlinkKernel) delRoute(r Route) error     { return netlink.RouteDel(k.route(r)) }

// hasRoute reports whether the kernel has this very route, whoever made it.
func (k *netlinkKernel) hasRoute(r Route) (bool, error) {
	list, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{LinkIndex: k.index(), Dst: ipNet(r.Dest), Table: unix.RT_TABLE_MAIN},
		netlink.RT_FILTER_OIF|netlink.RT_FILTER_DST|netlink.RT_FILTER_TABLE)
	for _, have := range list {
		gw, _ := netip.AddrFromSlice(have.Gw.To4())
		if have.Priority == r.Metric && gw == r.Gateway {
			return true, err
		}
	}
	return false, err
}

func (k *netlinkKernel) up() (was bool, err error) {
	if k.link.Attrs().Flags&net.FlagUp != 0 {
		return true, nil
	}
	return false, netlink.LinkSetUp(k.link)
}

func (k *netlinkKernel) down() error { return netlink.LinkSetDown(k.link) }

// carrierStep is how often waitCarrier looks. A subscription would cost more
// than the usual wait, which is none.
const carrierStep = 20 * time.Millisecond

func (k *netlinkKernel) waitCarrier(ctx context.Context) error {
	if hasCarrier(k.link.Attrs()) {
		return nil
	}
	tick := time.NewTicker(carrierStep)
	defer tick.Stop()
	for {
		a, err := k.now()
		switch {
		case err != nil:
			return err
		case hasCarrier(a):
			return nil
		}
		select {
		case <-ctx.Done():
			if err := context.Cause(ctx); !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return fmt.Errorf("%w: is the cable in, and the other end up? (%w)", ErrNoCarrier, os.ErrDeadlineExceeded)
		case <-tick.C:
		}
	}
}

// hasCarrier reports whether packets can pass. IFF_LOWER_UP alone is not
// enough: a Wi-Fi link that is not yet allowed to send is dormant.
func hasCarrier(a *netlink.LinkAttrs) bool {
	return a.RawFlags&unix.IFF_UP != 0 && a.RawFlags&unix.IFF_RUNNING != 0
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
}
