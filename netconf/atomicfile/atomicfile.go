// Package atomicfile replaces files so that whoever reads them, and whoever
// comes after a process that died, finds the old one or the new one.
//
//	f := &atomicfile.Files{Sync: true}
//	unlock, err := atomicfile.Lock("/var/lib/lessee")
//	defer unlock()
//	err = f.Replace("/var/lib/lessee/x.json", text, atomicfile.Owner{Perm: 0o600})
//
// It knows no formats and keeps no state. What a process that died leaves is
// at most one file beside each path, which the next Replace or Remove takes
// away.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Files is a way of changing files. The zero Files is usable.
type Files struct {
	Sync bool // what is written must survive a power cut

	// Step, if not nil, is called before each change to any file, with
	// what is about to be done. Tests die there.
	Step func(what string)

	// Dry, if not nil, is called in the place of each change, with what
	// would be done: "write PATH", "link PATH to TARGET", "remove PATH".
	Dry func(what string)
}

// Owner is whose a file is, and who may do what with it. The zero UID and GID
// are root's.
type Owner struct {
	Perm     os.FileMode `json:"perm,omitempty"`
	UID, GID int
}

// Mine is the owner of what this process writes for itself.
func Mine(perm os.FileMode) Owner { return Owner{perm, os.Geteuid(), os.Getegid()} }

func (f *Files) step(what, path string) {
	if f.Step != nil {
		f.Step(what + " " + path)
	}
}

// unfinished is the name under which a new file is made. It is always the
// same, so that processes that die leave one at most, and no program reads it:
// it begins with a dot and ends in no way that anybody looks for.
func unfinished(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lessee")
}

// Finished returns the name that a file in a folder has, or would have had if
// whoever made it had not died over it.
func Finished(name string) string {
	if inner, ok := strings.CutPrefix(name, "."); ok {
		if inner, ok = strings.CutSuffix(inner, ".lessee"); ok {
			return inner
		}
	}
	return name
}

// labels are the attributes of a file that say who may do what with it, beside
// its owner and mode: the labels of SELinux and Smack, and an access list.
var labels = [...]string{"security.selinux", "security.SMACK64", "system.posix_acl_access"}

// label gives a new file the labels of the one that it takes the place of; what
// that has none of, or nobody may give, it gets by the system's rules.
func label(n *os.File, path string) {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return // a link has labels of its own
	}
	value := make([]byte, 1<<10)
	for _, name := range labels {
		if size, err := unix.Lgetxattr(path, name, value); err == nil {
			_ = unix.Fsetxattr(int(n.Fd()), name, value[:size], 0)
		}
	}
}

// Replace puts a new file in the place of what stands at path, in one step.
// The directory must be there. Of a file that stood there it has the labels and
// the access list, but no date: whoever looks at that has to find a new one.
func (f *Files) Replace(path string, text []byte, o Owner) error {
	if f.Dry != nil {
		f.Dry("write " + path)
		return nil
	}
	return f.swap(path, func(tmp string) error {
		n, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = n.Write(text)
		if err == nil {
			label(n, path)
			err = n.Chmod(o.Perm) // after the access list, which has a say in it
		}
		if mine := Mine(o.Perm); err == nil && o != mine {
			err = n.Chown(o.UID, o.GID)
		}
		if err == nil && f.Sync {
			err = n.Sync()
		}
		return errors.Join(err, n.Close())
	})
}

// Link puts a symbolic link to target in the place of what stands at path, in
// one step.
func (f *Files) Link(path, target string) error {
	if f.Dry != nil {
		f.Dry("link " + path + " to " + target)
		return nil
	}
	return f.swap(path, func(tmp string) error { return os.Symlink(target, tmp) })
}

// swap makes something beside path, and moves it there.
func (f *Files) swap(path string, make func(tmp string) error) error {
	tmp := unfinished(path)
	f.step("write", tmp)
	if err := remove(tmp); err != nil {
		return err
	}
	err := make(tmp)
	if err == nil {
		f.step("rename", tmp)
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, remove(tmp))
	}
	return nil
}

// Remove removes what stands at path, if anything does, and what a process
// that died left beside it. Where there is nothing it writes nothing, so that a
// disk that is read-only is no error.
func (f *Files) Remove(path string) error { return errors.Join(f.Sweep(path), f.removeOne(path)) }

// Sweep removes what a process that died left beside path.
func (f *Files) Sweep(path string) error { return f.removeOne(unfinished(path)) }

// Littered reports whether there is something to sweep.
func Littered(path string) bool {
	_, err := os.Lstat(unfinished(path))
	return err == nil
}

func (f *Files) removeOne(name string) error {
	if _, err := os.Lstat(name); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if f.Dry != nil {
		f.Dry("remove " + name)
		return nil
	}
	f.step("remove", name)
	return remove(name)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// MaxFile is how many bytes Read reads at most.
const MaxFile = 1 << 20

// Read returns what stands in a file, if that is a file and not longer than
// MaxFile.
func Read(path string) ([]byte, error) {
	// Not waiting for somebody who writes into a pipe.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is no file", path), err)
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err == nil && len(b) > MaxFile {
		err = fmt.Errorf("%s: more than %d bytes", path, MaxFile)
	}
	return b, err
}

// How long Lock waits for others, which take some milliseconds each, and how
// often it looks.
const (
	lockWait = 30 * time.Second
	lockStep = 5 * time.Millisecond
)

// Lock keeps others that call it from going on, until it is unlocked or the
// process ends, whatever kills it. Nothing is written for it.
func Lock(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for range lockWait / lockStep {
		// Not waiting in the kernel: that would hold a thread for each
		// of a hundred links.
		if err = unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
			break
		}
		time.Sleep(lockStep)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), d.Close())
	}
	return func() { _ = d.Close() }, nil
}

// BootID tells one run of the kernel from another: what a file in a run
// directory says of the host ends with it.
func BootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}
