package resolv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/nettest"
)

func (r *rig) program() *Resolvconf { return r.setup().resolvconf() }

// names are the name servers and domains in resolv.conf.
func (r *rig) names() (servers, search []string) {
	r.t.Helper()
	for line := range strings.Lines(read(r.t, "/etc/resolv.conf")) {
		f := strings.Fields(line)
		switch {
		case len(f) > 1 && f[0] == "nameserver":
			servers = append(servers, f[1])
		case len(f) > 1 && f[0] == "search":
			search = f[1:]
		}
	}
	return servers, search
}

// both runs a test with either program.
func both(t *testing.T, test func(t *testing.T, r *rig, pkg string)) {
	for _, pkg := range []string{"openresolv", "resolvconf"} {
		t.Run(pkg, func(t *testing.T) {
			r := newRig(t)
			r.Resolvconf(pkg)
			test(t, r, pkg)
		})
	}
}

func TestResolvconfIsAsItWasAfterALife(t *testing.T) {
	both(t, func(t *testing.T, r *rig, _ string) {
		before := r.State()
		b, why := r.setup().Choose("eth0")
		if b.String() != "resolvconf" || !strings.Contains(why, "manages /etc/resolv.conf") {
			t.Fatalf("%v: %s", b, why)
		}
		for _, c := range []Config{with(one, 100, "example.com", "a.example").Config, changed.Config, changed.Config} {
			must(t, b.Set("eth0", c))
			if servers, search := r.names(); !strings.Contains(fmt.Sprint(servers), fmt.Sprint(c.Servers[0])) || c.Domain != "" && !strings.Contains(fmt.Sprint(search), "a.example example.com") {
				t.Errorf("%+v: %q %q", c, servers, search)
			}
		}
		must(t, r.program().Unset("eth0")) // another process
		if after := r.State(); after != before {
			t.Errorf("before\n%s\nafter\n%s", before, after)
		}
		r.unnoted("in the end")
	})
}

func TestTwoLinksMergeInResolvconf(t *testing.T) {
	both(t, func(t *testing.T, r *rig, pkg string) {
		before := r.State()
		must(t, errors.Join(r.program().Set("eth0", with(one, 600, "one.example").Config), r.program().Set("eth1", with(two, 100, "two.example").Config)))
		list, _ := r.names()
		servers := fmt.Sprint(list)
		want := "[203.0.113.53 198.51.100.53 192.0.2.53]" // by metric, those without one first
		if pkg == "resolvconf" {
			want = "[192.0.2.53 198.51.100.53 203.0.113.53]" // eth before lan, by its interface-order
		}
		if servers != want {
			t.Errorf("%s, want %s", servers, want)
		}
		must(t, errors.Join(r.program().Unset("eth0"), r.program().Unset("eth1")))
		if after := r.State(); after != before {
			t.Errorf("before\n%s\nafter\n%s", before, after)
		}
		r.unnoted("in the end")
	})
}

func TestResolvconfIsPutBackWhereverAProcessDies(t *testing.T) {
	both(t, func(t *testing.T, r *rig, _ string) {
		before := r.State()
		for _, tc := range []struct {
			name   string
			before []part
			op     func(*Resolvconf) error
		}{
			{"the first lease", nil, func(b *Resolvconf) error { return b.Set("eth0", one.Config) }},
			{"other servers", []part{one}, func(b *Resolvconf) error { return b.Set("eth0", changed.Config) }},
			{"the last one goes", []part{one}, func(b *Resolvconf) error { return b.Unset("eth0") }},
			{"another name", []part{one, two}, func(b *Resolvconf) error { return b.Rename("eth0", "lan0") }},
			{"names exchanged", []part{one, two}, func(b *Resolvconf) error { return b.Rename("eth0", "eth1") }},
		} {
			for n, died := 1, true; died; n++ {
				for _, p := range tc.before {
					must(t, r.program().Set(p.Link, p.Config))
				}
				died = diesAt(t, n, r.program(), tc.op)
				when := fmt.Sprintf("%s, dead before step %d", tc.name, n)
				if n%2 == 0 {
					must(t, tc.op(r.program()))
				}
				for _, link := range append(r.program().Links(), "eth0") {
					must(t, r.program().Unset(link))
				}
				if after := r.State(); after != before {
					t.Fatalf("%s: before\n%s\nafter\n%s", when, before, after)
				}
				r.unnoted(when)
			}
		}
	})
}

func diesAt(t *testing.T, n int, b *Resolvconf, op func(*Resolvconf) error) (died bool) {
	t.Helper()
	steps := 0
	b.Step = func(string) {
		if steps++; steps == n {
			panic(dead{})
		}
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(dead); !ok {
				panic(p)
			}
			died = true
		}
	}()
	must(t, op(b))
	return false
}

