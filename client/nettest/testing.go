package nettest

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// TB is what this package needs of a *testing.T.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Cleanup(func())
}

// Main runs the tests of a package in namespaces of their own, so that even
// root's tests cannot touch the machine. Call it from TestMain:
//
//	func TestMain(m *testing.M) { nettest.Main(m) }
//
// Where an ordinary user may not make namespaces the tests run all the same,
// and those that call New are skipped; with CI set in the environment that is
// a failure.
func Main(m interface{ Run() int }) {
	unix.Umask(0o022) // not the user's own: tests tell the modes of files, and run programs as other users
	if Inside() {
		if err := Settle(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	code, err := Reexec()
	if err == nil {
		os.Exit(code)
	}
	fmt.Fprintln(os.Stderr, err)
	if os.Getenv("CI") != "" {
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A Net is a World whose methods end the test when they fail.
type Net struct {
	*World
	t TB
}

// New returns an empty network that is taken away at the end of the test.
func New(t TB) *Net {
	t.Helper()
	w, err := NewWorld()
	if err != nil && !Inside() {
		Missing(t, "%v", err)
	}
	must(t, err)
	t.Cleanup(w.Close)
	return &Net{w, t}
}

func must(t TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// A Machine is a Host whose methods end the test when they fail.
type Machine struct {
	*Host
	t TB
}

// Host adds a host.
func (n *Net) Host(name string) *Machine {
	n.t.Helper()
	h, err := n.World.Host(name)
	must(n.t, err)
	return &Machine{h, n.t}
}

// Connect lays a cable between two hosts.
func (n *Net) Connect(a *Machine, ifA string, b *Machine, ifB string) {
	n.t.Helper()
	must(n.t, n.World.Connect(a.Host, ifA, b.Host, ifB))
}

// Bridge connects hosts by a bridge on h.
func (n *Net) Bridge(h *Machine, name string, hosts ...*Machine) {
	n.t.Helper()
	var list []*Host
	for _, m := range hosts {
		list = append(list, m.Host)
	}
	must(n.t, n.World.Bridge(h.Host, name, list...))
}

// Plug connects one more host to a bridge.
func (n *Net) Plug(h *Machine, bridge string, peer *Machine) {
	n.t.Helper()
	must(n.t, n.World.Plug(h.Host, bridge, peer.Host))
}

// Must runs f in the host's namespace.
func (m *Machine) Must(f func() error) {
	m.t.Helper()
	must(m.t, m.Do(f))
}

// Addr gives a link an address such as "192.0.2.1/24".
func (m *Machine) Addr(link, prefix string) {
	m.t.Helper()
	must(m.t, m.AddAddr(link, netip.MustParsePrefix(prefix)))
}

// Run starts a command and ends it with the test.
func (m *Machine) Run(cmd *exec.Cmd) {
	m.t.Helper()
	must(m.t, m.Start(cmd))
	m.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()         // killed
	})
}

// Hear begins to capture on a link until the end of the test.
func (m *Machine) Hear(link string) *Capture {
	m.t.Helper()
	c, err := m.Capture(link)
	must(m.t, err)
	m.t.Cleanup(func() { must(m.t, c.Close()) })
	return c
}

// AddrsOf returns the addresses of a link.
func (m *Machine) AddrsOf(link string) []Addr {
	m.t.Helper()
	a, err := m.Addrs(link)
	must(m.t, err)
	return a
}

// RoutesOf returns the routes, one a line.
func (m *Machine) RoutesOf() []string {
	m.t.Helper()
	r, err := m.Routes()
	must(m.t, err)
	return r
}
