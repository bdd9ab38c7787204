package resolvtest

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

// A Host is a host of a network with an /etc and a /run of its own, as far as
// the test and what is started from it see it.
type Host struct {
	*nettest.Machine
	t     testing.TB
	links []string // that systemd-resolved is to know
}

// New gives a host its /etc and its /run, until the end of the test. The
// resolv.conf is a file of an operator's.
func New(t testing.TB, m *nettest.Machine, links ...string) *Host {
	t.Helper()
	// The root of a user namespace may not write what is root's, overlay or
	// not, and systemd-resolved could not become another user.
	ids, err := os.ReadFile("/proc/self/uid_map")
	if err != nil || !strings.Contains(string(ids), "4294967295") {
		nettest.Missing(t, "only root can have an /etc of his own")
	}
	h := &Host{Machine: m, t: t, links: links}
	h.mount("tmpfs", "/run", "tmpfs", "")
	h.Overlay("/etc", "")
	h.must(os.WriteFile("/etc/resolv.conf", []byte("# mine\nnameserver 203.0.113.53\noptions rotate\n"), 0o644))
	return h
}

// unpacked is where .ci/resolvers has put the files of a package.
func (h *Host) unpacked(pkg string) string {
	h.t.Helper()
	dir := "/var/cache/lessee-resolvers/" + pkg
	if _, err := os.Stat(dir + "/.done"); err != nil {
		nettest.Missing(h.t, "%v (.ci/resolvers unpacks it)", err)
	}
	return dir
}

func (h *Host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *Host) mount(source, target, kind, data string) {
	h.t.Helper()
	h.must(unix.Mount(source, target, kind, 0, data))
	h.t.Cleanup(func() { h.must(unix.Unmount(target, unix.MNT_DETACH)) })
}

// Overlay puts what is in the directory over, if that is not "", over another
// directory, and lets that be written to without anybody outside noticing.
func (h *Host) Overlay(dir, over string) {
	h.t.Helper()
	name := "/run/" + strings.ReplaceAll(dir, "/", "-")
	h.must(errors.Join(os.Mkdir(name, 0o755), os.Mkdir(name+"/upper", 0o755), os.Mkdir(name+"/work", 0o755)))
	lower := dir
	if over != "" {
		lower = over + ":" + dir
	}
	h.mount("overlay", dir, "overlay", fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, name, name))
}

// Run runs a program on the host, and returns what it said.
func (h *Host) Run(name string, args ...string) string {
	h.t.Helper()
	out, err := h.try(name, args...)
	if err != nil {
		h.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return out
}

func (h *Host) try(name string, args ...string) (string, error) {
	var out strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := h.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	return strings.TrimSpace(out.String()), err
}

// Files describes all files below some places: kind, mode, and what is in them.
func (h *Host) Files(places ...string) string {
	h.t.Helper()
	var b strings.Builder
	for _, place := range places {
		err := filepath.WalkDir(place, func(path string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil || d.IsDir():
				return err
			}
			fmt.Fprintf(&b, "%s: ", path)
			info, err := d.Info()
			if err == nil && info.Mode()&fs.ModeSymlink != 0 {
				var target string
				target, err = os.Readlink(path)
				fmt.Fprintf(&b, "a link to %s\n", target)
				return err
			}
			text, errRead := os.ReadFile(path)
			if err = errors.Join(err, errRead); err == nil {
				fmt.Fprintf(&b, "%v %s\n", info.Mode(), text)
			}
			return err
		})
		h.must(err)
	}
	return b.String()
}

// Await waits until there is no error any more.
func (h *Host) Await(what string, f func() error) {
	h.t.Helper()
	err := f()
	for end := time.Now().Add(time.Minute); err != nil && time.Now().Before(end); err = f() {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		h.t.Fatalf("%s: %v", what, err)
	}
}

// Append writes at the end of a file of the host's.
func (h *Host) Append(path, text string) {
	h.t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	h.must(err)
	_, err = f.WriteString(text)
	h.must(errors.Join(err, f.Close()))
}
