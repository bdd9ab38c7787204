package netconf

import (
	"net"
	"net/netip"
	"time"
)

// lifetime is the kernel's number of seconds; all ones is for ever.
func lifetime(seconds int) time.Duration {
	if uint32(seconds) == 0xffffffff {
		return 0
	}
	return time.Duration(uint32(seconds)) * time.Second
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// prefixOf is the opposite of ipNet.
func prefixOf(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.Prefix{}
	}
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(addrOf(n.IP), bits)
}

func addrOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}
