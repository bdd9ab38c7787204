package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

// groupID is the number of a group, -1 for none.
func groupID(group string) (int, error) {
	if group == "" {
		return -1, nil
	}
	if gid, err := strconv.ParseUint(group, 10, 31); err == nil {
		return int(gid), nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, fmt.Errorf("group %q: %w (make it, or give its number)", group, err)
	}
	return strconv.Atoi(g.Gid)
}

// makeDir makes the directory of the socket if it is not there. Whoever may
// use the socket must be able to reach it, whatever the umask.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Chmod(dir, 0o755)
}

// lockPath takes the lock of path, which ends with the process at the latest.
func lockPath(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		if _, err = occupied(path); err == nil {
			err = fmt.Errorf("another agent is about to listen there, or to end: %s.lock is locked; %s", path, another)
		}
	} else {
		err = fmt.Errorf("lock %s.lock: %w", path, err)
	}
	return nil, errors.Join(err, f.Close())
}

// another is what helps against somebody who is at a path.
const another = "choose another path, or end it"

// makeRoom removes what an agent left behind that was killed, and nothing else.
// The path's lock must be held.
func makeRoom(path string) error {
	leftOver, err := occupied(path)
	if err == nil && leftOver {
		err = os.Remove(path)
	}
	return err
}

// occupied finds out what is at path. The error says that nobody may listen
// there.
func occupied(path string) (leftOver bool, err error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Mode()&fs.ModeSymlink != 0:
		return false, errors.New("a symbolic link is there, which is not followed: remove it, or choose the path that it leads to")
	case info.Mode().Type() != fs.ModeSocket:
		return false, errors.New("a file is there that is no socket: remove it, or choose another path")
	}
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if errors.Is(err, unix.ECONNREFUSED) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("somebody may be there: %w; %s", err, another)
	}
	peer, err := peerOf(c)
	err = errors.Join(err, c.Close())
	switch {
	case err != nil:
		return false, fmt.Errorf("somebody is there: %w; %s", err, another)
	case peer.PID == 0:
		return false, fmt.Errorf("a process of another PID namespace is there; %s", another)
	}
	return false, fmt.Errorf("process %d is there; %s", peer.PID, another)
}
