package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/nettest"
)

// asLessee makes the test binary be lessee, so that the tests need nothing but
// Go and what runs is the real program.
const asLessee = "LESSEE_TEST_AS_LESSEE"

func TestMain(m *testing.M) {
	if os.Getenv(asLessee) != "" {
		os.Exit(run(os.Args))
	}
	// Tests wait much more than they compute. What stands on the command line
	// wins, for it is read later.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	nettest.Main(m)
}

// A bench is a host with lessee, cabled to a switch with a scriptable server.
type bench struct {
	t            *testing.T
	host, remote *nettest.Machine
	srv          *dhcptest.Server
	dir          string
}

// newBench makes one, in network namespaces of its own: such tests wait for one
// another in nothing, and run side by side.
func newBench(t *testing.T, cfg dhcptest.Config) *bench {
	t.Helper()
	t.Parallel()
	return newBenchAlone(t, cfg)
}

// newBenchAlone makes one for a test that changes what all have in common, such
// as /etc, and runs by itself.
func newBenchAlone(t *testing.T, cfg dhcptest.Config) *bench {
	t.Helper()
	n := nettest.New(t)
	b := &bench{t: t, host: n.Host("host"), remote: n.Host("remote"), dir: t.TempDir()}
	n.Connect(b.host, "eth0", b.remote, "eth0")
	b.remote.Addr("eth0", "192.0.2.1/24")
	if cfg.Options == nil {
		cfg.Options = dhcptest.MustOptions("routers=192.0.2.1", "domain-name-servers=192.0.2.53")
	}
	b.srv = serve(t, b.remote, cfg)
	return b
}

// serve puts a scriptable server on a host's eth0 until the end of the test.
func serve(t *testing.T, host *nettest.Machine, cfg dhcptest.Config) *dhcptest.Server {
	t.Helper()
	srv := dhcptest.New(t, cfg)
	host.Must(func() error {
		l, err := srv.Listen("eth0")
		if err == nil {
			t.Cleanup(func() { _ = l.Close() }) // its link may be gone
		}
		return err
	})
	return srv
}

// resolvConf is the file that lessee writes in these tests.
func (b *bench) resolvConf() string { return filepath.Join(b.dir, "resolv.conf") }

// A result is one run of the program.
type result struct {
	code        int
	out, stderr string
}

// command is the program with its directories in the test's own.
func (b *bench) command(ctx context.Context, args ...string) *exec.Cmd {
	if len(args) > 1 {
		switch args[0] {
		case "acquire", "renew", "rebind", "release":
			args = append(args, "--state-dir", b.dir, "--run-dir", b.dir, "--resolv-conf", b.resolvConf())
		case "discover", "inform":
			args = append(args, "--state-dir", b.dir)
		}
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), asLessee+"=1")
	return cmd
}

// lessee runs the program on the host.
func (b *bench) lessee(args ...string) (r result) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := b.command(ctx, args...)
	return ran(b.t, b.host, cmd)
}

