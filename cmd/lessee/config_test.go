package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

// runLessee runs the program where it is; for commands that send nothing.
func runLessee(t *testing.T, args ...string) result {
	t.Helper()
	return runLesseeAs(t, nil, args...)
}

func runLesseeAs(t *testing.T, attr *syscall.SysProcAttr, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), asLessee+"=1")
	cmd.SysProcAttr = attr
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// file writes a configuration.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lessee.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigCheckTellsAllAtOnce(t *testing.T) {
	path := file(t, "[defaults]\nmetrc = 1\n[agent]\nready = 'soon'\n")
	r := runLessee(t, "config", "check", path)
	want := path + ":2:1: metrc: no such setting; metric is probably meant\n" +
		"    2 | metrc = 1\n      | ^\n" +
		path + ":4:9: ready: want one of configured, first, started\n" +
		"    4 | ready = 'soon'\n      |         ^\n"
	if r.code != exitUsage || r.out != want || r.stderr != "lessee: "+path+" is not followed: 2 mistakes\n" {
		t.Errorf("exit %d\n%s\nwant\n%s\n%s", r.code, r.out, want, r.stderr)
	}
	good := file(t, "[defaults]\nmetric = 1\n")
	if r := runLessee(t, "config", "check", good); r.code != exitDone || r.out != good+": good\n" || r.stderr != "" {
		t.Errorf("%+v", r)
	}
}

func TestConfigCheckOfWhatIsNotThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing")
	for _, args := range [][]string{{"config", "check", path}, {"config", "show", "eth0", "--config", path}, {"renew", "eth0", "--config", path}} {
		if r := runLessee(t, args...); r.code != exitUsage || !strings.HasPrefix(r.stderr, "lessee: configuration "+path+": no such file or directory\n") {
			t.Errorf("%q: %+v", args, r)
		}
	}
	if _, err := os.Stat("/etc/lessee/lessee.toml"); errors.Is(err, os.ErrNotExist) {
		if r := runLessee(t, "config", "check"); r.code != exitDone || !strings.Contains(r.out, "there is none") {
			t.Errorf("%+v", r)
		}
	}
}

// Settings that cannot be read must not be taken for settings that are not
// there.
func TestAFileThatMayNotBeReadIsAnError(t *testing.T) {
	path := file(t, "[defaults]\n")
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	nobody := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER} // without root's right to read all
	r := runLesseeAs(t, nobody, "config", "show", "eth0", "--config", path)
	if r.code != exitUsage || r.stderr != "lessee: configuration "+path+": permission denied\ntry: lessee config check "+path+"\n" {
		t.Errorf("%+v", r)
	}
}

func TestConfigShowTellsWhatHoldsAndFromWhere(t *testing.T) {
	path := file(t, "[agent]\nready = 'first'\n[defaults]\nhostname = 'a'\nprobe = 'off'\n[link.'nol*']\nhostname = 'b'\nrequire = ['routers']\n")
	r := runLessee(t, "config", "show", "nolink7", "--config", path, "--metric", "5", "--no-mtu", "--option", "ntp-servers=192.0.2.1,192.0.2.2")
	if r.code != exitDone || !strings.HasPrefix(r.out, "[link.nolink7]\n") {
		t.Fatalf("%+v", r)
	}
	got := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(r.out), "\n")[1:] {
		name, rest, _ := strings.Cut(line, "=")
		value, from, _ := strings.Cut(rest, "#")
		got[strings.TrimSpace(name)] = strings.TrimSpace(value) + " # " + strings.TrimSpace(from)
	}
	for name, want := range map[string]string{
		"hostname":  `"b" # ` + path + `:7 [link."nol*"]`,
		"probe":     `"off" # ` + path + ":5 [defaults]",
		"require":   `["routers"] # ` + path + `:8 [link."nol*"]`,
		"metric":    "5 # --metric",
		"mtu":       "false # --no-mtu",
		"option":    `["ntp-servers=192.0.2.1,192.0.2.2"] # --option`,
		"ms-routes": "false # default",
	} {
		if got[name] != want {
			t.Errorf("%s: %s, want %s", name, got[name], want)
		}
	}
	if r := runLessee(t, "config", "show", "--config", path); r.code != exitDone || !strings.Contains(r.out, "[agent]\n") || !strings.Contains(r.out, path+":2 [agent]") {
		t.Errorf("of the agent: %+v", r)
	}
}

