package lease

import (
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/client/dhcp4"
)

// Server returns the server identifier of a reply (option 54). The error tells
// that there is none, or that no server has it: a host could neither extend nor
// give back what it is granted in that name (RFC 1122, section 3.2.1.3).
func Server(reply *dhcp4.Message) (netip.Addr, error) {
	a, err := dhcp4.ServerID.Get(reply.Options)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("server identifier: %w", err)
	}
	if a.As4()[0] == 0 || a.As4()[0] >= 224 || a.IsLoopback() {
		return netip.Addr{}, fmt.Errorf("server identifier: no server has the address %v", a)
	}
	return a, nil
}

// Unusable tells why no host may use the address of p that server offered; it
// is empty if the address is fine. RFC 1122, section 3.2.1.3 lists what is
// never a host's own address.
func Unusable(p netip.Prefix, server netip.Addr) string {
	a := p.Addr()
	switch {
	case !a.Is4() || a.IsUnspecified():
		return "no address"
	case a.As4()[0] == 0:
		return "in 0/8"
	case a.IsLoopback():
		return "a loopback address"
	case a.IsMulticast():
		return "a multicast address"
	case a.As4()[0] >= 240:
		return "in the reserved 240/4"
	case p.Bits() < 32 && a == server:
		return "the server's own address"
	case p.Bits() < 31 && a == p.Masked().Addr():
		return "the address of the subnet itself"
	case p.Bits() < 31 && a == broadcast(p):
		return "the broadcast address of the subnet"
	}
	return ""
}

// broadcast is the address of p with all host bits set.
func broadcast(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}