// ran runs a program on a host to its end.
func ran(t *testing.T, host *nettest.Machine, cmd *exec.Cmd) result {
	t.Helper()
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := host.Start(cmd); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// want runs the program and compares its exit code, and a part of what it
// says. If the time that it was given is over before that, as may be on a busy
// machine, it is run again with twice the time, up to a minute.
func (b *bench) want(code int, said string, args ...string) result {
	b.t.Helper()
	for {
		r := b.lessee(args...)
		if r.code == code && strings.Contains(r.out+r.stderr, said) {
			return r
		}
		more := longer(args)
		if r.code != exitNoServer && r.code != exitNoLink || r.code == code || more == nil {
			b.t.Fatalf("lessee %s: exit %d, want %d and %q\n%s%s", strings.Join(args, " "), r.code, code, said, r.out, r.stderr)
		}
		args = more
	}
}

// longer is a command line with twice the time; nil if it has none, or enough.
func longer(args []string) []string {
	for i, flag := range args[:max(len(args)-1, 0)] {
		if flag != "--timeout" && flag != "--wait" && flag != "--offer-wait" {
			continue
		}
		if d, err := time.ParseDuration(args[i+1]); err == nil && d > 0 && d < 30*time.Second {
			return replace(args, i+1, 1, (2 * d).String())
		}
	}
	return nil
}

// clean checks that nothing of ours is on the host.
func (b *bench) clean() {
	b.t.Helper()
	if a, r := b.host.AddrsOf("eth0"), b.host.RoutesOf(); len(a) != 0 || len(r) != 0 {
		b.t.Errorf("left behind: %v, %q", a, r)
	}
	if text, err := os.ReadFile(b.resolvConf()); !errors.Is(err, os.ErrNotExist) {
		b.t.Errorf("left behind: resolv.conf %q, %v", text, err)
	}
}

func TestExit0Done(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "eth0: bound, 192.0.2.", "acquire", "eth0")
	if a := b.host.AddrsOf("eth0"); len(a) != 1 || a[0].Valid > time.Hour || a[0].Valid < 59*time.Minute {
		t.Errorf("addresses: %+v", a)
	}
	b.want(0, "eth0: renewed", "renew", "eth0")
	b.want(0, "eth0: renewed", "rebind", "eth0")
	b.want(0, "eth0: informed", "inform", "eth0")
	b.want(0, "would be chosen", "discover", "eth0", "--wait", "200ms")
	b.want(0, "eth0: released", "release", "eth0")
	b.clean()
}

func TestExit1NothingToRelease(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(1, "eth0: no lease is remembered that is still valid: nothing is remembered\n", "release", "eth0")
	b.want(1, "lessee acquire eth0", "renew", "eth0")
}

