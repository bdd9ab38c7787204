package resolv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/nettest"
)

// unpacked is where .ci/resolvers has put the files of a package. Tests that
// need it want to be root, because systemd-resolved becomes another user.
func unpacked(t *testing.T, pkg string) string {
	t.Helper()
	dir := "/var/cache/lessee-resolvers/" + pkg
	_, err := os.Stat(dir + "/.done")
	ids, _ := os.ReadFile("/proc/self/uid_map")
	if os.Getenv("CI") == "" && (err != nil || !strings.Contains(string(ids), "4294967295")) {
		t.Skip("be root, and run .ci/resolvers before, which unpacks " + pkg)
	}
	must(t, err)
	return dir
}

// A rig is a host of a test's own, with its /etc and its /run, as far as
// processes started from here see it.
type rig struct {
	t       *testing.T
	m, peer *nettest.Machine
	dir     string // for notes
}

// newRig returns a host whose links eth0 and eth1 are up and have addresses of
// the operator's.
func newRig(t *testing.T) *rig {
	t.Helper()
	n := nettest.New(t)
	r := &rig{t: t, m: n.Host("host"), peer: n.Host("peer"), dir: "/run/lessee"}
	r.mount("tmpfs", "/run", "tmpfs", "")
	r.overlay("/etc", "")
	for _, link := range []string{"eth0", "eth1"} {
		n.Connect(r.m, link, r.peer, link)
	}
	r.m.Addr("eth0", "192.0.2.2/24")
	r.m.Addr("eth1", "198.51.100.2/24")
	must(t, os.WriteFile("/etc/resolv.conf", []byte(operators), 0o644))
	return r
}

func (r *rig) mount(source, target, kind, data string) {
	r.t.Helper()
	must(r.t, unix.Mount(source, target, kind, 0, data))
	r.t.Cleanup(func() { must(r.t, unix.Unmount(target, unix.MNT_DETACH)) })
}

// overlay puts files over a directory, and lets it be written to without
// anybody outside noticing.
func (r *rig) overlay(dir, over string) {
	r.t.Helper()
	name := "/run/" + strings.ReplaceAll(dir, "/", "-")
	must(r.t, errors.Join(os.Mkdir(name, 0o755), os.Mkdir(name+"/upper", 0o755), os.Mkdir(name+"/work", 0o755)))
	lower := dir
	if over != "" {
		lower = over + ":" + dir
	}
	r.mount("overlay", dir, "overlay", fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, name, name))
}

// run runs a program on the host, and returns what it said.
func (r *rig) run(name string, args ...string) string {
	r.t.Helper()
	var out strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	must(r.t, r.m.Start(cmd))
	if err := cmd.Wait(); err != nil {
		r.t.Fatalf("%s %q: %v\n%s", name, args, err, out.String())
	}
	return strings.TrimSpace(out.String())
}

// files are all files below some places, with what is in them, but for our
// own.
func (r *rig) files(places ...string) string {
	r.t.Helper()
	var b strings.Builder
	for _, place := range places {
		err := filepath.WalkDir(place, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && !d.IsDir() {
				fmt.Fprintf(&b, "%s: %s\n", path, describe(r.t, path))
			}
			return err
		})
		must(r.t, err)
	}
	return b.String()
}

// noted demands that nothing is noted down any more.
func (r *rig) unnoted(when string) {
	r.t.Helper()
	if left := r.files(r.dir); left != "" {
		r.t.Fatalf("%s: left over: %s", when, left)
	}
}

// do runs op on the host.
func (r *rig) do(op func() error) error { return r.m.Do(op) }

