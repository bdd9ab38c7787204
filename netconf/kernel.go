package netconf

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// protoDHCP marks what is ours, on routes (RTPROT_DHCP) and on addresses
// (IFA_PROTO, whose numbers are free above the kernel's own three; kernels
// before 5.18 do not keep it).
const protoDHCP = unix.RTPROT_DHCP

// A kernel holds one link's configuration. Errors are errno values, or
// ErrNoLink.
//
// It is functions rather than an interface, because of what stands behind them:
// of a type that is converted to an interface the linker keeps everything that
// reflection could reach, and of the netlink library that is a megabyte.
type kernel struct {
	now    func() (linkNow, error)
	up     func() error
	down   func() error
	setMTU func(int) error

	addrs       func() ([]kernelAddr, error)              // of the link, IPv6 too
	addAddr     func(a Address, left time.Duration) error // EEXIST if it is there
	replaceAddr func(a Address, left time.Duration) error // left 0: for ever
	delAddr     func(netip.Prefix) error
	putBack     func(kernelAddr) error // EEXIST if it is there

	elsewhere    func() ([]netip.Prefix, error)                            // IPv4 addresses of all other links
	routes       func(which func(kernelRoute) bool) ([]kernelRoute, error) // IPv4, of all tables but the local one
	addRoute     func(Route) error                                         // EEXIST if one of the same key is there
	replaceRoute func(Route) error
	delRoute     func(Route) error // of our protocol only

	rules   func() ([]kernelRule, error) // IPv4, all
	addRule func(Rule) error             // EEXIST if it is there
	delRule func(Rule) error             // ENOENT if it is not

	belongings func(family int) ([]keepsake, error) // of others, that go with the last address, in the order in which they can come back
	restore    func(keepsake) error                 // EEXIST if it is there
	carries    func() (bool, error)                 // another link that is up needs this one, such as a VLAN

	arpFilter    func() (int, error) // the sysctl of that name, of the link
	setARPFilter func(int) error
}

// linkNow is what the kernel says of a link.
type linkNow struct {
	index       int
	name        string
	mtu         int
	up, carrier bool
	wired       bool // by its type; a radio may say the same
	enslaved    bool // to a bridge or the like
	vrf         int  // the table of the VRF that it belongs to; 0: none
}

// kernelAddr is an address that the kernel has. It is written down when it is
// somebody else's and must be put back.
type kernelAddr struct {
	Prefix    netip.Prefix  `json:"prefix"`
	Peer      netip.Prefix  `json:"peer,omitzero"`
	Broadcast netip.Addr    `json:"broadcast,omitzero"`
	Label     string        `json:"label,omitempty"`
	Scope     int           `json:"scope,omitempty"`
	Flags     int           `json:"flags,omitempty"`
	Proto     int           `json:"protocol,omitempty"`
	Valid     time.Duration `json:"valid,omitempty"` // 0: for ever
	Preferred time.Duration `json:"preferred,omitempty"`
}

// kernelRoute is a route that the kernel has.
type kernelRoute struct {
	Route
	here  bool // by our link
	plain bool // of a kind that we could have made
	proto int
}

// hasCarrier reports whether packets can pass. IFF_LOWER_UP alone is not
// enough: a Wi-Fi link that is not yet allowed to send is dormant.
func hasCarrier(flags uint32) bool { return flags&unix.IFF_UP != 0 && flags&unix.IFF_RUNNING != 0 }

// gone takes what says that a thing is not there any more for success.
func gone(err error) error {
	switch {
	case errors.Is(err, unix.ESRCH), errors.Is(err, unix.EADDRNOTAVAIL), errors.Is(err, unix.ENODEV), errors.Is(err, ErrNoLink):
		return nil
	}
	return err
}

// explain adds what helps.
func explain(err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w (CAP_NET_ADMIN is needed: be root, or give the program the capability)", err)
	case errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%w: %w", ErrNoLink, err)
	}
	return err
}
