package resolv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// How long a File waits for others that work on theirs, which takes each of
// them some milliseconds, on slow disks many, and how often it looks.
const (
	lockWait = 30 * time.Second
	lockStep = 5 * time.Millisecond
)

// locked runs change on what is noted in a file, while nobody else can. load
// reads it. A note that is not what we wrote is set aside for people to look
// at, and we begin anew; owner is what it is about.
func locked(path, owner string, load, change func() error) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &StateError{owner, err}
	}
	unlock, err := lock(dir)
	if err != nil {
		return &StateError{owner, err}
	}
	defer unlock()
	if load() != nil {
		if err := os.Rename(path, path+".broken"); err != nil {
			return &StateError{owner, err}
		}
	}
	return change()
}

// lock keeps others from changing what is in dir. It ends with the process,
// whatever kills it, and needs nothing to be written.
func lock(dir string) (unlock func(), err error) {
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
