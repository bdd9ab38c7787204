package arpcheck

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/lessee/lessee/client/nettest"
)

// elsewhere returns a Checker for an interface of h that is called from here,
// and what it is told to do there.
func elsewhere(t *testing.T, h *nettest.Machine, name string, cfg Config) (c *Checker, entered *int) {
	t.Helper()
	entered = new(int)
	cfg.Enter = func(f func() error) error {
		*entered++
		return h.Do(f)
	}
	var ifi *net.Interface
	h.Must(func() (err error) { ifi, err = net.InterfaceByName(name); return err })
	c, err := New(ifi, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, entered
}

func TestALinkInAnotherNamespaceIsCheckedFromOutside(t *testing.T) {
	a, b := twoHosts(t)
	c, entered := elsewhere(t, a, "a0", Config{Defence: DefendNever})
	if holder, err := c.Probe(t.Context(), addr); holder != nil || err != nil {
		t.Fatalf("%v, %v; want free", holder, err)
	}
	ip(t, a, "addr add 192.0.2.7/24 dev a0")
	if err := c.Announce(t.Context(), addr); err != nil {
		t.Errorf("announce: %v", err)
	}
	if *entered != 2 { // for its kind, and for the socket
		t.Errorf("entered %d times", *entered)
	}
	heard := make(chan struct{})
	go func() { // somebody else takes the address
		defer close(heard)
		with(t, b, "b0", Config{Mode: Off}, func(c *Checker) error { return c.Announce(context.Background(), addr) })
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	holder, err := c.Watch(ctx, addr)
	if want := macOf(t, b, "b0"); !bytes.Equal(holder, want) || err != nil {
		t.Errorf("watch: %v, %v; want %v", holder, err, want)
	}
	<-heard
}

// K6: the interfaces that count as this host's are those beside the link.
func TestK6OwnInterfacesAreThoseOfTheLinksNamespace(t *testing.T) {
	a, b := twoHosts(t)
	ip(t, a, "link add br0 type bridge", "link set br0 address 02:00:00:00:00:77")
	c, _ := elsewhere(t, a, "a0", Config{})
	for mac, want := range map[string]bool{"02:00:00:00:00:77": true, macOf(t, b, "b0").String(): false} {
		hw, err := net.ParseMAC(mac)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.own.has(time.Now(), hw); got != want {
			t.Errorf("%s is ours: %v, want %v", mac, got, want)
		}
	}
}

func TestNamespaceThatCannotBeEntered(t *testing.T) {
	refused := errors.New("refused")
	cfg := Config{Enter: func(func() error) error { return refused }}
	if _, err := New(&net.Interface{Name: "eth0", HardwareAddr: us}, cfg); !errors.Is(err, refused) {
		t.Errorf("%v", err)
	}
}
