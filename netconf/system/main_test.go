package system

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/nettest"
)

// The tests run in mount and UTS namespaces of their own: what they do to /etc,
// /run and the host's name is seen by nobody else.
func TestMain(m *testing.M) { nettest.Main(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A box is a host with an /etc, a /run and a state directory of its own, that
// is called "localhost".
type box struct {
	t   *testing.T
	dir string
}

func newBox(t *testing.T) *box {
	t.Helper()
	if !nettest.Inside() {
		nettest.Missing(t, "no namespaces here") // nettest.Main has said why
	}
	b := &box{t, t.TempDir()}
	for _, dir := range []string{"/run", "/etc", b.dir} { // the last is synced hundreds of times
		b.mount(dir, "tmpfs", 0, "")
	}
	must(t, unix.Sethostname([]byte("localhost")))
	must(t, os.WriteFile("/etc/passwd", []byte("root:x:0:0:root:/root:/bin/sh\n"), 0o644))
	return b
}

// mount mounts something until the end of the test.
func (b *box) mount(dir, kind string, flags uintptr, data string) {
	b.t.Helper()
	must(b.t, unix.Mount(kind, dir, kind, flags, data))
	b.t.Cleanup(func() { must(b.t, unix.Unmount(dir, unix.MNT_DETACH)) })
}

// over lays what is in a folder over another one.
func (b *box) over(upper, dir string) {
	b.t.Helper()
	b.mount(dir, "overlay", 0, "lowerdir="+upper+":"+dir)
}

// programs puts shell scripts in the place of programs.
func (b *box) programs(scripts map[string]string) {
	b.t.Helper()
	root := b.t.TempDir()
	dirs := map[string]bool{}
	for path, script := range scripts {
		must(b.t, os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755))
		nettest.Executable(b.t, filepath.Join(root, path), "#!/bin/sh\n"+script+"\n")
		dirs[filepath.Dir(path)] = true
	}
	for dir := range dirs {
		b.over(filepath.Join(root, dir), dir)
	}
}

func (b *box) place(step func(string)) Place {
	return Place{RunDir: "/run/lessee", StateDir: filepath.Join(b.dir, "state"), BootID: "this boot", Step: step}
}

func (b *box) put(path, text string) {
	b.t.Helper()
	must(b.t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(b.t, os.WriteFile(path, []byte(text), 0o644))
}

// called demands that the host is called so.
func (b *box) called(when, want string) {
	b.t.Helper()
	now, err := nodeName()
	must(b.t, err)
	if now != want {
		b.t.Fatalf("%s: the host is called %q, want %q", when, now, want)
	}
}

// state is everything that leases may change of the host: its name, and all
// that is in /etc and /run but for our own notes.
func (b *box) state() string {
	b.t.Helper()
	name, err := nodeName()
	must(b.t, err)
	var lines []string
	for _, root := range []string{"/etc", "/run"} {
		must(b.t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if path == "/run/lessee" {
				return fs.SkipDir
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			s := &stand{}
			if !d.IsDir() {
				s, err = look(path)
			}
			lines = append(lines, fmt.Sprintf("%s %v %+v", path, info.Mode(), *s))
			return err
		}))
	}
	slices.Sort(lines)
	return name + "\n" + strings.Join(lines, "\n")
}

// is demands that the host is as it was, and that nothing is noted any more.
func (b *box) is(when, want string) {
	b.t.Helper()
	if now := b.state(); now != want {
		b.t.Fatalf("%s: the host is\n%s\nwant\n%s", when, now, want)
	}
	for _, dir := range []string{"/run/lessee", filepath.Join(b.dir, "state")} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			b.t.Fatal(err)
		}
		for _, e := range entries {
			b.t.Fatalf("%s: %s is left over", when, e.Name())
		}
	}
}

// dead is what a process panics with that is to die.
type dead struct{}

// dies runs f in a process that dies before its n-th step, and reports whether
// it came to that.
func (b *box) dies(n int, f func(Place) error) (died bool, before string) {
	b.t.Helper()
	steps := 0
	p := b.place(func(what string) {
		if steps++; steps == n {
			before = what
			panic(dead{})
		}
	})
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(dead); !ok {
				panic(r)
			}
			died = true
		}
	}()
	must(b.t, f(p))
	return false, ""
}

// unpacked is the folder of a Debian package that .ci/run unpacked: those that
// keep the clock exclude each other, and cannot all be installed.
func unpacked(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("LESSEE_TEST_PACKAGES")
	if root == "" {
		root = "/var/tmp/lessee-packages"
	}
	dir := filepath.Join(root, name)
	if _, err := os.Stat(dir); err != nil {
		nettest.Missing(t, "package %s is not unpacked in %s", name, dir)
	}
	return dir
}
