package netconf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Namespace is a network namespace in which links are configured. One is
// enough for all links in it: it holds a descriptor and a netlink socket. Its
// methods may be called at the same time; those of a nil *Namespace are about
// the namespace that the caller is in.
type Namespace struct {
	name string
	file *os.File // nil: there is no proc, and so no way in or out
	socket
}

// A socket is a netlink socket, for whoever shares it.
type socket struct {
	link    func(name string) (kernel, linkNow, error)
	rules   func() kernel                 // that knows rules alone
	has     func(index int) (bool, error) // a link
	indexes func() ([]int, error)         // of all links
	close   func() error
}

// ErrNoNamespace says that there is no network namespace of a name.
var ErrNoNamespace = errors.New("no such network namespace")

const (
	namespaces = "/run/netns"               // where ip-netns(8) keeps those with names
	threads    = "/proc/thread-self/ns/net" // the calling thread's
)

// OpenNamespace opens the namespace of a name, as "ip netns add" makes them, or
// of a path such as /proc/PID/ns/net. "" is the caller's own.
func OpenNamespace(name string) (*Namespace, error) {
	n := &Namespace{name: name}
	if !strings.HasPrefix(name, "/") && strings.ContainsRune(name, '/') || name == "." || name == ".." {
		return nil, fmt.Errorf("network namespace %q: a name has no slashes, and a path begins with one", name)
	}
	var err error
	n.file, err = os.Open(n.path())
	if name == "" && errors.Is(err, os.ErrNotExist) {
		n.file, err = nil, nil
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("network namespace %s: %w (ip netns add %s)", name, ErrNoNamespace, name)
	}
	if err == nil {
		err = n.Enter(func() (err error) {
			n.socket, err = openSocket()
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("network namespace %s: %w", name, err), n.Close())
	}
	return n, nil
}

// path is where the namespace is found.
func (n *Namespace) path() string {
	switch {
	case n.name == "":
		return threads
	case strings.HasPrefix(n.name, "/"):
		return n.name
	}
	return filepath.Join(namespaces, n.name)
}

// Name returns what the namespace was opened by; "" is the caller's own.
func (n *Namespace) Name() string {
	if n == nil {
		return ""
	}
	return n.name
}

// Close releases what the Namespace holds. No link may use it any more. Where it
// is not known who does, the collector closes it after the last one.
func (n *Namespace) Close() error {
	if n == nil {
		return nil
	}
	var errs []error
	if n.close != nil {
		errs = append(errs, n.close())
	}
	if n.file != nil {
		errs = append(errs, n.file.Close())
	}
	return errors.Join(errs...)
}

// Enter runs f inside the namespace and returns its error. What f opens there
// stays there; goroutines that it starts do not run there. From outside it
// needs CAP_SYS_ADMIN.
func (n *Namespace) Enter(f func() error) error {
	if n == nil || n.file == nil {
		return f()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here, err := n.isHere()
	if err != nil {
		return err
	}
	if here {
		return f()
	}
	v := visit{n: n, f: f, done: make(chan struct{})}
	go v.run()
	<-v.done
	if v.panicked != nil {
		panic(v.panicked)
	}
	return v.err
}

// isHere reports whether the calling thread is in the namespace.
func (n *Namespace) isHere() (bool, error) {
	there, err := n.file.Stat()
	if err != nil {
		return false, err
	}
	here, err := os.Stat(threads)
	return err == nil && os.SameFile(here, there), err
}

// A visit is one Enter from outside, on a thread of its own: one that does not
// find back must end, and a caller's cannot.
type visit struct {
	n        *Namespace
	f        func() error
	done     chan struct{}
	err      error
	panicked any // the caller's to deal with: he may isolate links
}

func (v *visit) run() {
	defer close(v.done)
	runtime.LockOSThread()
	home, err := os.Open(threads)
	if err != nil {
		v.err = err
		runtime.UnlockOSThread()
		return
	}
	defer home.Close()
	if err := setns(v.n.file); err != nil {
		v.err = fmt.Errorf("enter network namespace %s: %w", v.n.name, err)
		if errors.Is(err, os.ErrPermission) {
			v.err = fmt.Errorf("%w (CAP_SYS_ADMIN is needed)", v.err)
		}
		runtime.UnlockOSThread()
		return
	}
	defer func() {
		v.panicked = recover()
		if setns(home) == nil {
			runtime.UnlockOSThread()
		} // else the thread ends with this goroutine
	}()
	v.err = errEnded // unless f returns
	v.err = v.f()
}

var errEnded = errors.New("what was to be done in the network namespace ended its goroutine")

func setns(f *os.File) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	errControl := c.Control(func(fd uintptr) { err = unix.Setns(int(fd), syscall.CLONE_NEWNET) })
	return errors.Join(errControl, err)
}
