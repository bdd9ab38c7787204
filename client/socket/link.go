package socket

import (
	"errors"
	"fmt"
	"net"

	"github.com/lessee/lessee/client/dhcp4"
	"golang.org/x/sys/unix"
)

// ErrNoLink says that there is no network interface of that name.
var ErrNoLink = errors.New("no such interface")

// An UnsupportedError says that a link is of a type that cannot carry DHCP.
type UnsupportedError struct {
	Link string // the interface's name
	Type uint16 // the kernel's number of the type (ARPHRD_*)
	Why  string // what a user should know
}

// Error names the link and the reason.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s (link type %d) cannot carry DHCP: %s", e.Link, e.Type, e.Why)
}

// A Link is what must be known of a network interface to speak DHCP on it.
type Link struct {
	Name  string // the kernel's, also if an alternative name was asked for
	Index int
	HType dhcp4.HType
	Addr  dhcp4.HardwareAddr // 6 bytes; 16 on FireWire, 20 on InfiniBand
	MTU   int                // bytes, from the IPv4 header on
	Flags net.Flags

	// Broadcast is the link-layer address of everybody on the link, as long
	// as Addr.
	Broadcast dhcp4.HardwareAddr
}

// CHAddr returns what goes into the chaddr field of messages: Addr, or nothing
// on links whose addresses are too long for it (RFC 4390, section 2.1; RFC
// 2855, section 4). Such links need a client identifier.
func (l Link) CHAddr() dhcp4.HardwareAddr {
	if l.NeedsBroadcast() {
		return nil
	}
	return l.Addr
}

// NeedsBroadcast tells whether servers must be asked to broadcast their
// answers (A7, H7): without a chaddr they cannot know where to send a unicast.
func (l Link) NeedsBroadcast() bool {
	return l.HType == dhcp4.HTypeInfiniBand || l.HType == dhcp4.HTypeFireWire
}

// Interface returns the link in the words of package net.
func (l Link) Interface() *net.Interface {
	return &net.Interface{
		Name:         l.Name,
		Index:        l.Index,
		MTU:          l.MTU,
		HardwareAddr: net.HardwareAddr(l.Addr),
		Flags:        l.Flags,
	}
}

// LinkByName asks the kernel about one interface. The link may be down. The
// error is ErrNoLink if there is none of that name, and an *UnsupportedError
// if it is of a type that cannot carry DHCP; the Link is filled in then, too.
func LinkByName(name string) (Link, error) {
	l, arphrd, err := askLink(name)
	if errors.Is(err, unix.ENODEV) {
		return Link{}, fmt.Errorf("%q: %w", name, ErrNoLink)
	}
	if err != nil {
		return Link{}, fmt.Errorf("ask the kernel about %q: %w", name, err)
	}
	htype, why := hardwareType(arphrd)
	if why != "" {
		return l, &UnsupportedError{Link: l.Name, Type: arphrd, Why: why}
	}
	l.HType = htype
	return l, nil
}

// Supports tells whether links of the kernel's type (ARPHRD_*) can carry DHCP.
func Supports(arphrd uint16) bool {
	_, why := hardwareType(arphrd)
	return why == ""
}

// hardwareType returns the hardware type that DHCP uses for the kernel's link
// type, or why there is none.
func hardwareType(arphrd uint16) (t dhcp4.HType, why string) {
	switch arphrd {
	case unix.ARPHRD_ETHER: // wired, Wi-Fi, bridges, bonds, VLANs, virtual ones
		return dhcp4.HTypeEthernet, ""
	case unix.ARPHRD_IEEE802:
		return dhcp4.HTypeIEEE802, ""
	case unix.ARPHRD_INFINIBAND:
		return dhcp4.HTypeInfiniBand, ""
	case unix.ARPHRD_IEEE1394:
		return dhcp4.HTypeFireWire, ""
	case unix.ARPHRD_LOOPBACK:
		return 0, "it is the loopback, which has no neighbours"
	case unix.ARPHRD_PPP, unix.ARPHRD_SLIP, unix.ARPHRD_CSLIP:
		return 0, "the two ends of a point-to-point link agree on addresses by its own protocol (IPCP)"
	case unix.ARPHRD_IEEE80211, unix.ARPHRD_IEEE80211_PRISM, unix.ARPHRD_IEEE80211_RADIOTAP:
		return 0, "it is in monitor mode"
	case unix.ARPHRD_NONE, unix.ARPHRD_RAWIP, unix.ARPHRD_VOID:
		return 0, "it has no link-layer addresses (tun, WireGuard, cellular modem); whatever set it up gives it its address"
	case unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT, unix.ARPHRD_IPGRE, unix.ARPHRD_IP6GRE:
		return 0, "it is an IP tunnel without broadcast; whatever set it up gives it its address"
	}
	return 0, "no standard says how"
}
