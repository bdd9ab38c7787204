package netconf_test

import (
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/netconf"
)

// What a host should hold for a lease, and what of the lease is not followed.
func ExamplePlanFor() {
	l := lease.Lease{
		Addr:    netip.MustParsePrefix("192.0.2.7/24"),
		Server:  netip.MustParseAddr("192.0.2.1"),
		Routers: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")},
		DNS:     []netip.Addr{netip.MustParseAddr("192.0.2.53")},
	}
	p := netconf.PlanFor(l, netconf.Options{Metric: 100})
	for _, step := range p.Steps("eth0") {
		fmt.Println(step)
	}
	for _, r := range p.Refused {
		fmt.Printf("%s: %s\n", r.What, r.Why)
	}
	// Output:
	// ip address add 192.0.2.7/24 dev eth0 noprefixroute
	// ip route add 192.0.2.0/24 src 192.0.2.7 metric 100 dev eth0 proto dhcp
	// ip route add default via 192.0.2.1 src 192.0.2.7 metric 100 dev eth0 proto dhcp
	// name server 192.0.2.53
	// router 192.0.2.2: there is one default route, by the first router
}
