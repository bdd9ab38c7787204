package resolv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/nettest"
)

// A place is a resolv.conf with something of an operator's in it, and a
// directory for state.
type place struct {
	t         *testing.T
	path, dir string
	operators string // what is described at the path
}

func newPlace(t *testing.T, prepare func(p *place) error) *place {
	t.Helper()
	root := t.TempDir()
	if nettest.Inside() { // hundreds of deaths, each synced to disk
		must(t, unix.Mount("tmpfs", root, "tmpfs", 0, ""))
		t.Cleanup(func() { must(t, unix.Unmount(root, unix.MNT_DETACH)) })
	}
	p := &place{t: t, dir: filepath.Join(root, "state"), path: filepath.Join(root, "etc", "resolv.conf")}
	must(t, errors.Join(os.Mkdir(filepath.Dir(p.path), 0o755), prepare(p)))
	p.operators = describe(t, p.path)
	return p
}

func (p *place) file() *File { return NewFile(p.path, p.dir) }

// clean demands that everything is as the operator left it.
func (p *place) clean(when string) {
	p.t.Helper()
	if now := describe(p.t, p.path); now != p.operators {
		p.t.Fatalf("%s: %s, want %s", when, now, p.operators)
	}
	for _, dir := range []string{p.dir, filepath.Dir(p.path)} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			p.t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != filepath.Base(p.path) {
				p.t.Fatalf("%s: %s is left over", when, e.Name())
			}
		}
	}
}

func (p *place) wants(when string, links ...part) {
	p.t.Helper()
	if now := read(p.t, p.path); now != render(links) {
		p.t.Fatalf("%s: %q, want %q", when, now, render(links))
	}
}

// places are all the kinds of things that an operator may have there.
var places = map[string]func(*place) error{
	"a file":        func(p *place) error { return os.WriteFile(p.path, []byte(operators), 0o640) },
	"a longer file": func(p *place) error { return os.WriteFile(p.path, []byte(longer), 0o640) },
	"nothing":       func(p *place) error { return nil },
	"a link":        func(p *place) error { return os.Symlink("elsewhere", p.path) },
	"an empty file": func(p *place) error { return os.WriteFile(p.path, nil, 0o600) },
	"a labelled file": func(p *place) error {
		return errors.Join(os.WriteFile(p.path, []byte(operators), 0o640), labelled(p.path))
	},
	"a mount point": func(p *place) error {
		err := os.WriteFile(p.path, []byte(longer), 0o644)
		return errors.Join(err, nettest.PutFile(p.path, p.path), p.unmountLater())
	},
	"a short mount point": func(p *place) error {
		err := os.WriteFile(p.path, []byte("#\n"), 0o644)
		return errors.Join(err, nettest.PutFile(p.path, p.path), p.unmountLater())
	},
}

func (p *place) unmountLater() error {
	// What died in the middle of a test has the file open still.
	p.t.Cleanup(func() { must(p.t, unix.Unmount(p.path, unix.MNT_DETACH)) })
	return nil
}

var longer = func() (s string) {
	for i := range 30 {
		s += fmt.Sprintf("# line %d of the operator's\n", i)
	}
	return s + operators
}()

// dead is what a File panics with when its process is to die.
type dead struct{}

// dies runs op on a File whose process dies before the n-th change to a file,
// and reports whether it came to that.
func (p *place) dies(n int, op func(*File) error) (died bool) {
	p.t.Helper()
	f, steps := p.file(), 0
	f.Step = func(string) {
		if steps++; steps == n {
			panic(dead{})
		}
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(dead); !ok {
				panic(r)
			}
			died = true
		}
	}()
	must(p.t, op(f))
	return false
}

var (
	one     = part{"eth0", servers("192.0.2.53")}
	changed = part{"eth0", servers("192.0.2.54", "192.0.2.55")}
	two     = part{"eth1", servers("198.51.100.53")}
)

func set(p part) func(*File) error        { return func(f *File) error { return f.Set(p.Link, p.Config) } }
func unset(link string) func(*File) error { return func(f *File) error { return f.Unset(link) } }

func TestWhereverAProcessDiesTheNextOneFinishesOrUndoes(t *testing.T) {
	for _, tc := range []struct {
		name   string
		before []part
		op     func(*File) error
		after  []part // what stands there when op is done
	}{
		{"the first lease", nil, set(one), []part{one}},
		{"other servers", []part{one}, set(changed), []part{changed}},
		{"a second link", []part{one}, set(two), []part{one, two}},
		{"the first of two goes", []part{one, two}, unset("eth0"), []part{two}},
		{"the second of two goes", []part{one, two}, unset("eth1"), []part{one}},
		{"the last one goes", []part{one}, unset("eth0"), nil},
	} {
		for kind, prepare := range places {
			t.Run(tc.name+", "+kind, func(t *testing.T) {
				p := newPlace(t, prepare)
				for n, died := 1, true; died; n++ {
					for name, next := range map[string]func(string){
						"again": func(when string) {
							must(t, tc.op(p.file()))
							if len(tc.after) > 0 {
								p.wants(when, tc.after...)
							}
						},
						"withdraw": func(string) {},
						"another link": func(when string) {
							other := part{"eth9", servers("203.0.113.99")}
							wasGone := tc.name == "the last one goes" && describe(t, p.path) == p.operators
							must(t, set(other)(p.file()))
							if wasGone {
								p.wants(when+": the servers of the first", other)
							}
							must(t, unset("eth0")(p.file()))
							p.wants(when, append(slices.DeleteFunc(slices.Clone(p.parts()), func(q part) bool { return q.Link == "eth9" }), other)...)
							must(t, unset("eth9")(p.file()))
						},
					} {
						for _, q := range tc.before {
							must(t, set(q)(p.file()))
						}
						died = p.dies(n, tc.op)
						when := fmt.Sprintf("%s after dying before step %d", name, n)
						next(when)
						for _, link := range []string{"eth0", "eth1"} {
							must(t, p.file().Unset(link))
							if p.file().Holds(link) {
								t.Fatalf("%s: there is something left of %s", when, link)
							}
						}
						p.clean(when)
					}
				}
			})
		}
	}
}

// parts are those that are noted down.
func (p *place) parts() []part {
	s, err := p.file().load()
	must(p.t, err)
	return s.Links
}

// Whoever finds a half-done Unset knows that there is something to do, whatever
// link it is about.
func TestWhatIsHalfDoneIsHeld(t *testing.T) {
	p := newPlace(t, places["a file"])
	must(t, set(one)(p.file()))
	for n := 1; p.dies(n, unset("eth0")); n++ {
		if describe(t, p.path) == p.operators && p.file().Holds("eth0") {
			must(t, p.file().Unset("eth0"))
		}
		if describe(t, p.path) != p.operators && !p.file().Holds("eth0") {
			t.Fatalf("dead before step %d: our text stands, and nobody is to know", n)
		}
	}
	p.clean("in the end")
}