// A setting that changes between two processes takes effect on both sides.
func TestWhatTheFormerResolverWasToldIsTakenAway(t *testing.T) {
	r := newRig(t)
	r.Resolvconf("openresolv")
	before := r.State()
	auto, file := r.setup(), r.setup()
	file.Resolver, file.Path = "file", "/etc/resolv.own"
	b, _ := auto.Choose("eth0")
	must(t, b.Set("eth0", one.Config))
	if !file.Holds("eth0") || fmt.Sprint(file.Links()) != "[eth0]" {
		t.Errorf("who is told to write a file does not find %q", file.Links())
	}
	own, _ := file.Choose("eth0")
	must(t, errors.Join(append(file.Unset("eth0", own), own.Set("eth0", one.Config))...))
	if after := r.State(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if !auto.Holds("eth0") {
		t.Error("who is told to look again does not find the file")
	}
	must(t, errors.Join(auto.Unset("eth0", None{})...))
	if _, err := os.Lstat("/etc/resolv.own"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is left over: %v", err)
	}
	r.unnoted("in the end")
}

// script puts a resolvconf of the test's own on the host.
func (r *rig) script(text string) {
	r.t.Helper()
	sbin, err := filepath.EvalSymlinks("/sbin")
	must(r.t, err)
	r.Overlay(sbin, "")
	nettest.Executable(r.t, sbin+"/resolvconf", text)
}

func TestAResolvconfThatFailsIsQuoted(t *testing.T) {
	r := newRig(t)
	r.script("#!/bin/sh\nprintf 'no room: \\033[31m%s\\n' \"$2\" >&2\nenv > /run/env\nexit 3\n")
	err := r.program().Set("eth0", one.Config)
	if err == nil || !strings.Contains(err.Error(), "no room: ?[31meth0.lessee") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%q", err)
	}
	for line := range strings.Lines(read(t, "/run/env")) { // with what the shell adds
		if name, _, _ := strings.Cut(line, "="); !strings.Contains(" PATH LC_ALL PWD _ SHLVL OLDPWD ", " "+name+" ") {
			t.Errorf("in the environment: %s", line)
		}
	}
	nettest.Executable(t, "/usr/sbin/resolvconf", "#!/bin/sh\nexit 0\n")
	must(t, r.program().Unset("eth0"))
	r.unnoted("in the end")
}

func TestAResolvconfThatHangsIsEndedWithItsChildren(t *testing.T) {
	r := newRig(t)
	r.script("#!/bin/sh\nsleep 1000 &\necho $! > /run/child\nyes\n") // a gigabyte, for as long as it may
	for limit := 200 * time.Millisecond; ; limit *= 2 {              // until it came so far
		err := findProgram().run(limit, "", "-a", "eth0.lessee")
		if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "was ended") || len(err.Error()) > 8<<10 {
			t.Fatalf("%v", err)
		}
		if text, err := os.ReadFile("/run/child"); err == nil && strings.HasSuffix(string(text), "\n") {
			break
		}
		if limit > time.Minute {
			t.Fatal("it never came so far")
		}
	}
	child, err := strconv.Atoi(strings.TrimSpace(read(t, "/run/child")))
	must(t, err)
	for range 6000 { // it is init's to bury
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("its child lives on")
}

// noProgram takes every resolvconf off the host, as far as the test sees it.
func (r *rig) noProgram() {
	r.t.Helper()
	for _, path := range programPlaces() {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			must(r.t, nettest.PutFile("/dev/null", path))
			r.t.Cleanup(func() { must(r.t, unix.Unmount(path, unix.MNT_DETACH)) })
		}
	}
}

func TestNoResolvconfIsSaidSo(t *testing.T) {
	r := newRig(t)
	r.noProgram()
	if err := r.program().Set("eth0", one.Config); !errors.Is(err, errNoProgram) {
		t.Errorf("%v", err)
	}
}

func TestLinksThatResolvconfWouldMistakeAreRefused(t *testing.T) {
	for _, link := range []string{"-d", ".x", "~x", "a b", "a/b", "$(id)", "a;b", "a\nb", "a*", "", "ü"} {
		if checkRecord(link) == nil {
			t.Errorf("%q is taken", link)
		}
	}
	for _, link := range []string{"eth0", "eth0.100", "wan@blue", "br-lan", "eth0:1", "a+b_c"} {
		if err := checkRecord(link); err != nil {
			t.Error(err)
		}
	}
}
