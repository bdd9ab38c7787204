package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/nettest"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/control"
)

// What the tests of the agent have in common.

// keep starts the agent on the client. The arguments are links and flags.
func (w *world) keep(args ...string) *Process {
	w.t.Helper()
	return Start(w.t, w.client, w.keeping(args...), "keeping links")
}

// keeping is the command line of an agent in this world.
func (w *world) keeping(args ...string) []string {
	line := []string{binary, "run"}
	line = append(line, args...)
	return append(line, "--config", "none", "--log-level", "debug",
		"--state-dir", w.dir, "--run-dir", w.dir, "--resolv-conf", w.resolvConf())
}

// ask runs a command that asks the agent, and returns what it printed and its
// exit code.
func (w *world) ask(args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append(args, "--run-dir", w.dir, "--config", "none")...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := w.client.Start(cmd); err != nil {
		w.t.Fatal(err)
	}
	_ = cmd.Wait() // the code tells
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// asked is ask, which must succeed.
func (w *world) asked(args ...string) string {
	w.t.Helper()
	out, errs, code := w.ask(args...)
	if code != 0 {
		w.t.Fatalf("lessee %v: exit %d\n%s%s", args, code, out, errs)
	}
	return out
}

// Signal ends a program by a signal and returns its exit code.
func (p *Process) Signal(t *testing.T, sig syscall.Signal) int {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%v was not heard", sig)
	}
	return p.cmd.ProcessState.ExitCode()
}

// socket is the agent's.
func (w *world) socket() string { return filepath.Join(w.dir, "control") }

// dial connects to the agent, for one exchange.
func (w *world) dial(f func(context.Context, *control.Client) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := control.Dial(w.socket())
	if err != nil {
		return err
	}
	defer c.Close()
	return f(ctx, c)
}

// status is what the agent says of a link.
func (w *world) status(link string) (s agent.Status, err error) {
	err = w.dial(func(ctx context.Context, c *control.Client) (err error) {
		s, err = c.Status(ctx, link)
		return err
	})
	return s, err
}

// eventually waits until f has no objection.
func eventually(t *testing.T, limit time.Duration, what string, f func() error) {
	t.Helper()
	if err := within(limit, f); err != nil {
		t.Fatalf("%s, not within %v: %v", what, limit, err)
	}
}

// within looks as often as there is time for in limit, and not until then: while
// the machine stands still nobody is late.
func within(limit time.Duration, f func() error) (err error) {
	const pause = 20 * time.Millisecond
	for range limit/pause + 1 {
		if err = f(); err == nil {
			return nil
		}
		time.Sleep(pause)
	}
	return err
}

// reaches waits until a link is in a state.
func (w *world) reaches(link, state string, limit time.Duration) (s agent.Status) {
	w.t.Helper()
	eventually(w.t, limit, link+" is "+state, func() (err error) {
		if s, err = w.status(link); err == nil && s.State != state {
			err = fmt.Errorf("it is %s, %v", s.State, s.Problem)
		}
		return err
	})
	return s
}

// A change is of the addresses of a host. It was between two instants: the first
// is earlier than the second by what this program needed to hear of it.
type change struct {
	after, at time.Time
	addr      netip.Addr
	added     bool
}

// A vigil is kept over the addresses of a host.
type vigil struct {
	mu   sync.Mutex
	seen []change
}

// watch begins to note how the client's addresses change.
func (w *world) watch() *vigil {
	w.t.Helper()
	v := &vigil{}
	updates, done := make(chan netlink.AddrUpdate), make(chan struct{})
	w.client.Must(func() error { return netlink.AddrSubscribe(updates, done) })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		const tick = 50 * time.Millisecond
		ticks := time.NewTicker(tick)
		defer ticks.Stop()
		// At quiet there was nothing to hear: at the next tick, which came
		// in time, it would have been heard.
		last := time.Now()
		quiet := last
		for {
			select {
			case now := <-ticks.C:
				if now.Sub(last) < 2*tick {
					quiet = last
				}
				last = now
			case u, more := <-updates:
				if !more {
					return
				}
				a, _ := netip.AddrFromSlice(u.LinkAddress.IP.To4())
				v.mu.Lock()
				v.seen = append(v.seen, change{quiet, time.Now(), a, u.NewAddr})
				v.mu.Unlock()
			}
		}
	}()
	w.t.Cleanup(func() {
		close(done)
		<-ended
	})
	return v
}

