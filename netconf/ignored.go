package netconf

import (
	"fmt"

	"github.com/lessee/lessee/client/dhcp4"
)

// unfollowed are options by which RFC 2132 would let a server set parameters
// of the kernel. They are known, and not followed: each is the operator's to
// decide, or nothing that Linux does.
var unfollowed = []struct {
	code dhcp4.Code
	why  string
}{
	{dhcp4.IPForwarding.Code, "no server makes this host a router"},
	{dhcp4.SourceRouting.Code, "source routing is the operator's to allow"},
	{dhcp4.PolicyFilter.Code, "there is no source routing to filter"},
	{dhcp4.MaxReassembly.Code, "the kernel decides"},
	{dhcp4.DefaultTTL.Code, "a server could cut off all that is far"},
	{dhcp4.PathMTUAging.Code, "the kernel decides"},
	{dhcp4.PathMTUPlateaus.Code, "the kernel decides"},
	{dhcp4.AllSubnetsLocal.Code, "the link's MTU is for the link"},
	{dhcp4.MaskDiscovery.Code, "the mask comes with the lease"},
	{dhcp4.MaskSupplier.Code, "this host supplies no masks"},
	{dhcp4.RouterDiscovery.Code, "routers come with the lease"},
	{dhcp4.RouterSolicit.Code, "routers come with the lease"},
	{dhcp4.Trailers.Code, "Linux has no trailers"},
	{dhcp4.ARPTimeout.Code, "the kernel decides"},
	{dhcp4.IEEE8023.Code, "the link decides"},
	{dhcp4.TCPTTL.Code, "a server could cut off all that is far"},
	{dhcp4.TCPKeepalive.Code, "programs decide"},
	{dhcp4.TCPGarbage.Code, "programs decide"},
}

// ignored tells of options that came and that nothing is done about.
func (p *planner) ignored() {
	for _, u := range unfollowed {
		if _, sent := p.lease.Options.Lookup(u.code); sent {
			p.refuse(u.code, fmt.Sprintf("option %d (%v)", uint8(u.code), u.code), u.why)
		}
	}
}
