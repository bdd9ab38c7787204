package arpcheck

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoARP says that a link has no ARP, or none that this package speaks:
// loopback, point-to-point and NOARP links, and those whose addresses are not
// Ethernet's. No conflict check is possible there, nor needed on most of them;
// callers should report it as skipped.
var ErrNoARP = errors.New("link has no ARP")

// whyNoARP returns why ifi cannot be spoken ARP on; it wraps ErrNoARP. The
// second result says that the kernel could not be asked.
func whyNoARP(ifi *net.Interface) (reason, err error) {
	switch {
	case ifi.Flags&net.FlagLoopback != 0:
		return fmt.Errorf("%w (loopback)", ErrNoARP), nil
	case ifi.Flags&net.FlagPointToPoint != 0:
		return fmt.Errorf("%w (point-to-point)", ErrNoARP), nil
	}
	flags, hardware, err := askKernel(ifi.Name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read flags of %s: %w", ifi.Name, err)
	case flags&unix.IFF_NOARP != 0:
		return fmt.Errorf("%w (NOARP is set)", ErrNoARP), nil
	case hardware != hwEthernet && hardware != hwIEEE802, len(ifi.HardwareAddr) != hardwareLen:
		return fmt.Errorf("%w (hardware type %d)", ErrNoARP, hardware), nil
	}
	return nil, nil
}

// askKernel returns an interface's flags and its hardware type, which
// net.Interface lacks. Two ioctls are quicker than a netlink dump.
func askKernel(name string) (flags, hardware uint16, err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = unix.Close(fd) }()
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, 0, err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ifr); err != nil {
		return 0, 0, err
	}
	flags = ifr.Uint16()
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, ifr); err != nil {
		return 0, 0, err
	}
	return flags, ifr.Uint16(), nil // sa_family holds the hardware type
}

// ownAddrs knows the hardware addresses of this host. It asks the kernel only
// when somebody is under suspicion: in most runs, never.
type ownAddrs struct {
	extra []net.HardwareAddr // named by the user
	list  func() ([]net.Interface, error)

	mu    sync.Mutex
	asked time.Time
	known []net.Interface
}

// listAge is how long a list of interfaces is believed. It keeps a flood of
// forged conflicts from becoming a flood of questions to the kernel.
const listAge = time.Second

// has tells whether mac belongs to this host. If the kernel does not say, it
// does not.
func (o *ownAddrs) has(now time.Time, mac net.HardwareAddr) bool {
	for _, a := range o.extra {
		if bytes.Equal(a, mac) {
			return true
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !recent(now, o.asked, listAge) {
		o.known, _ = o.list()
		o.asked = now
	}
	for _, ifi := range o.known {
		if bytes.Equal(ifi.HardwareAddr, mac) {
			return true
		}
	}
	return false
}
