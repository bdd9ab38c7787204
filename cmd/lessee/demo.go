package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/nettest"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "show a lease's whole life, in private namespaces; needs neither root nor a server",
		Description: `Makes a small network that only this process sees: a DHCP server, a host that
squats on the first address the server will offer, and this host's twin, on
which the real "lessee acquire", "renew" and "release" run. What is drawn is what
is on the wire; what is listed is what the kernel has. It takes about 12 s, 10 of
them the rest that RFC 2131 asks for after a DHCPDECLINE.`,
		Action: func(c *cli.Context) error { return demo(c.Context) },
	}
}

// demoLimit bounds the whole show.
const demoLimit = 40 * time.Second

// demo runs the show in namespaces of its own.
func demo(ctx context.Context) error {
	if !nettest.Inside() {
		code, err := nettest.Reexec()
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		if code != 0 {
			return fmt.Errorf("demo: it ended with exit code %d", code)
		}
		return nil
	}
	if err := nettest.Settle(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, demoLimit)
	defer cancel()
	dir, err := os.MkdirTemp("", "lessee-demo-")
	if err != nil {
		return err
	}
	s := &stage{dir: dir, out: os.Stdout}
	err = s.set()
	if err == nil {
		err = s.play(ctx)
	}
	return errors.Join(err, s.strike())
}

// A stage is the demo's network: a switch, a server, a squatter, and the host
// that all is about.
type stage struct {
	dir      string
	out      io.Writer
	world    *nettest.World
	host     *nettest.Host
	server   *dhcptest.Server
	listener *dhcptest.Listener
	squatter *dhcptest.Squatter
}

// The cast's addresses (RFC 5737).
var (
	demoServer = netip.MustParseAddr("192.0.2.1")
	demoFirst  = netip.MustParseAddr("192.0.2.100") // squatted on
	demoLast   = netip.MustParseAddr("192.0.2.110")
)

// set builds the network.
func (s *stage) set() (err error) {
	if s.world, err = nettest.NewWorld(); err != nil {
		return err
	}
	var hosts []*nettest.Host
	for _, name := range []string{"switch", "server", "squatter", "host"} {
		h, err := s.world.Host(name)
		if err != nil {
			return err
		}
		hosts = append(hosts, h)
	}
	s.host = hosts[3]
	if err := s.world.Bridge(hosts[0], "br0", hosts[1:]...); err != nil {
		return err
	}
	s.server, err = dhcptest.NewServer(dhcptest.Config{
		First: demoFirst, Last: demoLast, LeaseTime: 20, Authoritative: true,
		Options: dhcptest.MustOptions("routers=192.0.2.1", "domain-name-servers=192.0.2.53", "domain-name=demo.example"),
	})
	if err != nil {
		return err
	}
	err = hosts[1].AddAddr("eth0", netip.PrefixFrom(demoServer, 24))
	if err == nil {
		err = hosts[1].Do(func() (err error) {
			s.listener, err = s.server.Listen("eth0")
			return err
		})
	}
	if err != nil {
		return err
	}
	return hosts[2].Do(func() (err error) {
		s.squatter, err = dhcptest.Squat("eth0", dhcptest.SquatterConfig{Addrs: []netip.Addr{demoFirst}})
		return err
	})
}

