package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/nettest"
)

// binary is the program under test.
var binary string

// memory is where all that the tests write is, in their own mount namespace: how
// long a disk takes to write a lease is no client's affair, and no server's, and
// nothing is left of tests that were killed.
const memory = "/mnt"

func TestMain(m *testing.M) {
	if nettest.Inside() {
		err := errors.Join(nettest.Settle(), unix.Mount("tmpfs", memory, "tmpfs", 0, ""), os.Setenv("TMPDIR", memory))
		if err != nil {
			panic(err)
		}
		binary = filepath.Join(memory, "lessee")
		build := exec.Command("go", "build", "-o", binary, "../../cmd/lessee")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			panic(fmt.Sprintf("%v\n%s", err, out))
		}
		// These tests wait most of their time.
		if err := flag.Set("test.parallel", "16"); err != nil {
			panic(err)
		}
	}
	nettest.Main(m)
}

// A world is a switch with a server, a client, and room for a third.
type world struct {
	t                     *testing.T
	net                   *nettest.Net
	sw                    *nettest.Machine
	server, client, third *nettest.Machine
	dir                   string
	heard                 *nettest.Capture
}

var network = Network{
	Prefix: netip.MustParsePrefix("192.0.2.1/24"), First: netip.MustParseAddr("192.0.2.100"), Last: netip.MustParseAddr("192.0.2.120"),
	Seconds: 600, Router: netip.MustParseAddr("192.0.2.1"), DNS: netip.MustParseAddr("192.0.2.53"), Domain: "interop.example",
	Routes: []dhcp4.Route{
		{Dest: netip.MustParsePrefix("10.0.0.0/8"), Gateway: netip.MustParseAddr("192.0.2.2")},
		{Dest: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.0.2.1")},
	},
}

const operators = "# the operator's\nnameserver 203.0.113.53\n"

func newWorld(t *testing.T) *world {
	t.Helper()
	n := nettest.New(t)
	w := &world{t: t, net: n, sw: n.Host("switch"), server: n.Host("server"), client: n.Host("client"), third: n.Host("third"), dir: t.TempDir()}
	n.Bridge(w.sw, "br0", w.server, w.client, w.third)
	w.server.Addr("eth0", network.Prefix.String())
	w.heard = w.client.Hear("eth0")
	if err := os.WriteFile(w.resolvConf(), []byte(operators), 0o644); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) resolvConf() string { return filepath.Join(w.dir, "resolv.conf") }

// serve starts a server on a host.
func (w *world) serve(h *nettest.Machine, s Server, n Network) *Process {
	w.t.Helper()
	return w.serveFrom(w.t.TempDir(), h, s, n)
}

// serveFrom is serve with a directory that may hold another one's leases.
func (w *world) serveFrom(dir string, h *nettest.Machine, s Server, n Network) *Process {
	w.t.Helper()
	args, ready, err := s.Command(dir, n)
	if err != nil {
		w.t.Fatal(err)
	}
	return Start(w.t, h, args, ready)
}

// document is what the tests read of the program's JSON.
type document struct {
	Result string
	Error  *struct {
		Exit  int
		Cause string
	}
	Lease struct {
		Address netip.Prefix
		Server  netip.Addr
		Start   time.Time
		Expiry  time.Time
	}
	Offers []struct {
		Server  string
		Address netip.Prefix
		Chosen  bool
		Why     string
	}
}

// commandLimit bounds one run of the program.
const commandLimit = 90 * time.Second

// lessee runs the program on the client and returns its document, its exit
// code, and what it said on standard error.
func (w *world) lessee(args ...string) (d document, code int, stderr string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	args = append(args, "--format", "json", "--log-level", "debug", "--state-dir", w.dir)
	if args[0] != "discover" && args[0] != "inform" {
		args = append(args, "--run-dir", w.dir, "--resolv-conf", w.resolvConf())
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := w.client.Start(cmd); err != nil {
		w.t.Fatal(err)
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("lessee %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
		}
	})
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		w.t.Fatalf("lessee %v: %v\n%s%s", args, err, out.String(), errs.String())
	}
	return d, cmd.ProcessState.ExitCode(), errs.String()
}

// must runs the program, which must succeed.
func (w *world) must(args ...string) document {
	w.t.Helper()
	d, code, stderr := w.lessee(args...)
	if code != 0 {
		w.t.Fatalf("lessee %v: exit %d\n%s", args, code, stderr)
	}
	return d
}

// exchange is the DHCP messages heard so far, each with the way it took.
func (w *world) exchange() (out []string) {
	for _, f := range w.heard.Frames() {
		m, src, dst, ok := f.DHCP()
		if !ok {
			continue
		}
		text := m.Type().String()
		if m.Op == dhcp4.OpRequest {
			to := "broadcast"
			if !dst.IsMulticast() && dst.As4()[3] != 255 {
				to = "unicast"
			}
			if !src.IsUnspecified() {
				to += " from its address"
			}
			text += " " + to
		}
		out = append(out, text)
	}
	return out
}

// hearing bounds how long a frame takes from the wire to the capture, which
// runs beside the program under test.
const hearing = 10 * time.Second

// sees compares the exchange, from the given message on, with what it should
// be.
func (w *world) sees(from int, want ...string) {
	w.t.Helper()
	seen := 0
	w.heard.Wait(hearing, func(f nettest.Frame) bool {
		if _, _, _, ok := f.DHCP(); ok {
			seen++
		}
		return seen == from+len(want)
	})
	if got := w.exchange()[from:]; !slices.Equal(got, want) {
		w.t.Errorf("on the wire: %q, want %q", got, want)
	}
}

// find returns the first frame with a message of that type.
func (w *world) find(typ dhcp4.MessageType) (nettest.Frame, *dhcp4.Message) {
	w.t.Helper()
	f, ok := w.heard.Wait(hearing, func(f nettest.Frame) bool {
		m, _, _, ok := f.DHCP()
		return ok && m.Type() == typ
	})
	if !ok {
		w.t.Fatalf("no %v in %v", typ, w.exchange())
	}
	m, _, _, _ := f.DHCP()
	return f, m
}

// untouched checks that the host is as it was before lessee came.
func (w *world) untouched() {
	w.t.Helper()
	text, err := os.ReadFile(w.resolvConf())
	if err != nil || string(text) != operators {
		w.t.Errorf("resolv.conf: %q, %v", text, err)
	}
	if a, r := w.client.AddrsOf("eth0"), w.client.RoutesOf(); len(a) != 0 || len(r) != 0 {
		w.t.Errorf("left behind: %v, %v", a, r)
	}
}

// squat puts a host onto an address.
func (w *world) squat(a netip.Addr) *dhcptest.Squatter {
	w.t.Helper()
	var s *dhcptest.Squatter
	w.third.Must(func() (err error) {
		s, err = dhcptest.Squat("eth0", dhcptest.SquatterConfig{Addrs: []netip.Addr{a}})
		return err
	})
	w.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return s
}

// all runs a scenario against every server, side by side.
func all(t *testing.T, scenario func(t *testing.T, s Server)) {
	for _, s := range Servers {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			scenario(t, s)
		})
	}
}

func has(list []string, want string) bool { return slices.Contains(list, want) }
