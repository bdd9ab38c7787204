package socket

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
)

// without runs f on this thread without a capability.
func without(capability int, f func() error) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var all [2]unix.CapUserData
	if err := unix.Capget(&header, &all[0]); err != nil {
		return err
	}
	some := all
	some[capability/32].Effective &^= 1 << (capability % 32)
	if err := unix.Capset(&header, &some[0]); err != nil {
		return err
	}
	return errors.Join(f(), unix.Capset(&header, &all[0]))
}

func TestOpenWithoutPermissionSaysWhatIsNeeded(t *testing.T) {
	p := newPair(t)
	p.client.Must(func() error {
		return without(unix.CAP_NET_RAW, func() error {
			_, err := Open(p.link, Config{})
			if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_RAW") || !strings.Contains(err.Error(), "eth0") {
				t.Errorf("Open: %v, want a permission error that names CAP_NET_RAW and eth0", err)
			}
			return nil
		})
	})
}

func TestUnicastWithoutThePortGoesAsAFrame(t *testing.T) {
	p := newPair(t)
	p.client.Addr("eth0", "192.0.2.77/24")
	heard := p.server.Hear("eth0")
	p.client.Must(func() error {
		return without(unix.CAP_NET_BIND_SERVICE, func() error {
			if err := p.conn.udp.bind(); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_BIND_SERVICE") {
				t.Errorf("bind: %v, want a permission error that names CAP_NET_BIND_SERVICE", err)
			}
			return p.conn.Send(t.Context(), request(dhcp4.Request, leased), serverAddr)
		})
	})
	f := p.wait(heard, dhcp4.Request)
	if _, src, dst, _ := f.DHCP(); src != leased || dst != serverAddr || f.Dst().String() != allHosts.String() {
		t.Errorf("from %v to %v at %v", src, dst, f.Dst())
	}
}
