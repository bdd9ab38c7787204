package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// A lockedError says which other process has a link in hand.
type lockedError struct {
	link string
	holder
}

// A holder is a process that has a link in hand.
type holder struct {
	pid     int
	control string // the socket by which it can be asked; empty: it cannot
}

func (e *lockedError) Error() string {
	return fmt.Sprintf("%s is in the hands of another lessee, process %d; wait for it or end it", e.link, e.pid)
}

func (e *lockedError) Unwrap() error { return agent.ErrLocked }

// lockLink makes sure that one process at a time configures a link. The lock
// ends with the process, whatever kills it. Control is the socket by which this
// process can be asked about the link.
func lockLink(dir, link, control string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, noLock(link, err)
	}
	path := lockPath(dir, link)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, noLock(link, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		h := readHolder(f)
		err = errors.Join(err, f.Close())
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &lockedError{link, h}
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	err = errors.Join(f.Truncate(0), second(f.WriteAt(fmt.Appendf(nil, "%d\n%s\n", os.Getpid(), control), 0)))
	if err != nil && !errors.Is(err, unix.ENOSPC) { // then it locks all the same, without a name
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

// noLock tells that there can be no lock in the directory for it.
func noLock(link string, err error) error {
	return fmt.Errorf("lock %s: %w (--run-dir names another directory)", link, err)
}

func lockPath(dir, link string) string { return filepath.Join(dir, link+".lock") }

// readHolder reads what the process that has the lock wrote.
func readHolder(r io.Reader) (h holder) {
	b, _ := io.ReadAll(io.LimitReader(r, 4096)) // only for a message, and to be tried
	pid, rest, _ := strings.Cut(string(b), "\n")
	h.pid, _ = strconv.Atoi(pid)
	h.control, _, _ = strings.Cut(rest, "\n")
	return h
}

// holderOf tells which process has a link in hand, if one has.
func holderOf(dir, link string) (h holder, held bool) {
	f, err := os.OpenFile(lockPath(dir, link), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return holder{}, false
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		return holder{}, false
	}
	return readHolder(f), true
}

func second[T any](_ T, err error) error { return err }
