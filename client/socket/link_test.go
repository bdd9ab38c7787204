package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/nettest"
)

func TestLinkByNameSaysWhatThePackageNetDoes(t *testing.T) {
	n := nettest.New(t)
	h, peer := n.Host("host"), n.Host("peer")
	n.Connect(h, "eth0", peer, "eth0")
	for _, state := range []func() error{
		func() error { return nil },
		func() error { return h.SetMTU("eth0", 1400) },
		func() error { return h.SetDown("eth0") },
	} {
		if err := state(); err != nil {
			t.Fatal(err)
		}
		h.Must(func() error {
			l, err := LinkByName("eth0")
			if err != nil {
				return err
			}
			want, err := net.InterfaceByName("eth0")
			if err != nil {
				return err
			}
			got := l.Interface()
			if got.Name != want.Name || got.Index != want.Index || got.MTU != want.MTU ||
				got.Flags != want.Flags || got.HardwareAddr.String() != want.HardwareAddr.String() {
				t.Errorf("%+v, want %+v", got, want)
			}
			if l.HType != dhcp4.HTypeEthernet || l.NeedsBroadcast() || l.CHAddr().String() != want.HardwareAddr.String() {
				t.Errorf("htype %d, broadcast %v, chaddr %v", l.HType, l.NeedsBroadcast(), l.CHAddr())
			}
			if net.HardwareAddr(l.Broadcast).String() != allHosts.String() {
				t.Errorf("broadcast address %v, want %v", l.Broadcast, allHosts)
			}
			return nil
		})
	}
}

func TestLinkByAlternativeName(t *testing.T) {
	n := nettest.New(t)
	h, peer := n.Host("host"), n.Host("peer")
	n.Connect(h, "eth0", peer, "eth0")
	long := strings.Repeat("long", 12)
	for _, alt := range []string{"uplink", long} {
		cmd := exec.Command("ip", "link", "property", "add", "dev", "eth0", "altname", alt)
		h.Must(func() error { return cmd.Start() })
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
		h.Must(func() error {
			l, err := LinkByName(alt)
			if l.Name != "eth0" {
				t.Errorf("%s is %q, want eth0", alt, l.Name)
			}
			return err
		})
	}
}

func TestNoSuchLink(t *testing.T) {
	h := nettest.New(t).Host("host")
	h.Must(func() error {
		for _, name := range []string{"eth9", "", "eth\x000", strings.Repeat("x", 16), strings.Repeat("x", 128), strings.Repeat("x", 1<<16)} {
			if _, err := LinkByName(name); !errors.Is(err, ErrNoLink) {
				t.Errorf("%.20q: %v, want ErrNoLink", name, err)
			}
		}
		gone := Link{Name: "eth9", Index: 4711, MTU: 1500}
		if _, err := Open(gone, Config{}); !errors.Is(err, ErrNoLink) {
			t.Errorf("Open: %v, want ErrNoLink", err)
		}
		return nil
	})
}

// tun makes a link of a given type. The kernel lets a tun device pretend to be
// of any, though without the addresses of that type.
func tun(arphrd int) (*os.File, error) {
	fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w (is the module tun there?)", tunDevice, err)
	}
	ifr, err := unix.NewIfreq("tun0")
	put(err)
	ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := errors.Join(
		unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr),
		unix.IoctlSetInt(fd, unix.TUNSETLINK, arphrd),
	); err != nil {
		return nil, errors.Join(fmt.Errorf("make a tun device of type %d: %w", arphrd, err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "tun0"), nil // pollable only now
}

const tunDevice = "/dev/net/tun"

// needsTun skips a test where an ordinary user may not make tun devices. Most
// systems let everybody; CI must.
func needsTun(t *testing.T) {
	t.Helper()
	if err := unix.Access(tunDevice, unix.R_OK|unix.W_OK); err != nil {
		nettest.Missing(t, "%s: %v", tunDevice, err)
	}
}

func TestLinksThatCannotCarryDHCPSayWhy(t *testing.T) {
	needsTun(t)
	h := nettest.New(t).Host("host")
	h.Must(func() error {
		expect := func(name string, arphrd uint16, why string) {
			var e *UnsupportedError
			if _, err := LinkByName(name); !errors.As(err, &e) || e.Type != arphrd || e.Link != name || !strings.Contains(err.Error(), why) {
				t.Errorf("type %d: %v, want it to be about %q", arphrd, err, why)
			}
		}
		expect("lo", unix.ARPHRD_LOOPBACK, "loopback")
		for arphrd, why := range map[uint16]string{
			unix.ARPHRD_PPP:       "IPCP",
			unix.ARPHRD_NONE:      "no link-layer addresses",
			unix.ARPHRD_TUNNEL:    "tunnel",
			unix.ARPHRD_IPGRE:     "tunnel",
			unix.ARPHRD_IEEE80211: "monitor",
			unix.ARPHRD_CAN:       "no standard",
		} {
			f, err := tun(int(arphrd))
			if err != nil {
				return err
			}
			expect("tun0", arphrd, why)
			if err := f.Close(); err != nil {
				return err
			}
		}
		return nil
	})
}

// RFC 4390, section 2.1: htype 32, hlen 0, chaddr zero, the answer by
// broadcast. The link is not InfiniBand, but its broadcast address is as long.
func TestH7InfiniBand(t *testing.T) {
	needsTun(t)
	h := nettest.New(t).Host("host")
	var f *os.File
	var conn *Conn
	h.Must(func() (err error) { f, err = tun(unix.ARPHRD_INFINIBAND); return err })
	defer func() { _ = f.Close() }()
	if err := h.SetUp("tun0"); err != nil {
		t.Fatal(err)
	}
	h.Must(func() error {
		l, err := LinkByName("tun0")
		if err != nil {
			return err
		}
		l.Addr, l.Broadcast = make(dhcp4.HardwareAddr, 20), make(dhcp4.HardwareAddr, 20)
		if l.HType != dhcp4.HTypeInfiniBand || !l.NeedsBroadcast() || len(l.CHAddr()) != 0 {
			t.Errorf("htype %d, broadcast %v, chaddr %v", l.HType, l.NeedsBroadcast(), l.CHAddr())
		}
		conn, err = Open(l, Config{})
		return err
	})
	defer func() { put(conn.Close()) }()
	m := request(dhcp4.Discover, netip.Addr{})
	m.HType, m.CHAddr = dhcp4.HTypeInfiniBand, nil
	if err := conn.Send(t.Context(), m, netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	if err := f.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1500)
	n, err := f.Read(b)
	if err != nil || n < headersLen {
		t.Fatalf("%d bytes went out, %v", n, err)
	}
	if got, err := dhcp4.Parse(b[headersLen:n]); err != nil || got.HType != 32 || len(got.CHAddr) != 0 {
		t.Errorf("%v went out, %v", got, err)
	}
	if _, err := f.Write(fromServer(bytesOf(reply(1)), nil, nil)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if _, err := conn.Receive(ctx); err != nil {
		t.Error(err)
	}
	if err := conn.packet.write(b[:n], make(dhcp4.HardwareAddr, 33)); !errors.Is(err, unix.EINVAL) {
		t.Errorf("an address longer than the kernel's longest: %v, want EINVAL", err)
	}
}
