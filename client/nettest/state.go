package nettest

import (
	"fmt"
	"net/netip"
	"sort"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An Addr is an address on a link as the kernel has it.
type Addr struct {
	Prefix           netip.Prefix
	Valid, Preferred time.Duration // 0: for ever
	Proto            int           // IFA_PROTO
	Flags            int           // IFA_F_*
}

// Addrs returns the IPv4 addresses of a link.
func (h *Host) Addrs(link string) (out []Addr, err error) {
	err = h.onLink(link, func(l netlink.Link) error {
		list, err := netlink.AddrList(l, netlink.FAMILY_V4)
		for _, a := range list {
			ip, _ := netip.AddrFromSlice(a.IP.To4())
			bits, _ := a.Mask.Size()
			out = append(out, Addr{
				Prefix: netip.PrefixFrom(ip, bits), Valid: lifetime(a.ValidLft), Preferred: lifetime(a.PreferedLft),
				Proto: a.Protocol, Flags: a.Flags,
			})
		}
		return err
	})
	return out, err
}

// lifetime is the kernel's number of seconds; all ones is for ever.
func lifetime(seconds int) time.Duration {
	if uint32(seconds) == 0xffffffff {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// Routes returns the IPv4 routes of the main table, one a line as `ip route`
// would, in a fixed order.
func (h *Host) Routes() (out []string, err error) {
	err = h.Do(func() error {
		list, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
		for _, r := range list {
			text, err := routeText(r)
			if err != nil {
				return err
			}
			out = append(out, text)
		}
		return err
	})
	sort.Strings(out)
	return out, err
}

func routeText(r netlink.Route) (string, error) {
	var b strings.Builder
	b.WriteString("default")
	if r.Dst != nil && r.Dst.String() != "0.0.0.0/0" {
		b.Reset()
		b.WriteString(r.Dst.String())
	}
	if r.Gw != nil {
		fmt.Fprintf(&b, " via %v", r.Gw)
	}
	l, err := netlink.LinkByIndex(r.LinkIndex)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, " dev %s proto %v", l.Attrs().Name, r.Protocol)
	if r.Scope == netlink.SCOPE_LINK {
		b.WriteString(" scope link")
	}
	if r.Src != nil {
		fmt.Fprintf(&b, " src %v", r.Src)
	}
	if r.Priority != 0 {
		fmt.Fprintf(&b, " metric %d", r.Priority)
	}
	return b.String(), nil
}

// MTU returns a link's MTU in bytes.
func (h *Host) MTU(link string) (mtu int, err error) {
	err = h.onLink(link, func(l netlink.Link) error { mtu = l.Attrs().MTU; return nil })
	return mtu, err
}
