package nettest_test

import (
	"net"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

func TestHostsHearEachOther(t *testing.T) {
	n := nettest.New(t)
	a, b := n.Host("a"), n.Host("b")
	n.Connect(a, "eth0", b, "eth0")
	a.Addr("eth0", "192.0.2.1/24")
	b.Addr("eth0", "192.0.2.2/24")
	heard := b.Hear("eth0")
	a.Must(func() error {
		c, err := net.Dial("udp4", "192.0.2.2:9")
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte("hello"))
		return err
	})
	if _, ok := heard.Wait(20*time.Second, func(f nettest.Frame) bool {
		return strings.HasSuffix(string(f.Data), "hello")
	}); !ok {
		t.Fatalf("nothing came; %d frames", len(heard.Frames()))
	}
}

func TestBridgeJoinsHosts(t *testing.T) {
	n := nettest.New(t)
	sw, a, b := n.Host("switch"), n.Host("a"), n.Host("b")
	n.Bridge(sw, "br0", a, b)
	a.Addr("eth0", "192.0.2.1/24")
	b.Addr("eth0", "192.0.2.2/24")
	b.Must(func() error {
		c, err := net.ListenPacket("udp4", "192.0.2.2:9")
		if err != nil {
			return err
		}
		t.Cleanup(func() { c.Close() })
		return nil
	})
	heard := b.Hear("eth0")
	a.Must(func() error {
		c, err := net.Dial("udp4", "192.0.2.2:9")
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte("hello"))
		return err
	})
	if _, ok := heard.Wait(20*time.Second, func(f nettest.Frame) bool {
		return strings.HasSuffix(string(f.Data), "hello")
	}); !ok {
		t.Fatal("nothing came across the bridge")
	}
}

func TestCommandsRunInTheirHost(t *testing.T) {
	n := nettest.New(t)
	a, b := n.Host("a"), n.Host("b")
	n.Connect(a, "left", b, "right")
	for h, want := range map[*nettest.Machine]string{a: "left", b: "right"} {
		cmd := exec.Command("cat", "/proc/net/dev")
		var out strings.Builder
		cmd.Stdout = &out
		if err := h.Start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), want+":") {
			t.Errorf("on %s: %v, want %s in\n%s", h.Name, err, want, out.String())
		}
	}
}

func TestStateIsTheKernels(t *testing.T) {
	n := nettest.New(t)
	a, b := n.Host("a"), n.Host("b")
	n.Connect(a, "eth0", b, "eth0")
	a.Addr("eth0", "192.0.2.1/24")
	if got := a.AddrsOf("eth0"); len(got) != 1 || got[0].Prefix.String() != "192.0.2.1/24" || got[0].Valid != 0 {
		t.Errorf("addresses: %+v", got)
	}
	want := []string{"192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1"}
	if got := a.RoutesOf(); !slices.Equal(got, want) {
		t.Errorf("routes: %q, want %q", got, want)
	}
	if len(b.AddrsOf("eth0")) != 0 {
		t.Error("the other host has an address")
	}
}

// A Fatal within Do ends the host's goroutine; nothing may wait for it.
func TestHostWhoseThreadEndedFailsAtOnce(t *testing.T) {
	h := nettest.New(t).Host("a")
	for range 2 {
		if err := h.Do(func() error { runtime.Goexit(); return nil }); err == nil || !strings.Contains(err.Error(), "ended") {
			t.Fatalf("%v", err)
		}
	}
}
