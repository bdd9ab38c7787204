package netconf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Deleted returns nil when a namespace with a name is not found by it any more, as
// after "ip netns del", or the error of ctx. A namespace lives for as long as
// anybody has it open, and with it devices that nobody else can see; what holds
// n should let go of it then. One that is found by a process, such as
// /proc/PID/ns/net, is not missed.
func (n *Namespace) Deleted(ctx context.Context) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return fmt.Errorf("watch network namespace %s: %w", n.name, err)
	}
	watch := os.NewFile(uintptr(fd), "inotify")
	defer watch.Close()
	dir := filepath.Dir(n.path())
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_DELETE|unix.IN_MOVE|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF); err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	defer context.AfterFunc(ctx, func() { _ = watch.SetReadDeadline(time.Unix(1, 0)) })()
	for b := make([]byte, unix.SizeofInotifyEvent+unix.NAME_MAX+1); ; {
		if named, err := n.isNamed(); err != nil || !named {
			return err
		}
		if _, err := watch.Read(b); err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return err
		}
	}
}

// isNamed reports whether the namespace's name leads to it.
func (n *Namespace) isNamed() (bool, error) {
	is, err := n.file.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(n.path())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(is, named), err
}