func TestConfigShowForMachines(t *testing.T) {
	path := file(t, "[link.'eth9@blue']\nmetric = 7\n")
	r := runLessee(t, "config", "show", "eth9@blue", "--config="+path, "--format=json", "--broadcast")
	var d struct {
		Lessee   int
		Link     string
		File     string
		Settings []shownValue
	}
	if err := json.Unmarshal([]byte(r.out), &d); err != nil || d.Lessee != 1 || d.Link != "eth9@blue" || d.File != path {
		t.Fatalf("%v, %+v\n%s", err, d, r.stderr)
	}
	got := map[string]string{}
	for _, s := range d.Settings {
		got[s.Name] = fmt.Sprintf("%v %s%s%s%d", s.Value, s.From, s.Flag, s.Table, s.Line)
	}
	for name, want := range map[string]string{
		"metric":    `7 file[link."eth9@blue"]2`,
		"broadcast": "true flagbroadcast0",
		"require":   "[] default0",
		"mtu":       "true default0",
	} {
		if got[name] != want {
			t.Errorf("%s: %s, want %s", name, got[name], want)
		}
	}
}

func TestWrongUseOfConfig(t *testing.T) {
	bad := file(t, "[defaults]\nmetric = -1\n")
	for _, tc := range []struct{ args, said, try string }{
		{"config chek", `no command "config chek"`, "lessee config check, or "},
		{"config check a b", "config check takes one file", "lessee config check /etc"},
		{"config check --nonsense", "flag provided but not defined: -nonsense", "lessee help config"},
		{"config show a b", "config show takes one interface", "lessee config show a"},
		{"config show en*", `interface "en*": want the name of one link, or NAME@NETNS`, "lessee config show "},
		{"config show eth9 --config none --metric x", "--metric x: want a number", "lessee config show eth9 --metric 100"},
		{"config show --config none --ready x", "--ready x: want one of configured, first, started", "lessee config show --ready configured"},
		{"config show eth9 --config " + bad, bad + ":2:10: metric: want 0 or more", "lessee config check " + bad},
		{"acquire eth9 --config " + bad, bad + ":2:10: metric: want 0 or more", "lessee config check " + bad},
		{"acquire eth9 --config none --hook-script /x", "--hook-script /x: contradicts hook-style (default): without a style", "lessee acquire eth9 --hook-script /x --hook-style udhcpc"},
		{"acquire eth9 --config none --hook-style udhcpc --hook-script x", "--hook-script x: want a path that begins with /", "lessee acquire eth9 --hook-script /etc/udhcpc/default.script"},
		{"acquire eth9 --config none --hooks-dir hooks.d", "--hooks-dir hooks.d: want a path that begins with /", "lessee acquire eth9 --hooks-dir /etc/lessee/hooks.d"},
		{"renew eth9 --mtu --no-mtu", "--mtu and --no-mtu contradict each other", "lessee renew eth9 --no-mtu"},
		{"acquire eth9 --allow-server 192.0.2.1 --deny-server 192.0.2.0/24", "--allow-server 192.0.2.1: contradicts deny-server (--deny-server): ", "lessee acquire eth9 --allow-server 192.0.2.1"},
	} {
		r := runLessee(t, strings.Fields(tc.args)...)
		if r.code != exitUsage || !strings.HasPrefix(r.stderr, "lessee: "+tc.said) || !strings.Contains(r.stderr, "\ntry: "+tc.try) || r.out != "" {
			t.Errorf("lessee %s: exit %d\n%s%s", tc.args, r.code, r.out, r.stderr)
		}
	}
}

// What the file says, all commands say to the server; and a flag wins.
func TestAllCommandsFollowTheFile(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	path := file(t, "[defaults]\nclient-id = '01:02:03'\n[link.eth0]\nhostname = 'file'\n[agent]\nstate-dir = '/nonexistent'\n")
	b.want(0, "bound", "acquire", "eth0", "--config", path)
	b.want(0, "renewed", "renew", "eth0", "--config", path)
	b.want(0, "would be chosen", "discover", "eth0", "--config", path, "--wait", "200ms")
	b.want(0, "informed", "inform", "eth0", "--config", path)
	b.want(0, "renewed", "rebind", "eth0", "--config", path, "--hostname", "flag")
	b.want(0, "released", "release", "eth0", "--config", path)
	names := map[string]int{}
	for _, e := range b.srv.Log() {
		if e.Message == nil || e.Sent {
			continue
		}
		if id, err := dhcp4.ClientIdentifier.Get(e.Message.Options); err != nil || id.String() != "01:02:03" {
			t.Errorf("%v: client identifier %v, %v", e, id, err)
		}
		if name, err := dhcp4.HostName.Get(e.Message.Options); err == nil {
			names[name]++
		}
	}
	if len(names) != 2 || names["file"] < 4 || names["flag"] < 1 {
		t.Errorf("host names: %v", names)
	}
}

// An alternative name of a link is the link, for the file too.
func TestTheFileGoesByTheKernelsName(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.host.Must(func() error {
		return netlink.LinkAddAltName(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}}, "enp1s0")
	})
	path := file(t, "[link.eth0]\nmetric = 7\n")
	b.want(0, path+":2 [link.eth0]", "config", "show", "enp1s0", "--config", path)
}
