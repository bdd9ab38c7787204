package interop

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/control"
)

func (w *world) list() (list []agent.Status, err error) {
	err = w.dial(func(ctx context.Context, c *control.Client) (err error) {
		list, err = c.List(ctx)
		return err
	})
	return list, err
}

func TestHundredLinksOnOneBridgeInOneAgent(t *testing.T) {
	t.Parallel()
	const links = 100
	w := newWorld(t)
	if err := w.sw.Remove("client"); err != nil { // its link is not of these
		t.Fatal(err)
	}
	if err := w.server.AddAddr("eth0", netip.MustParsePrefix("10.9.0.1/16")); err != nil {
		t.Fatal(err)
	}
	srv := w.answer(w.server, dhcptest.Config{
		Prefix: netip.MustParsePrefix("10.9.0.0/16"), First: netip.MustParseAddr("10.9.1.0"), Last: netip.MustParseAddr("10.9.9.255"),
		Options: dhcptest.MustOptions("routers=10.9.0.1", "domain-name-servers=10.9.0.53"),
	})
	for i := range links {
		port := fmt.Sprintf("p%d", i)
		w.net.Connect(w.sw, port, w.client, fmt.Sprintf("lan%d", i))
		w.sw.Must(func() error {
			b, err := netlink.LinkByName("br0")
			if err != nil {
				return err
			}
			l, err := netlink.LinkByName(port)
			if err != nil {
				return err
			}
			return netlink.LinkSetMaster(l, b)
		})
	}
	began := time.Now()
	w.keep("lan*", "--carrier-delay", "500ms")
	eventually(t, 25*time.Second, "all are bound", func() error {
		list, err := w.list()
		n := 0
		for _, s := range list {
			if s.State == "BOUND" {
				n++
			}
		}
		if err == nil && n != links {
			err = fmt.Errorf("%d of %d", n, len(list))
		}
		return err
	})
	t.Logf("all bound after %v", time.Since(began))
	seen := map[netip.Addr]string{}
	for i := range links {
		name := fmt.Sprintf("lan%d", i)
		a := w.client.AddrsOf(name)
		if len(a) != 1 {
			t.Fatalf("%s: %v", name, a)
		}
		if other, twice := seen[a[0].Prefix.Addr()]; twice {
			t.Errorf("A20: %s and %s both have %v", name, other, a[0].Prefix)
		}
		seen[a[0].Prefix.Addr()] = name
	}

	flapping, err := w.client.Interface("lan7")
	if err != nil {
		t.Fatal(err)
	}
	v, heard := w.watch(), len(srv.Log())
	for range 3 {
		must(t, w.sw.SetDown("p7"))
		time.Sleep(900 * time.Millisecond)
		must(t, w.sw.SetUp("p7"))
		time.Sleep(900 * time.Millisecond)
	}
	own := 0
	for _, e := range srv.Log()[heard:] {
		switch {
		case e.Sent || e.Message == nil:
		case e.Message.CHAddr.String() == flapping.HardwareAddr.String():
			own++
		default:
			t.Errorf("another link sent %v", e)
		}
	}
	if own == 0 || own > 6 {
		t.Errorf("the flapping link sent %d messages", own)
	}
	if r := v.removed(); len(r) != 0 {
		t.Errorf("addresses were taken off: %v", r)
	}
}

func TestTwoNamespacesInOneAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer(w.server, scripted())
	const dir = "/run/netns"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		must(t, unix.Mount("tmpfs", "/run", "tmpfs", 0, ""))
		must(t, os.Mkdir(dir, 0o755))
	} else {
		must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	}
	name := filepath.Join(dir, "blue")
	must(t, os.WriteFile(name, nil, 0o600))
	w.third.Must(func() error { return unix.Mount("/proc/thread-self/ns/net", name, "", unix.MS_BIND, "") })
	t.Cleanup(func() { must(t, unix.Unmount(name, unix.MNT_DETACH)) })

	w.keep("eth0", "eth0@blue", "--on-stop", "keep")
	one := w.reaches("eth0", "BOUND", 10*time.Second)
	two := w.reaches("eth0@blue", "BOUND", 10*time.Second)
	if a := w.client.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix != one.Lease.Addr {
		t.Errorf("eth0 has %v, leased %v", a, one.Lease.Addr)
	}
	if a := w.third.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix != two.Lease.Addr {
		t.Errorf("eth0@blue has %v, leased %v", a, two.Lease.Addr)
	}
	if one.Lease.Addr == two.Lease.Addr {
		t.Errorf("both have %v", one.Lease.Addr)
	}
	w.asked("renew", "eth0@blue", "--state-dir", w.dir)
	_, m := w.find(dhcp4.ACK)
	if m.YIAddr != one.Lease.Addr.Addr() && m.YIAddr != two.Lease.Addr.Addr() {
		t.Errorf("acknowledged: %v", m.YIAddr)
	}
	out := w.asked("release", "eth0@blue", "--state-dir", w.dir, "--format", "json")
	if d := decoded[document](t, out); d.Result != "released" {
		t.Errorf("%+v", d)
	}
	if a := w.third.AddrsOf("eth0"); len(a) != 0 {
		t.Errorf("eth0@blue still has %v", a)
	}
	if a := w.client.AddrsOf("eth0"); len(a) != 1 {
		t.Errorf("eth0 has %v", a)
	}
}

func TestReadOnlyStateDirectoryCostsAWarningAndNoLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg := scripted()
	cfg.LeaseTime = 4
	w.answer(w.server, cfg)
	state := t.TempDir()
	must(t, unix.Mount("tmpfs", state, "tmpfs", unix.MS_RDONLY, ""))
	t.Cleanup(func() { must(t, unix.Unmount(state, unix.MNT_DETACH)) })
	line := []string{binary, "run", "eth0", "--config", "none", "--state-dir", state, "--run-dir", w.dir, "--resolv-conf", w.resolvConf()}
	p := Start(t, w.client, line, "keeping links")
	v := w.watch()
	a := w.address(10 * time.Second)
	w.reaches("eth0", "BOUND", time.Second)
	time.Sleep(9 * time.Second) // some renewals, each of which is to be saved
	if again := w.address(time.Second); again != a || len(v.removed()) != 0 {
		t.Errorf("%v became %v, %v", a, again, v.removed())
	}
	if n := lines(p.Log(), "level=WARN", "read-only"); n != 1 {
		t.Errorf("%d warnings", n)
	}
	if n := lines(w.asked("metrics"), "lessee_troubles_total", `link="eth0"`); n == 0 {
		t.Error("no trouble was counted")
	}
	must(t, exec.Command("mount", "-o", "remount,rw", state).Run())
	w.reaches("eth0", "BOUND", time.Second)
	eventually(t, 8*time.Second, "the lease is on disk when there is room", func() error {
		_, err := os.Stat(filepath.Join(state, "eth0.lease.json"))
		return err
	})
}
