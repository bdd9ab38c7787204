package interop

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/nettest"
)

// reconnect gives the server a new cable into another network: its old link was
// removed.
func (w *world) reconnect(n Network) {
	w.t.Helper()
	w.net.Plug(w.sw, "br0", w.server)
	w.server.Addr("eth0", n.Prefix.String())
}

// newRelayed is a client and a relay on one link, the relay and the server on
// another.
func newRelayed(t *testing.T, s Server) *world {
	t.Helper()
	n := nettest.New(t)
	w := &world{t: t, net: n, server: n.Host("server"), client: n.Host("client"), third: n.Host("relay"), dir: t.TempDir()}
	n.Connect(w.client, "eth0", w.third, "eth0")
	n.Connect(w.server, "eth0", w.third, "eth1")
	w.third.Addr("eth0", "192.0.2.3/24")
	w.third.Addr("eth1", "198.51.100.3/24")
	w.server.Addr("eth0", "198.51.100.1/24")
	w.third.Must(func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0) })
	if err := w.server.AddRoute(netip.MustParsePrefix("192.0.2.0/24"), netip.MustParseAddr("198.51.100.3")); err != nil {
		t.Fatal(err)
	}
	w.heard = w.client.Hear("eth0")
	if err := os.WriteFile(filepath.Join(w.dir, "resolv.conf"), []byte(operators), 0o644); err != nil {
		t.Fatal(err)
	}
	remote := network
	remote.Router = netip.MustParseAddr("192.0.2.3")
	remote.Routes = []dhcp4.Route{{Dest: netip.MustParsePrefix("0.0.0.0/0"), Gateway: remote.Router}}
	remote.Behind = netip.MustParsePrefix("198.51.100.0/24")
	w.serve(w.server, s, remote)
	args, ready := relay(netip.MustParseAddr("198.51.100.1"))
	Start(t, w.third, args, ready)
	return w
}
