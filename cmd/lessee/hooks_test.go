package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/nettest"
	"github.com/lessee/lessee/netconf/hook"
)

// hooksDir makes a folder with one hook, a shell script that may write to $OUT.
func (b *bench) hooksDir(text string) string {
	b.t.Helper()
	dir := filepath.Join(b.dir, "hooks.d")
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, 0o755)); err != nil {
		b.t.Fatal(err)
	}
	nettest.Executable(b.t, filepath.Join(dir, "10-test"), "#!/bin/sh\nOUT="+b.dir+"\n"+text+"\n")
	return dir
}

// tellsAll is a hook that writes down each event.
const tellsAll = `cat >> $OUT/json; echo "$LESSEE_EVENT ${LESSEE_ADDRESS-}" >> $OUT/said`

// said is what that hook wrote, a line for each event.
func (b *bench) said() []string {
	text, err := os.ReadFile(filepath.Join(b.dir, "said"))
	if err != nil && !os.IsNotExist(err) {
		b.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// events are their names alone.
func events(said []string) (out []string) {
	for _, line := range said {
		name, _, _ := strings.Cut(line, " ")
		out = append(out, name)
	}
	return out
}

func TestACommandEndsWithItsHooks(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	dir := b.hooksDir("sleep 0.1; " + tellsAll)
	b.want(0, "would run "+dir+"/10-test, for bound\n", "acquire", "eth0", "--hooks-dir", dir, "--dry-run", "--offer-wait", "100ms")
	if err := os.WriteFile(filepath.Join(dir, "20-mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	b.want(0, "note: as it is, a hook is not run: "+dir+"/20-mine is not executable", "acquire", "eth0", "--hooks-dir", dir, "--dry-run", "--offer-wait", "100ms")
	b.want(0, "bound", "acquire", "eth0", "--hooks-dir", dir)
	if got := events(b.said()); !slices.Equal(got, []string{"bound"}) {
		t.Errorf("%q", got)
	}
	b.want(0, "renewed", "renew", "eth0", "--hooks-dir", dir)
	b.want(0, "bound", "acquire", "eth0", "--hooks-dir", dir)
	b.want(0, "released", "release", "eth0", "--hooks-dir", dir)
	if got := events(b.said()); !slices.Equal(got, []string{"bound", "renewed", "rebooted", "released"}) {
		t.Errorf("%q", got)
	}
	b.want(0, "bound", "acquire", "eth0", "--hooks-dir", "none")
	b.want(0, "bound", "acquire", "eth0", "--no-apply", "--hooks-dir", dir)
	if got := len(b.said()); got != 4 {
		t.Errorf("the host is left alone, and hooks run: %q", b.said())
	}
	for line := range strings.Lines(readFile(t, filepath.Join(b.dir, "json"))) {
		var e hook.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Interface != "eth0" || time.Since(e.Time) > time.Hour || e.Time.After(time.Now()) {
			t.Errorf("%v, %+v", err, e)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReleaseWithoutACarrierTellsHooksToo(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	dir := b.hooksDir(tellsAll)
	b.want(0, "bound", "acquire", "eth0")
	if err := b.remote.SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	path := file(t, "[link.eth0.override]\nsupersede.domain-name = 'b.example'\nsupersede.subnet-mask = '/25'\n")
	b.want(0, "/25 from 192.0.2.1\n", "release", "eth0", "--hooks-dir", dir, "--config", path)
	if got := events(b.said()); !slices.Equal(got, []string{"released"}) {
		t.Errorf("%q", got)
	}
	if got := readFile(t, filepath.Join(b.dir, "json")); !strings.Contains(got, `"domain":"b.example"`) || !strings.Contains(got, `"text":"no server was told`) {
		t.Errorf("of a lease as it is not used: %s", got)
	}
}

func TestAHookThatHangsOrFailsChangesNoExitCode(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	r := b.want(0, "bound", "acquire", "eth0", "--hooks-dir", b.hooksDir("exec sleep 1000"), "--hook-timeout", "200ms")
	if !strings.Contains(r.stderr, hook.ErrTooLong.Error()) {
		t.Error(r.stderr)
	}
	r = b.want(0, "released", "release", "eth0", "--hooks-dir", b.hooksDir("echo it is broken; exit 7"))
	if !strings.Contains(r.stderr, "exit status 7") {
		t.Error(r.stderr)
	}
	b.clean()
}

// An agency is the agent as it runs on the host of a bench.
type agency struct {
	*bench
	cmd *exec.Cmd
	log bytes.Buffer
}

// run starts the agent; it ends with the test.
func (b *bench) run(args ...string) *agency {
	b.t.Helper()
	a := &agency{bench: b}
	args = append([]string{"run", "eth0", "--config", "none", "--state-dir", b.dir, "--run-dir", b.dir, "--resolv-conf", b.resolvConf()}, args...)
	a.cmd = exec.Command("/proc/self/exe", args...)
	a.cmd.Env = append(os.Environ(), asLessee+"=1")
	a.cmd.Stderr = &a.log
	if err := b.host.Start(a.cmd); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if a.cmd.ProcessState == nil {
			_ = a.cmd.Process.Kill()
			_ = a.cmd.Wait()
		}
		if b.t.Failed() {
			b.t.Logf("the agent's log:\n%s", &a.log)
		}
	})
	return a
}

// until waits until hooks have been told of so many events.
func (a *agency) until(n int) []string {
	a.t.Helper()
	for range 4000 {
		if said := a.said(); len(said) >= n && said[0] != "" {
			return said
		}
		time.Sleep(5 * time.Millisecond)
	}
	a.t.Fatalf("%d events did not come: %q", n, a.said())
	return nil
}

// ask runs a command that asks the agent.
func (a *agency) ask(args ...string) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", append(args, "--config", "none", "--run-dir", a.dir)...)
	cmd.Env = append(os.Environ(), asLessee+"=1")
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := a.host.Start(cmd); err != nil {
		a.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		a.t.Fatalf("lessee %q: %v\n%s", args, err, out)
	}
}

// stop ends the agent, and waits.
func (a *agency) stop() {
	a.t.Helper()
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		a.t.Fatal(err)
	}
	if err := a.cmd.Wait(); err != nil {
		a.t.Error(err)
	}
}

func TestTheAgentTellsHooksOfAWholeLife(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	a := b.run("--hooks-dir", b.hooksDir("sleep 0.05; "+tellsAll), "--carrier-delay", "0s", "--on-stop", "release")
	a.until(1)
	a.ask("renew", "eth0")
	a.until(2)
	a.ask("rebind", "eth0")
	a.until(3)
	if err := b.remote.SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	a.until(4)
	if err := b.remote.SetUp("eth0"); err != nil {
		t.Fatal(err)
	}
	a.until(6)
	b.srv.On(dhcp4.Request, dhcptest.First(1, dhcptest.NAK("not here")))
	cmd := exec.Command("/proc/self/exe", "renew", "eth0", "--config", "none", "--run-dir", b.dir)
	cmd.Env = append(os.Environ(), asLessee+"=1")
	if err := b.host.Start(cmd); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it is refused
	a.until(8)
	a.stop()
	want := []string{"bound", "renewed", "rebound", "link-down", "link-up", "rebooted", "nak", "bound", "released"}
	if got := events(b.said()); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	b.clean()
}

func TestTheAgentTellsHooksOfTheUnpleasant(t *testing.T) {
	b := newBench(t, dhcptest.Config{First: netip.MustParseAddr("192.0.2.50"), Last: netip.MustParseAddr("192.0.2.50")})
	squat := func() (s *dhcptest.Squatter) {
		b.remote.Must(func() (err error) {
			s, err = dhcptest.Squat("eth0", dhcptest.SquatterConfig{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.50")}})
			return err
		})
		return s
	}
	s := squat()
	t.Cleanup(func() { _ = s.Close() })
	dir := b.hooksDir(tellsAll)
	a := b.run("--hooks-dir", dir)
	a.until(1)
	a.stop()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := b.said(); !slices.Equal(got, []string{"conflict 192.0.2.50", "stopping "}) {
		t.Errorf("%q", got)
	}
	if e := readFile(t, filepath.Join(b.dir, "json")); !strings.Contains(e, `"holder":"`) {
		t.Errorf("nobody is named: %s", e)
	}
}

func TestAnAgentWhoseLeaseRunsOutTellsHooks(t *testing.T) {
	b := newBench(t, dhcptest.Config{LeaseTime: 3})
	a := b.run("--hooks-dir", b.hooksDir(tellsAll))
	a.until(1)
	b.srv.Always(dhcptest.Ignore)
	for range 4000 {
		if slices.Contains(events(b.said()), "expired") {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	a.stop()
	got := events(b.said())
	if got[0] != "bound" || !slices.Contains(got, "expired") || got[len(got)-1] != "stopping" {
		t.Errorf("%q", got)
	}
}

func TestHooksDoNotKeepTheAgentFromAnything(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	a := b.run("--hooks-dir", b.hooksDir("trap '' TERM; while :; do sleep 1; done"), "--hook-timeout", "1s")
	a.ask("wait", "eth0", "--timeout", "20s")
	for range 3 {
		a.ask("renew", "eth0")
	}
	a.stop()
	if len(b.host.AddrsOf("eth0")) != 1 {
		t.Error("the address is not there any more")
	}
	if !strings.Contains(a.log.String(), hook.ErrTooLong.Error()) {
		t.Error("nobody was told")
	}
	a = b.run("--hooks-dir", b.hooksDir(tellsAll), "--on-stop", "withdraw") // and the next one takes over
	for range 4000 {
		if slices.Contains(events(b.said()), "rebooted") {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	a.stop()
	got := b.said()
	addr, _, _ := strings.Cut(strings.TrimPrefix(got[len(got)-1], "stopping "), " ")
	if !slices.Contains(got, "rebooted "+addr) || addr == "" {
		t.Errorf("%q", got)
	}
	b.clean()
}

// script is one in the style of udhcpc's that writes down how it is called.
func (b *bench) script(text string) string {
	b.t.Helper()
	return filepath.Join(b.hooksDir(`echo "$1 $interface ${ip-}" >> $OUT/said; `+text), "10-test")
}

func TestExit8WhenTheScriptFails(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	for _, tc := range []struct {
		text string
		want []string // how the script is called
	}{
		{`case $1 in bound) echo "no such thing"; exit 3; esac`, []string{"deconfig", "bound", "deconfig"}},
		{`exit 3`, []string{"deconfig"}},
	} {
		style := []string{"--hooks-dir", "none", "--hook-style", "udhcpc", "--hook-script", b.script(tc.text)}
		b.want(8, "exit status 3", append([]string{"acquire", "eth0"}, style...)...)
		if got := events(b.said()); !slices.Equal(got, tc.want) {
			t.Errorf("called for %q, want %q", got, tc.want)
		}
		if err := os.Remove(filepath.Join(b.dir, "said")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(b.dir, "hooks.d", "10-test"), 0o777); err != nil {
		t.Fatal(err)
	}
	b.want(0, "note: as it is, the script is not run: ", "acquire", "eth0", "--dry-run", "--offer-wait", "100ms", "--hook-style", "udhcpc", "--hook-script", filepath.Join(b.dir, "hooks.d", "10-test"))
	b.want(8, "writable by others", "acquire", "eth0", "--hook-style", "udhcpc", "--hook-script", filepath.Join(b.dir, "hooks.d", "10-test"), "--hooks-dir", "none")
	b.eventually("the server counts no lease", func() bool { return len(b.srv.Leases()) == 0 })
	b.clean()
}

func TestChangingWhoConfiguresLeavesNothingOfTheOther(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	style := []string{"--hooks-dir", "none", "--hook-style", "udhcpc", "--hook-script", b.script("exit 0")}
	look := []string{"acquire", "eth0", "--dry-run", "--offer-wait", "100ms"}
	b.want(0, "bound", "acquire", "eth0")
	b.want(0, "what lessee itself has configured would be undone first", append(look, style...)...)
	b.want(0, "bound", append([]string{"acquire", "eth0"}, style...)...)
	b.want(0, "what a script has configured (hook-style) would be undone first", look...)
	if r := b.want(0, "planned", append(look, style...)...); strings.Contains(r.out, "undone") {
		t.Errorf("by the same script: %s", r.out)
	}
	b.clean() // this script configures nothing, and netconf has cleaned up
	b.want(0, "bound", "acquire", "eth0")
	if got := events(b.said()); !slices.Equal(got, []string{"deconfig", "bound", "deconfig"}) {
		t.Errorf("%q", got)
	}
	if len(b.host.AddrsOf("eth0")) != 1 {
		t.Error("netconf did not configure the link")
	}
	b.want(0, "released", "release", "eth0")
	b.clean()
}

func TestAScriptHearsOfRefusalsToo(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.srv.On(dhcp4.Request, dhcptest.First(1, dhcptest.NAK("not here; $(reboot)")))
	b.want(0, "bound", "acquire", "eth0", "--hooks-dir", "none", "--hook-style", "udhcpc", "--hook-script", b.script("exit 0"))
	got := events(b.said())
	slices.Sort(got) // nobody waits for the one who hears of a refusal
	if !slices.Equal(got, []string{"bound", "deconfig", "nak"}) {
		t.Errorf("%q", got)
	}
}

func TestTheExamplesOfHooksWork(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	dir := b.hooksDir("exit 0")
	for _, name := range []string{"20-addresses", "30-events"} {
		text := readFile(t, filepath.Join("../../examples/hooks", name))
		text = strings.Replace(text, "set -eu\n", fmt.Sprintf("set -eu\nADDRESSES=%[1]s/addresses EVENTS=%[1]s/events\n", b.dir), 1)
		nettest.Executable(t, filepath.Join(dir, name), text)
	}
	r := b.want(0, "bound", "acquire", "eth0", "--hooks-dir", dir)
	file := filepath.Join(b.dir, "addresses", "eth0")
	if addr := strings.TrimSpace(readFile(t, file)); !strings.Contains(r.out, addr+"/24") {
		t.Errorf("%q is written, but\n%s", addr, r.out)
	}
	if r = b.want(0, "released", "release", "eth0", "--hooks-dir", dir); strings.Contains(r.stderr, "WARN") {
		t.Error(r.stderr)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if lines := strings.Count(readFile(t, filepath.Join(b.dir, "events")), "\n"); lines != 2 {
		t.Errorf("%d events are kept", lines)
	}
}

func TestTheExamplesOfHooksAreInTheShellsGoodBooks(t *testing.T) {
	list, err := filepath.Glob("../../examples/hooks/[0-9]*")
	if err != nil || len(list) < 3 {
		t.Fatal(list, err)
	}
	for _, path := range list {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o111 == 0 {
			t.Errorf("%s is not executable: %v", path, err)
		}
		if out, err := exec.Command("sh", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
	}
	if out, err := exec.Command(nettest.Program(t, "shellcheck"), list...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