func TestExit2WrongUsageSaysWhatWouldHaveWorked(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	for _, args := range [][]string{
		{"acquire"},
		{"acquire", "eth0", "eth1"},
		{"acquire", "eth0", "--no-such-flag"},
		{"acquire", "eth0", "--timeout", "soon"},
		{"acquire", "eth0", "--timeout", "0s"},
		{"acquire", "eth0", "--probe", "hard"},
		{"acquire", "eth0", "--format", "xml"},
		{"acquire", "eth0", "--lease-time", "-1"},
		{"acquire", "eth0", "--request-address", "2001:db8::1"},
		{"acquire", "eth0", "--require", "no-such-option"},
		{"acquire", "eth0", "--option", "53=1"},
		{"acquire", "eth0", "--option", "routers=x"},
		{"acquire", "eth0", "--client-id", "zz"},
		{"acquire", "eth0", "--hostname", "a b"},
		{"acquire", "eth0", "--deny-server", "everybody"},
		{"acquire", "../etc"},
		{"acquir", "eth0"},
		{"inform", "eth0", "--address", "192.0.2.9"},
		{"--format", "json", "acquire", "eth0"},
	} {
		r := b.lessee(args...)
		if r.code != 2 || !strings.Contains(r.stderr, "try: lessee ") || !strings.HasPrefix(r.stderr, "lessee: ") {
			t.Errorf("lessee %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.stderr)
		}
	}
	if got := len(b.srv.Log()); got != 0 {
		t.Errorf("%d messages were sent all the same", got)
	}
}

func TestFlagsBeforeAndAfterTheLink(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	for _, args := range [][]string{
		{"discover", "--wait", "100ms", "--format", "json", "eth0"},
		{"discover", "eth0", "--wait", "100ms", "--format", "json"},
		{"discover", "--wait=100ms", "eth0", "--format=json"},
	} {
		r := b.want(0, `"discovered"`, args...)
		if !json.Valid([]byte(r.out)) {
			t.Errorf("%v: %s", args, r.out)
		}
	}
}

func TestExit3NoServer(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.srv.Always(dhcptest.Ignore)
	b.want(3, "lessee: eth0: no server answered (gave up after ", "acquire", "eth0", "--timeout", "300ms")
	b.want(3, "no offer", "discover", "eth0", "--wait", "100ms")
	b.clean()
}

func TestExit4Refused(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.srv.On(dhcp4.Request, dhcptest.NAK("not here"))
	b.want(4, `not here`, "acquire", "eth0", "--timeout", "1s")
	b.srv.Reset()
	b.want(4, "required option 42", "acquire", "eth0", "--require", "ntp-servers", "--timeout", "500ms")
	b.want(4, "server refused", "acquire", "eth0", "--deny-server", "192.0.2.1", "--timeout", "500ms")
	b.clean()
}

func TestExit5EveryAddressInUse(t *testing.T) {
	b := newBench(t, dhcptest.Config{First: netip.MustParseAddr("192.0.2.50"), Last: netip.MustParseAddr("192.0.2.50")})
	b.remote.Must(func() error {
		s, err := dhcptest.Squat("eth0", dhcptest.SquatterConfig{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.50")}})
		if err == nil {
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		return err
	})
	b.want(5, "192.0.2.50 is in use by ", "acquire", "eth0", "--timeout", "1s")
	b.waitFor(dhcptest.Received(dhcp4.Decline))
	if len(b.srv.Declined()) != 1 {
		t.Errorf("declined: %v", b.srv.Declined())
	}
	b.clean()
}

func TestExit6NoLinkNoCarrier(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(6, "no such interface", "acquire", "eth9")
	b.want(6, "no such interface (the name is eth0; ", "acquire", "eth0@if2")
	if err := b.remote.SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	b.want(6, "no carrier: is the cable in, and the other end up? (gave up after ", "acquire", "eth0", "--timeout", "200ms")
	b.want(6, "eth0 is up and has no carrier", "discover", "eth0")
	if err := b.host.SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	b.want(6, "eth0 is down, so that it has no carrier (ip link set eth0 up)", "discover", "eth0")
}

func TestExit6LinkVanishesInTheMiddle(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.srv.On(dhcp4.Discover, dhcptest.Ignore)
	done := make(chan result)
	go func() { done <- b.lessee("acquire", "eth0", "--timeout", "20s") }()
	b.waitFor(dhcptest.Received(dhcp4.Discover))
	if err := b.remote.Remove("eth0"); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.code != 6 || !strings.Contains(r.stderr, "gone") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

func (b *bench) waitFor(want func(dhcptest.Event) bool) dhcptest.Event {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	e, err := b.srv.WaitFor(ctx, want)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

func TestExit7NotPermitted(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, tc := range []struct{ args, capability string }{
		{"discover eth0", "CAP_NET_RAW"},
		{"acquire eth0 --no-apply", "CAP_NET_RAW"},
	} {
		cmd := b.command(ctx, strings.Fields(tc.args)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		// In a user namespace of its own it has no rights over the link.
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
		if err := b.host.Start(cmd); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // its exit code says it
		if code := cmd.ProcessState.ExitCode(); code != 7 || !strings.Contains(stderr.String(), tc.capability) {
			t.Errorf("lessee %s: exit %d\n%s", tc.args, code, stderr.String())
		}
	}
}

func TestExit8HostNotConfiguredAndUndone(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	// A directory stands where resolv.conf should be: the last step fails.
	if err := os.MkdirAll(filepath.Join(b.resolvConf(), "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.want(8, "resolv.conf", "acquire", "eth0")
	if a, r := b.host.AddrsOf("eth0"), b.host.RoutesOf(); len(a) != 0 || len(r) != 0 {
		t.Errorf("left behind: %v, %q", a, r)
	}
	b.waitFor(dhcptest.Received(dhcp4.Release))
	if l := b.srv.Leases(); len(l) != 0 {
		t.Errorf("the server still counts %v as leased", l)
	}
}

func TestSignalInTheMiddleUndoesAndGivesBack(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := b.command(ctx, "acquire", "eth0", "--probe", "rfc5227")
	if err := b.host.Start(cmd); err != nil {
		t.Fatal(err)
	}
	b.waitFor(dhcptest.Sent(dhcp4.ACK))
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit code says it
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit %d", code)
	}
	b.waitFor(dhcptest.Received(dhcp4.Release))
	b.clean()
}

func TestDryRunTakesAndChangesNothing(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "would ip route add default via 192.0.2.1", "acquire", "eth0", "--dry-run", "--offer-wait", "100ms")
	for _, e := range b.srv.Log() {
		if e.Message != nil && e.Message.Type() == dhcp4.Request {
			t.Error("it asked for a lease")
		}
	}
	b.clean()
	// Of a link that is configured it tells the difference.
	b.want(0, "bound", "acquire", "eth0")
	b.want(0, "would ip route del default via 192.0.2.1", "acquire", "eth0", "--dry-run", "--offer-wait", "100ms", "--metric", "7")
	b.want(0, "released", "release", "eth0")
	b.clean()
}

func TestAWishCostsNoAddressThatWorks(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "note: 198.51.100.9 was wished for, and the server granted another address\n", "acquire", "eth0", "--request-address", "198.51.100.9")
	had := b.host.AddrsOf("eth0")
	b.srv.On(dhcp4.Discover, dhcptest.Ignore)
	b.want(0, "note: 192.0.2.9 was wished for, and the lease is kept that was there (lessee release eth0 ends it)\n", "acquire", "eth0", "--request-address", "192.0.2.9", "--no-server", "fail", "--timeout", "1s")
	if has := b.host.AddrsOf("eth0"); len(has) != 1 || has[0].Prefix != had[0].Prefix {
		t.Errorf("eth0 had %v, and has %v", had, has)
	}
}

func TestNoApplyLeavesTheHostAlone(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0", "--no-apply")
	if len(b.srv.Leases()) != 1 {
		t.Errorf("leases: %v", b.srv.Leases())
	}
	b.clean()
}

func TestEnvSurvivesEvalWithHostileValues(t *testing.T) {
	hostile := "x'; touch pwned; echo '$(touch pwned)`touch pwned`\n\"\\"
	options := dhcptest.MustOptions("routers=192.0.2.1")
	for _, c := range []dhcp4.Code{56, 67, 114, 224, 252} {
		options.Put(c, []byte(hostile))
	}
	options.Put(dhcp4.DomainName.Code, []byte("evil.example;touch pwned"))
	options.Put(dhcp4.HostName.Code, []byte("$(touch pwned)"))
	b := newBench(t, dhcptest.Config{Options: options, ForceOptions: true})
	r := b.want(0, "LESSEE_ADDRESS='192.0.2.", "acquire", "eth0", "--no-apply", "--format", "env")
	sh := exec.Command("sh", "-euc", `eval "$1"; printf '%s|%s|%s|%s' "$LESSEE_RESULT" "$LESSEE_OPTION_67" "$LESSEE_DOMAIN" "$LESSEE_HOSTNAME"`, "sh", r.out)
	sh.Dir = b.dir
	out, err := sh.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, r.out)
	}
	// B16: names that are none are gone; text for people is escaped.
	want := fmt.Sprintf("bound|%s||", strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(hostile, `\`, `\\`), "\n", `\n`), `"`, `\"`))
	if string(out) != want {
		t.Errorf("the shell has %q, want %q", out, want)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "pwned")); err == nil {
		t.Error("a server ran a command in the shell")
	}
}

func TestNoServerUsesOrRefusesWhatIsRemembered(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0")
	b.srv.Always(dhcptest.Ignore)
	b.want(3, "no server answered", "acquire", "eth0", "--no-server", "fail", "--timeout", "1s")
	// D4: refusing took the address away, the lease is still remembered.
	b.want(0, "unconfirmed", "acquire", "eth0", "--timeout", "4s")
	if len(b.host.AddrsOf("eth0")) != 1 {
		t.Error("the remembered address is not in use")
	}
}

func TestBrokenStoreIsNoReasonToFail(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	for _, name := range []string{"eth0.lease.json", "eth0.applied.json"} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.want(0, "bound", "acquire", "eth0", "--log-level", "warn")
	b.want(0, "released", "release", "eth0")
	b.clean()
	b.want(0, "bound", "acquire", "eth0")
	for _, tc := range []struct {
		code    int
		command string
	}{{1, "renew"}, {0, "release"}} {
		if err := os.WriteFile(filepath.Join(b.dir, "eth0.lease.json"), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		b.want(tc.code, "the file is broken or foreign; it was set aside", tc.command, "eth0")
	}
	b.clean()
}

func TestReleaseOfWhatCannotAllBeUndoneFailsUntilItCan(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	const was = "# the operator's own\n"
	if err := os.WriteFile(b.resolvConf(), []byte(was), 0o644); err != nil {
		t.Fatal(err)
	}
	b.want(0, "bound", "acquire", "eth0")
	way := filepath.Join(b.dir, ".resolv.conf.lessee") // what stands there is in the new file's way
	if err := os.MkdirAll(filepath.Join(way, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.want(1, "lessee: eth0: the resolver is not configured: ", "release", "eth0")
	if err := os.RemoveAll(way); err != nil {
		t.Fatal(err)
	}
	b.want(0, "released", "release", "eth0")
	if is, err := os.ReadFile(b.resolvConf()); err != nil || string(is) != was {
		t.Errorf("resolv.conf is %q, %v", is, err)
	}
}

func TestKilledAcquireIsUndoneByTheNextRelease(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0")
	// As if it had been killed before it could remember the lease.
	if err := os.Remove(filepath.Join(b.dir, "eth0.lease.json")); err != nil {
		t.Fatal(err)
	}
	b.want(0, "released", "release", "eth0")
	b.clean()
}

func TestTwoAtOnceAreKeptApart(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.srv.On(dhcp4.Discover, dhcptest.Ignore)
	first := b.command(t.Context(), "acquire", "eth0")
	if err := b.host.Start(first); err != nil {
		t.Fatal(err)
	}
	b.waitFor(dhcptest.Received(dhcp4.Discover))
	b.want(1, "another lessee, process", "acquire", "eth0")
	if err := first.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // it was ended
}

func TestTracePcapAndDebugShowWhatHappened(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	pcap := filepath.Join(b.dir, "x.pcap")
	var offers atomic.Int32
	b.srv.On(dhcp4.Discover, dhcptest.Twice, dhcptest.Mutate(func(m *dhcp4.Message) {
		if offers.Add(1)%2 == 1 { // of two, the first one is to somebody else
			m.XID = ^m.XID
		}
	}))
	r := b.want(0, "DHCPOFFER", "discover", "eth0", "--wait", "200ms", "--trace-options", "--pcap", pcap, "--log-level", "debug")
	for _, want := range []string{"├─── DHCPDISCOVER", "other xid", "dhcp-parameter-request-list", `msg=dropped`} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("no %q in\n%s", want, r.stderr)
		}
	}
	data, err := os.ReadFile(pcap)
	if err != nil || len(data) < 24+3*(16+14+20+8+300) || !bytes.Equal(data[:4], []byte{0x4d, 0x3c, 0xb2, 0xa1}) {
		t.Errorf("a pcap file of %d bytes, %v", len(data), err)
	}
}

func TestJSONTellsMachinesOfFailuresToo(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.srv.Always(dhcptest.Ignore)
	r := b.want(3, "", "discover", "eth0", "--wait", "100ms", "--format", "json")
	var d document
	if err := json.Unmarshal([]byte(r.out), &d); err != nil || d.Result != "failed" || d.Error.Exit != 3 || d.Version != 1 {
		t.Errorf("%v, %+v\n%s", err, d, r.out)
	}
}

func TestInformAndSurveysThatNobodyAnswersFail(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.host.Addr("eth0", "192.0.2.9/24")
	b.srv.Always(dhcptest.Ignore)
	b.want(3, "no server answered", "inform", "eth0", "--timeout", "300ms")
	b.want(2, "eth0 does not have 192.0.2.99\ntry: ip address add 192.0.2.99/24 dev eth0", "inform", "eth0", "--address", "192.0.2.99/24")
	b.want(3, "no offer came", "discover", "eth0", "--timeout", "300ms")
	b.want(3, "no offer came", "acquire", "eth0", "--dry-run", "--timeout", "300ms")
}

func TestWhatTheLinkDoesNotHoldIsNotExtended(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0", "--no-apply")
	b.want(1, "lessee acquire eth0 confirms and checks it", "renew", "eth0")
	b.clean()
}

func TestReleaseUndoesAllWithoutACarrier(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0")
	if err := b.remote.SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	b.want(0, "no server was told", "release", "eth0")
	b.clean()
}

func TestReleaseUndoesWhatOutlivedTheLink(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0")
	if err := b.host.Remove("eth0"); err != nil {
		t.Fatal(err)
	}
	b.want(0, "the link is gone", "release", "eth0")
	if text, err := os.ReadFile(b.resolvConf()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %q, %v", text, err)
	}
	b.want(6, "no such interface", "release", "eth0")
}

func TestAnAgentUndoesWhatALinkLeftThatWentAwayMeanwhile(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0", "--source-routing", "on")
	if err := b.host.Remove("eth0"); err != nil {
		t.Fatal(err)
	}
	rules := func() string { return ran(t, b.host, exec.Command("ip", "rule", "show")).out }
	if !strings.Contains(rules(), "from 192.0.2.") {
		t.Fatalf("nothing is left: %s", rules())
	}
	a := b.run()
	b.eventually("the file is as it was", func() bool {
		_, err := os.Stat(b.resolvConf())
		return errors.Is(err, os.ErrNotExist)
	})
	a.stop()
	if strings.Contains(rules(), "from 192.0.2.") {
		t.Error(rules())
	}
	b.want(6, "no such interface", "release", "eth0")
}

func TestReleaseHasTheScriptUndoWhatOutlivedTheLink(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	style := []string{"--hooks-dir", "none", "--hook-style", "udhcpc", "--hook-script", b.script("ip link show $interface > /dev/null 2>&1 || exit 7")}
	b.want(0, "bound", append([]string{"acquire", "eth0"}, style...)...)
	if err := b.host.Remove("eth0"); err != nil {
		t.Fatal(err)
	}
	b.want(0, "exit status 7", "release", "eth0")
	if got := events(b.said()); !slices.Equal(got, []string{"deconfig", "bound", "deconfig"}) {
		t.Errorf("called for %q", got)
	}
	b.want(6, "no such interface", "release", "eth0")
}

func TestC11FlagsHoldForWhatIsRememberedToo(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0")
	b.want(4, "server refused", "acquire", "eth0", "--deny-server", "192.0.2.1", "--timeout", "700ms")
	b.want(4, "required option 42", "acquire", "eth0", "--require", "ntp-servers", "--timeout", "700ms")
}

func TestC5ReleaseUsesTheIdentityThatTheLeaseWasGotWith(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0", "--client-id", "duid")
	b.want(0, "renewed", "renew", "eth0")
	b.want(0, "released", "release", "eth0")
	b.waitFor(dhcptest.Received(dhcp4.Release))
	if n := len(b.srv.Leases()); n != 0 {
		t.Errorf("the server still has %d leases", n)
	}
}

func TestAnAcquireThatFailsLeavesTheLinkAsItWas(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.srv.Always(dhcptest.Ignore)
	if err := b.host.SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	b.want(3, "no server answered", "acquire", "eth0", "--timeout", "500ms")
	ifi, err := b.host.Interface("eth0")
	if err != nil || ifi.Flags&net.FlagUp != 0 {
		t.Errorf("flags %v, %v", ifi.Flags, err)
	}
}

func TestRoutesThatTheKernelLostComeBack(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, "bound", "acquire", "eth0")
	routes := b.host.RoutesOf()
	for _, set := range []func(string) error{b.host.SetDown, b.host.SetUp} {
		if err := set("eth0"); err != nil {
			t.Fatal(err)
		}
	}
	b.want(0, "bound", "acquire", "eth0")
	if got := b.host.RoutesOf(); !slices.Equal(got, routes) {
		t.Errorf("routes %q, before %q", got, routes)
	}
}
