package netconf

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// A tunnel as VPNs make it: the two halves of everything, a subnet of its own,
// and its server by the link.
var tunnelUp = []string{
	"link set vpn up", "address add 10.8.0.5/24 dev vpn", "route add 0.0.0.0/1 dev vpn", "route add 128.0.0.0/1 dev vpn",
}

// What is sent to these is meant for the tunnel.
var secrets = []string{"8.8.8.8", "10.8.0.1", "10.8.0.77"}

// linkTo is the link that a packet to addr leaves by.
func (r *rig) linkTo(addr string) string {
	r.t.Helper()
	out, err := r.ip("-o", "route", "get", addr)
	r.must(err)
	return regexp.MustCompile(` dev (\S+)`).FindStringSubmatch(string(out))[1]
}

// CVE-2024-3661. The words are those that leave by the link, and not by the
// tunnel; netconf/routes.md tells the same.
func TestWhatAServerPullsOutOfATunnel(t *testing.T) {
	const dns, peer, internet = "10.8.0.1", "10.8.0.77", "8.8.8.8"
	option121 := func(routes ...dhcp4.Route) func(*lease.Lease) {
		return func(l *lease.Lease) {
			l.Routers, l.ClasslessRoutes = nil, append(routes, route("0.0.0.0/0", "192.0.2.1"))
		}
	}
	for _, tc := range []struct {
		name                       string
		lease                      func(*lease.Lease)
		all, byDefault, none, deny []string
	}{
		{name: "a router", lease: func(*lease.Lease) {}},
		{name: "the halves, as the tunnel has them", lease: option121(route("0.0.0.0/1", "192.0.2.1"), route("128.0.0.0/1", "192.0.2.1"))},
		{name: "quarters", lease: option121(route("0.0.0.0/2", "192.0.2.1"), route("64.0.0.0/2", "192.0.2.1"), route("128.0.0.0/2", "192.0.2.1")),
			all: []string{internet}},
		{name: "the tunnel's own subnet", lease: option121(route("10.8.0.0/24", "192.0.2.1"))},
		{name: "narrower", lease: option121(route("10.8.0.0/25", "192.0.2.1"), route("8.8.8.0/24", "192.0.2.1")),
			all: secrets, deny: []string{internet}},
		{name: "one host, on the link", lease: option121(route("10.8.0.1/32", "0.0.0.0")), all: []string{dns}},
		{name: "a router that is the host", lease: func(l *lease.Lease) { l.Routers = []netip.Addr{netip.MustParseAddr(dns)} },
			all: []string{dns}},
		{name: "a router of a route that is the host", lease: option121(route("172.16.0.0/12", dns)), all: []string{dns}},
		{name: "option 33", lease: func(l *lease.Lease) { l.StaticRoutes = []dhcp4.Route{route("8.8.8.8/32", "192.0.2.1")} },
			all: []string{internet}, deny: []string{internet}},
		{name: "option 249", lease: func(l *lease.Lease) { l.MSRoutes = []dhcp4.Route{route("10.8.0.1/32", "192.0.2.1")} }, all: []string{dns}},
		{name: "half the world is on the link", lease: func(l *lease.Lease) { l.Addr = netip.MustParsePrefix("9.0.2.77/3") }},
		{name: "the tunnel's network is on the link", lease: func(l *lease.Lease) { l.Addr = netip.MustParsePrefix("10.8.0.100/25") },
			all: []string{dns, peer}, byDefault: []string{dns, peer}, none: []string{dns, peer}},
		{name: "somebody's network is on the link", lease: func(l *lease.Lease) { l.Addr = netip.MustParsePrefix("8.8.8.77/24") },
			all: []string{internet}, byDefault: []string{internet}, none: []string{internet}, deny: []string{internet}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t)
			r.mustIP("tuntap add dev vpn mode tun")
			r.mustIP(tunnelUp...)
			before := r.full()
			for _, p := range []struct {
				policy RoutePolicy
				want   []string
			}{
				{RoutePolicy{Follow: FollowAll}, tc.all},
				{RoutePolicy{Follow: FollowDefault}, tc.byDefault},
				{RoutePolicy{Follow: FollowNone}, tc.none},
				{RoutePolicy{Deny: prefixes("10.8.0.0/24")}, tc.deny},
			} {
				h := r.open(Options{Metric: AutoMetric, Received: p.policy, MSRoutes: true})
				l := testLease(tc.lease)
				r.must(r.apply(h, l))
				var out []string
				for _, addr := range secrets {
					if r.linkTo(addr) != "vpn" {
						out = append(out, addr)
					}
				}
				if !slices.Equal(out, p.want) {
					t.Errorf("%+v: %q are pulled out, want %q", p.policy, out, p.want)
				}
				r.withdraw(h, l)
				r.isFull("withdrawn", before)
			}
		})
	}
}

func TestATunnelOfWireGuardIsLikeAnyOther(t *testing.T) {
	r := newRig(t)
	if out, err := r.ip("link", "add", "vpn", "type", "wireguard"); err != nil {
		t.Logf("THIS KERNEL HAS NO WIREGUARD (%s): NOTHING IS SHOWN HERE", strings.TrimSpace(string(out)))
		return
	}
	r.mustIP(tunnelUp...)
	l := testLease(func(l *lease.Lease) { l.ClasslessRoutes = hostile })
	for policy, link := range map[RouteSet]string{FollowAll: "eth0", FollowDefault: "vpn"} {
		h := r.open(Options{Metric: AutoMetric, Received: RoutePolicy{Follow: policy}})
		r.must(r.apply(h, l))
		if got := r.linkTo("10.8.0.1"); got != link {
			t.Errorf("%s: by %s, want %s", policy, got, link)
		}
		r.withdraw(h, l)
	}
}
