package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// explained is what a command explains.
func explained(t *testing.T, out string) agent.Explanation {
	t.Helper()
	var d document
	if err := json.Unmarshal([]byte(out), &d); err != nil || d.Explanation == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return *d.Explanation
}

func TestWhatAScriptDoesIsNotExplainedAsOurs(t *testing.T) {
	b := newBench(t, dhcptest.Config{Options: dhcptest.MustOptions("routers=192.0.2.1", "interface-mtu=1400", "domain-name=a.example"), ForceOptions: true})
	script := b.script("exit 0")
	style := []string{"--hooks-dir", "none", "--hook-style", "udhcpc", "--hook-script", script}
	args := append(style, "--no-mtu", "--supersede", "domain-name=b.example", "--format", "json", "--explain")
	e := explained(t, b.want(0, "", append([]string{"acquire", "eth0"}, args...)...).out)
	if len(e.Host) != 1 || e.Host[0].Kind != "script" || e.Host[0].What != script {
		t.Errorf("on the host: %+v", e.Host)
	}
	for code, want := range map[uint8]string{
		3:  "script " + script,
		15: "script " + script + " [a.example: superseded by --supersede]",
		26: "[1400: the operator keeps the link's own]",
		51: "the times of the lease",
	} {
		if got := fate(e, code); got != want {
			t.Errorf("option %d: %s, want %s", code, got, want)
		}
	}
	b.want(0, "released", "release", "eth0")
	stop, _ := b.agent(append([]string{"--config", "none"}, style...)...)
	b.eventually("bound", func() bool { return b.status().State == "BOUND" })
	b.want(0, "  script        "+script+", by hook-style: ", "status", "eth0", "--explain", "--run-dir", b.dir)
	stop()
}

// What others have their way with is not on the host by us; and a part of an
// address is no option that nothing follows.
func TestOnlyWhatIsOnTheHostIsExplainedAsThere(t *testing.T) {
	b := newBench(t, dhcptest.Config{Options: dhcptest.MustOptions("host-name=box", "broadcast-address=192.0.2.255"), ForceOptions: true})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `hostname mine && exec "$0" acquire eth0 --explain --format json --config none --state-dir "$1" --run-dir "$1" --resolv-conf none`, exe, b.dir)
	cmd.Env = append(os.Environ(), asLessee+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := b.host.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	e := explained(t, out.String())
	if slices.ContainsFunc(e.Host, func(f agent.Fact) bool { return f.Kind == "host name" }) {
		t.Errorf("on the host: %+v", e.Host)
	}
	if got := fate(e, 12); !strings.HasPrefix(got, `[host name "box": the host has a name of its own, "mine"`) {
		t.Error(got)
	}
	if got := fate(e, 28); got != "address brd 192.0.2.255" {
		t.Error(got)
	}
}
