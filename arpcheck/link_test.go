package arpcheck

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestOwnAddressesAreAskedForOnceASecond(t *testing.T) {
	asked := 0
	o := ownAddrs{extra: []net.HardwareAddr{third}, list: func() ([]net.Interface, error) {
		asked++
		return []net.Interface{{Name: "lo"}, {HardwareAddr: us}, {HardwareAddr: ours}}[:1+asked], nil
	}}
	for _, c := range []struct {
		at    time.Duration
		mac   net.HardwareAddr
		own   bool
		asked int
	}{
		{0, third, true, 0}, // named by the user: no need to ask
		{0, us, true, 1},
		{0, ours, false, 1}, // not there yet
		{999 * time.Millisecond, ours, false, 1},
		{time.Second, ours, true, 2},
		{time.Second, them, false, 2},
	} {
		if got := o.has(epoch.Add(c.at), c.mac); got != c.own || asked != c.asked {
			t.Errorf("at %v: %v is own: %v, asked %d times; want %v, %d", c.at, c.mac, got, asked, c.own, c.asked)
		}
	}
}

func TestAddressesAreForeignIfTheKernelDoesNotSay(t *testing.T) {
	o := ownAddrs{list: func() ([]net.Interface, error) { return nil, errors.New("no") }}
	if o.has(epoch, us) {
		t.Error("own, want foreign")
	}
}

// K16.
func TestK16LoopbackHasNoARP(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(lo, Config{})
	if err != nil {
		t.Fatalf("New on lo: %v, want success", err)
	}
	if _, err := c.Probe(t.Context(), addr); !errors.Is(err, ErrNoARP) {
		t.Errorf("probe: %v, want ErrNoARP", err)
	}
	if err := c.Announce(t.Context(), addr); !errors.Is(err, ErrNoARP) {
		t.Errorf("announce: %v, want ErrNoARP", err)
	}
	if _, err := c.Watch(t.Context(), addr); !errors.Is(err, ErrNoARP) {
		t.Errorf("watch: %v, want ErrNoARP", err)
	}
}

func TestK16PointToPointLinksHaveNoARP(t *testing.T) {
	reason, err := whyNoARP(&net.Interface{Name: "none", Flags: net.FlagUp | net.FlagPointToPoint})
	if !errors.Is(reason, ErrNoARP) || err != nil {
		t.Errorf("%v, %v; want ErrNoARP", reason, err)
	}
}

func TestNewRefusesWhatMakesNoSense(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"mode": {Mode: 9}, "defence": {Defence: 9}, "timing": {Timing: Timing{ProbeNum: 3}},
	} {
		if _, err := New(lo, cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(&net.Interface{Index: 1 << 20, Name: "none"}, Config{}); err == nil {
		t.Error("accepted an interface that does not exist")
	}
}

func TestOnlyAddressesOfHostsCanBeProbed(t *testing.T) {
	c, n := newFake(t, Config{})
	for _, a := range []string{"0.0.0.0", "224.0.0.1", "255.255.255.255", "2001:db8::1"} {
		if _, err := c.Probe(t.Context(), netip.MustParseAddr(a)); err == nil {
			t.Errorf("%s: probed", a)
		}
	}
	if _, err := c.Probe(t.Context(), netip.Addr{}); err == nil {
		t.Error("no address: probed")
	}
	if n.opened() != 0 {
		t.Errorf("%d sockets opened", n.opened())
	}
}