func (v *vigil) changes() []change {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]change(nil), v.seen...)
}

// removed returns the removals so far.
func (v *vigil) removed() (out []change) {
	for _, c := range v.changes() {
		if !c.added {
			out = append(out, c)
		}
	}
	return out
}

// gone waits for the removal of an address.
func (v *vigil) gone(t *testing.T, a netip.Addr, limit time.Duration) (removal change) {
	t.Helper()
	eventually(t, limit, a.String()+" is taken off", func() error {
		for _, c := range v.removed() {
			if c.addr == a {
				removal = c
				return nil
			}
		}
		return fmt.Errorf("%v", v.changes())
	})
	return removal
}

// address waits until the client has exactly one address, with a default
// route, other than those given.
func (w *world) address(limit time.Duration, not ...netip.Addr) (a netip.Addr) {
	w.t.Helper()
	eventually(w.t, limit, "a new address", func() error {
		list, err := w.client.Addrs("eth0")
		if err != nil {
			return err
		}
		if len(list) != 1 {
			return fmt.Errorf("%d addresses", len(list))
		}
		a = list[0].Prefix.Addr()
		for _, n := range not {
			if a == n {
				return fmt.Errorf("still %v", a)
			}
		}
		return nil
	})
	return a
}

// bare checks that nothing of a lease is left: E15.
func (w *world) bare() error {
	text, err := os.ReadFile(w.resolvConf())
	if err != nil {
		return err
	}
	a, err := w.client.Addrs("eth0")
	if err != nil {
		return err
	}
	r, err := w.client.Routes()
	if err != nil {
		return err
	}
	if len(a)+len(r) != 0 || string(text) != operators {
		return fmt.Errorf("left: %v, %q, resolv.conf %q", a, r, text)
	}
	return nil
}

// answer puts a server of our own onto a host.
func (w *world) answer(h *nettest.Machine, cfg dhcptest.Config) *dhcptest.Server {
	w.t.Helper()
	return w.answerOn(h, "eth0", cfg)
}

func (w *world) answerOn(h *nettest.Machine, link string, cfg dhcptest.Config) *dhcptest.Server {
	w.t.Helper()
	srv := dhcptest.New(w.t, cfg)
	var l *dhcptest.Listener
	h.Must(func() (err error) {
		l, err = srv.Listen(link)
		return err
	})
	w.t.Cleanup(func() {
		if err := l.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return srv
}

// scripted is what a server of our own gives in most tests.
func scripted() dhcptest.Config {
	return dhcptest.Config{
		Prefix: netip.MustParsePrefix("192.0.2.0/24"), ID: netip.MustParseAddr("192.0.2.1"),
		First: network.First, Last: network.Last,
		Options: dhcptest.MustOptions("routers=192.0.2.1", "domain-name-servers=192.0.2.53", "domain-name=interop.example"),
	}
}

// extends tells requests for an extension from those for a lease.
func extends(x *dhcptest.Exchange) bool {
	return x.Request.CIAddr.IsValid() && !x.Request.CIAddr.IsUnspecified()
}

// awaits waits for the first frame with a message of that type since a time.
func (w *world) awaits(since time.Time, typ dhcp4.MessageType, limit time.Duration) (nettest.Frame, *dhcp4.Message) {
	w.t.Helper()
	f, ok := w.heard.Wait(limit, func(f nettest.Frame) bool {
		m, _, _, ok := f.DHCP()
		return ok && m.Type() == typ && f.At.After(since)
	})
	if !ok {
		w.t.Fatalf("no %v within %v in %v", typ, limit, w.exchange())
	}
	m, _, _, _ := f.DHCP()
	return f, m
}

// asks lists what the client has sent since a time.
func (w *world) asks(since time.Time) (out []string) {
	for _, f := range w.heard.Frames() {
		if m, _, _, ok := f.DHCP(); ok && m.Op == dhcp4.OpRequest && f.At.After(since) {
			out = append(out, m.Type().String())
		}
	}
	return out
}

// flag of lines: whether a log has a line with all of these words, and how often.
func lines(log string, words ...string) (n int) {
next:
	for line := range strings.Lines(log) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue next
			}
		}
		n++
	}
	return n
}

// decoded reads JSON that a command printed.
func decoded[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}
