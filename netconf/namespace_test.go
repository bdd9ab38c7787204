package netconf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/nettest"
)

// pathOf is where a host's namespace is to be found.
func pathOf(m *nettest.Machine) (path string) {
	m.Must(func() error { path = fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()); return nil })
	return path
}

// openNamespace opens a host's namespace until the end of the test.
func openNamespace(t *testing.T, m *nettest.Machine) *Namespace {
	t.Helper()
	ns, err := OpenNamespace(pathOf(m))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ns.Close(); err != nil {
			t.Error(err)
		}
	})
	return ns
}

func (r *rig) namespace() *Namespace { return openNamespace(r.t, r.m) }

func TestALinkInAnotherNamespaceIsConfiguredFromOutside(t *testing.T) {
	r := newRig(t)
	before := r.state()
	c := r.config(Options{MTU: true})
	c.Namespace = r.namespace()
	h, err := Open("eth0", c)
	r.must(err)
	r.must(h.Up(t.Context()))
	r.must(h.Apply(t.Context(), fullLease()))
	if a := r.m.AddrsOf("eth0"); len(a) != 1 || len(r.m.RoutesOf()) != 5 {
		t.Errorf("%+v, %q", a, r.m.RoutesOf())
	}
	if a := r.peer.AddrsOf("eth0"); len(a) != 0 {
		t.Errorf("the wrong link: %+v", a)
	}
	r.must(h.Withdraw(t.Context(), lease.Lease{}))
	if after := r.state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	r.tidy("in the end")
}

// Two links called eth0 share nothing.
func TestLinksOfTheSameNameInTwoNamespacesAreKeptApart(t *testing.T) {
	r := newRig(t)
	here, there := r.config(Options{}), r.config(Options{})
	here.Namespace, there.Namespace = r.namespace(), openNamespace(t, r.peer)
	a, err := Open("eth0", here)
	r.must(err)
	b, err := Open("eth0", there)
	r.must(err)
	r.must(a.Apply(t.Context(), fullLease()))
	if b.Leftover() {
		t.Error("the other link's leftover")
	}
	r.must(b.Apply(t.Context(), fullLease()))
	r.must(b.Withdraw(t.Context(), lease.Lease{}))
	if len(r.m.AddrsOf("eth0")) != 1 || len(r.peer.AddrsOf("eth0")) != 0 {
		t.Error("one took the other's away")
	}
	if text, _ := os.ReadFile(r.resolvConf()); !strings.Contains(string(text), "192.0.2.53") {
		t.Errorf("one took the other's servers away: %q", text)
	}
	r.must(a.Withdraw(t.Context(), lease.Lease{}))
	r.tidy("in the end")
}

func TestWhatIsOpenedInsideANamespaceStaysThere(t *testing.T) {
	r := newRig(t)
	r.m.Addr("eth0", "192.0.2.1/24")
	ns := r.namespace()
	r.must(ns.Enter(func() error {
		c, err := net.ListenPacket("udp4", "192.0.2.1:68") // an address that is only there
		if err == nil {
			err = c.Close()
		}
		return err
	}))
	ran := errors.New("it ran")
	for _, ns := range []*Namespace{nil, ns} {
		if err := ns.Enter(func() error { return ran }); !errors.Is(err, ran) {
			t.Errorf("%v", err)
		}
	}
	r.m.Must(func() error { // already inside: no privilege needed, and no other thread
		tid := unix.Gettid()
		return ns.Enter(func() error {
			if unix.Gettid() != tid {
				t.Error("on another thread")
			}
			return nil
		})
	})
	func() {
		defer func() {
			if p := recover(); p != "mine" {
				t.Errorf("recovered %v", p)
			}
		}()
		_ = ns.Enter(func() error { panic("mine") })
	}()
	if err := ns.Enter(func() error { runtime.Goexit(); return nil }); !errors.Is(err, errEnded) {
		t.Errorf("%v", err)
	}
}

func TestNamespacesThatAreNotThere(t *testing.T) {
	for _, name := range []string{"no-such-one", "/proc/self/no-such-one"} {
		if _, err := OpenNamespace(name); !errors.Is(err, ErrNoNamespace) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"../x", "..", "a/b"} {
		if _, err := OpenNamespace(name); err == nil || errors.Is(err, ErrNoNamespace) {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenNamespace(file); err == nil {
		t.Error("a file is no namespace")
	}
}

// A hundred links on one socket, all configured at once.
func TestAHundredLinksShareOneSocketAndLittleMemory(t *testing.T) {
	const links = 100
	r := newRig(t)
	var script strings.Builder
	for i := range links {
		fmt.Fprintf(&script, "link add b%d type bridge\nlink set b%d up\n", i, i)
	}
	r.must(os.WriteFile(filepath.Join(r.dir, "script"), []byte(script.String()), 0o600))
	r.mustIP("-batch " + filepath.Join(r.dir, "script"))
	c := r.config(Options{Metric: AutoMetric})
	c.Namespace = r.namespace()
	open := func(i int) *Host {
		h, err := Open(fmt.Sprintf("b%d", i), c)
		if err != nil {
			t.Error(err)
			return nil
		}
		if err := h.Apply(t.Context(), fullLease()); err != nil {
			t.Error(err)
		}
		return h
	}
	hosts := make([]*Host, links)
	hosts[0] = open(0)
	before := measure(t)
	var all sync.WaitGroup
	for i := 1; i < links; i++ {
		all.Go(func() { hosts[i] = open(i) })
	}
	all.Wait()
	for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before.goroutines && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // those that are done may not have ended yet
	}
	after := measure(t)
	each := (after.live - before.live) / (links - 1)
	t.Logf("%d bytes for each further link", each)
	if each > 8<<10 {
		t.Errorf("%d bytes for each further link", each)
	}
	if after.files > before.files || after.goroutines > before.goroutines {
		t.Errorf("%d files and %d goroutines became %d and %d", before.files, before.goroutines, after.files, after.goroutines)
	}
	if t.Failed() {
		return
	}
	routes := strings.Join(r.m.RoutesOf(), "\n")
	for i, h := range hosts {
		if n := strings.Count(routes, fmt.Sprintf("dev b%d ", i)); n != 5 {
			t.Errorf("b%d has %d routes", i, n)
		}
		r.must(h.Withdraw(context.Background(), lease.Lease{}))
	}
	runtime.KeepAlive(hosts)
}

// costs are what a process has in use.
type costs struct {
	live       int64 // bytes that a garbage collection leaves
	files      int
	goroutines int
}

// measure counts what is in use. Stacks are not in it: those of goroutines that
// have ended are kept for the next ones, and how many there were at once is for
// the scheduler to say.
func measure(t *testing.T) costs {
	t.Helper()
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one put into the pools' second rank
	runtime.ReadMemStats(&m)
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return costs{int64(m.HeapAlloc), len(list), runtime.NumGoroutine()}
}
