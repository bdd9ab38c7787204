package socket

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/client/dhcp4"
)

// maxPeers bounds what is remembered. A link has one server, or a few.
const maxPeers = 16

// peers remembers which link-layer address a server's last reply came from,
// the latest first. Behind a relay that is the relay's: just where a message
// for the server has to go.
type peers struct{ list []peer }

type peer struct {
	server netip.Addr
	link   dhcp4.HardwareAddr
}

// remember notes that server was last heard from link. The longest unheard
// one is forgotten if there are too many.
func (p *peers) remember(server netip.Addr, link dhcp4.HardwareAddr) {
	if len(link) == 0 || !server.IsValid() || server.IsUnspecified() {
		return
	}
	i := slices.IndexFunc(p.list, func(q peer) bool { return q.server == server })
	if i < 0 {
		if len(p.list) < maxPeers {
			p.list = append(p.list, peer{})
		}
		i = len(p.list) - 1
	}
	copy(p.list[1:i+1], p.list[:i])
	p.list[0] = peer{server, link}
}

// lookup returns where server was last heard from, or nil.
func (p *peers) lookup(server netip.Addr) dhcp4.HardwareAddr {
	for _, q := range p.list {
		if q.server == server {
			return q.link
		}
	}
	return nil
}