// strike takes everything away.
func (s *stage) strike() error {
	var errs []error
	if s.squatter != nil {
		errs = append(errs, s.squatter.Close())
	}
	if s.listener != nil {
		errs = append(errs, s.listener.Close())
	}
	if s.world != nil {
		s.world.Close()
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// play runs the three commands, and lists what the kernel has after each.
func (s *stage) play(ctx context.Context) error {
	s.say("A server gives out %v to %v, for 20 s at a time.", demoFirst, demoLast)
	s.say("Another host uses %v without having asked.", demoFirst)
	if err := os.WriteFile(s.path("resolv.conf"), []byte("# the operator's own\n"), 0o644); err != nil {
		return err
	}
	s.scene("before", "")
	if err := s.kernel(); err != nil {
		return err
	}
	go s.interlude(ctx)
	for _, act := range []struct{ command, about string }{
		{"acquire", "DISCOVER, OFFER, REQUEST, ACK, a conflict, DECLINE, a rest of 10 s, and again"},
		{"renew", "REQUEST by unicast, as at T1"},
		{"release", "RELEASE, and everything as it was before"},
	} {
		s.scene("lessee "+act.command+" eth0", act.about)
		if err := s.run(ctx, act.command); err != nil {
			return err
		}
		if err := s.kernel(); err != nil {
			return err
		}
	}
	return s.review()
}

// interlude shows the kernel's state while the command rests after its
// DHCPDECLINE.
func (s *stage) interlude(ctx context.Context) {
	if _, err := s.server.WaitFor(ctx, dhcptest.Received(dhcp4.Decline)); err != nil {
		return // it did not happen; review tells
	}
	select {
	case <-ctx.Done():
		return
	case <-time.After(time.Second): // the command tells of it first
	}
	s.say("meanwhile, at rest after the DHCPDECLINE:")
	if err := s.kernel(); err != nil {
		s.say("%v", err)
	}
}

// review makes sure that the audience saw what was promised.
func (s *stage) review() error {
	addrs, err := s.host.Addrs("eth0")
	if err != nil {
		return err
	}
	names, err := os.ReadFile(s.path("resolv.conf"))
	switch {
	case err != nil:
		return err
	case len(s.server.Declined()) != 1:
		return fmt.Errorf("demo: %d addresses were declined, want 1", len(s.server.Declined()))
	case len(s.server.Leases()) != 0 || len(addrs) != 0:
		return fmt.Errorf("demo: after the release the server has %d leases and the host %d addresses", len(s.server.Leases()), len(addrs))
	case string(names) != "# the operator's own\n":
		return fmt.Errorf("demo: resolv.conf is not as it was: %q", names)
	}
	s.say("The host is as it was before.")
	return nil
}

// run runs one command on the host. Its ladder comes from standard error.
func (s *stage) run(ctx context.Context, command string) error {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", command, "eth0", "--trace",
		"--state-dir", s.dir, "--run-dir", s.dir, "--resolv-conf", s.path("resolv.conf"), "--config", "none", "--hooks-dir", "none", "--log-level", "error")
	cmd.Stdout, cmd.Stderr = s.out, s.out
	if err := s.host.Start(cmd); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("demo: lessee %s: %w", command, err)
	}
	return nil
}

// kernel lists the host's addresses and routes, and its resolv.conf.
func (s *stage) kernel() error {
	addrs, err := s.host.Addrs("eth0")
	if err != nil {
		return err
	}
	routes, err := s.host.Routes()
	if err != nil {
		return err
	}
	names, err := os.ReadFile(s.path("resolv.conf"))
	if err != nil {
		return err
	}
	list := func(name string, lines []string) {
		if len(lines) == 0 {
			lines = []string{"none"}
		}
		for _, l := range lines {
			s.line("    %-9s %s", name, l)
		}
	}
	var held []string
	for _, a := range addrs {
		held = append(held, fmt.Sprintf("%v, valid for %v", a.Prefix, a.Valid))
	}
	var resolv []string
	for l := range strings.Lines(string(names)) {
		if !strings.HasPrefix(l, "#") {
			resolv = append(resolv, strings.TrimSpace(l))
		}
	}
	list("address", held)
	list("route", routes)
	list("resolver", resolv)
	return nil
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) scene(name, about string) {
	if about != "" {
		about = " — " + about
	}
	s.line("\n── %s%s", name, about)
}

func (s *stage) say(format string, args ...any) { s.line(format, args...) }

// line writes to the audience; that it may have left is no reason to stop.
func (s *stage) line(format string, args ...any) {
	_, _ = io.WriteString(s.out, drawn(onlyASCII(os.Stdout), fmt.Sprintf(format+"\n", args...)))
}