// A bus is a system bus with a systemd-resolved on it, both real.
func (r *rig) resolved(policy string) {
	r.t.Helper()
	dir := unpacked(r.t, "systemd-resolved")
	r.append("/etc/passwd", "systemd-resolve:x:990:990::/:/usr/sbin/nologin\n")
	r.append("/etc/group", "systemd-resolve:x:990:\n")
	r.bus(policy)
	log, err := os.Create("/run/resolved.log")
	must(r.t, err)
	defer log.Close()
	cmd := exec.Command(dir + "/lib/systemd/systemd-resolved")
	cmd.Stdout, cmd.Stderr = log, log
	r.m.Run(cmd)
	r.t.Cleanup(func() {
		if r.t.Failed() {
			r.t.Logf("systemd-resolved: %s", read(r.t, "/run/resolved.log"))
		}
	})
	r.await("systemd-resolved", func() error { return r.backend().answers() })
	// It hears of links by and by.
	r.await("links", func() error {
		return r.do(func() error { return errors.Join(r.backend().Set("eth0", Config{}), r.backend().Set("eth1", Config{})) })
	})
	must(r.t, r.do(func() error { return errors.Join(r.backend().Unset("eth0"), r.backend().Unset("eth1")) }))
}

// await waits until there is no error any more.
func (r *rig) await(what string, f func() error) {
	r.t.Helper()
	err := f()
	for end := time.Now().Add(20 * time.Second); err != nil && time.Now().Before(end); err = f() {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		r.t.Fatalf("%s: %v", what, err)
	}
}

func (r *rig) append(path, text string) {
	r.t.Helper()
	must(r.t, os.WriteFile(path, []byte(read(r.t, path)+text), 0o644))
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
<type>system</type>
<listen>unix:path=/run/dbus/system_bus_socket</listen>
<auth>EXTERNAL</auth>
<policy context="default">
<allow user="*"/> <allow own="*"/> <allow send_type="method_call"/> <allow send_type="signal"/>
<allow send_requested_reply="true" send_type="method_return"/> <allow send_requested_reply="true" send_type="error"/>
<allow receive_type="method_call"/> <allow receive_type="method_return"/> <allow receive_type="error"/> <allow receive_type="signal"/>
%s
</policy>
</busconfig>
`

func (r *rig) bus(policy string) {
	r.t.Helper()
	must(r.t, errors.Join(os.MkdirAll("/run/dbus", 0o755), os.MkdirAll("/run/systemd", 0o755),
		os.WriteFile("/run/bus.conf", fmt.Appendf(nil, busConfig, policy), 0o644)))
	cmd := exec.Command("dbus-daemon", "--config-file=/run/bus.conf", "--nofork", "--nopidfile", "--print-address=1")
	out, err := cmd.StdoutPipe()
	must(r.t, err)
	r.m.Run(cmd)
	if _, err := out.Read(make([]byte, 1)); err != nil { // it is ready
		r.t.Fatal(err)
	}
}

func (r *rig) setup() Setup {
	return Setup{Resolver: "auto", Path: Usual, StateDir: r.dir, RunDir: r.dir}
}

func (r *rig) backend() *Resolved { return r.setup().resolved() }

// resolvectl asks systemd-resolved by its own tool: "dns eth0", "domain eth0",
// "default-route eth0" and the like, with arguments to set them.
func (r *rig) resolvectl(args string) string {
	r.t.Helper()
	out := r.run(unpacked(r.t, "systemd-resolved")+"/usr/bin/resolvectl", strings.Fields(args)...)
	_, value, found := strings.Cut(out, "): ")
	if !found {
		return strings.TrimSuffix(out[strings.LastIndex(out, ")")+1:], ":")
	}
	return strings.TrimSpace(value)
}

// asks demands what systemd-resolved has for a link.
func (r *rig) wants(when, link, servers, domains, byDefault string) {
	r.t.Helper()
	for what, want := range map[string]string{"dns": servers, "domain": domains, "default-route": byDefault} {
		if got := r.resolvectl(what + " " + link); got != want && want != "*" {
			r.t.Errorf("%s: %s of %s: %q, want %q", when, what, link, got, want)
		}
	}
}

// state is all that systemd-resolved keeps for links, and the files of /etc
// that resolve names.
func (r *rig) state() string {
	r.t.Helper()
	text := r.files("/run/systemd/resolve/netif", "/etc/resolv.conf")
	for line := range strings.Lines(r.run(unpacked(r.t, "systemd-resolved")+"/usr/bin/resolvectl", "status", "--no-pager")) {
		if !strings.Contains(line, "Current DNS Server") { // whom it asked last
			text += line
		}
	}
	return text
}
