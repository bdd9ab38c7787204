package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// mode is the socket's: who may write to it may connect.
const mode = 0o660

// longestPath is what fits a sockaddr_un, whose path ends with a NUL.
const longestPath = len(unix.RawSockaddrUnix{}.Path) - 1

// backlog is how many may have connected and not been taken in yet.
const backlog = 128

// Listen makes the agent's socket at path, for the user that this process runs
// as and for group, a name or a number, or without a group if that is empty.
// The directory is made if it is not there.
//
// If somebody answers at path, the error names them. What an agent left behind
// that was killed is replaced. A file beside the socket, path+".lock", is locked
// for as long as the listener is open, so that of two agents that start at once
// one gets the socket; it is never removed, because that could not be done
// without a race.
//
// Close removes the socket unless something else is at path by then.
func Listen(path, group string) (net.Listener, error) {
	l, err := listen(path, group)
	if err != nil {
		return nil, fmt.Errorf("listen on control socket %s: %w", path, err)
	}
	return l, nil
}

func listen(path, group string) (_ net.Listener, err error) {
	switch {
	case !filepath.IsAbs(path): // whoever connects may be in another directory
		return nil, errors.New("this is no absolute path")
	case len(path) > longestPath:
		return nil, fmt.Errorf("the path has %d bytes, and a socket's has at most %d", len(path), longestPath)
	}
	gid, err := groupID(group)
	if err != nil {
		return nil, err
	}
	if err := makeDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	lock, err := lockPath(path)
	if err != nil {
		return nil, err
	}
	s := &socket{path: path, lock: lock}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := makeRoom(path); err != nil {
		return nil, err
	}
	if err := s.open(gid); err != nil {
		return nil, err
	}
	return s, nil
}

// A socket is a listener with the file that belongs to it.
type socket struct {
	*net.UnixListener
	path string
	self inode    // the zero inode before there is one
	lock *os.File // nil after Close
	once sync.Once
}

// An inode is one file, whatever its name.
type inode struct{ dev, ino uint64 }

// bind makes a socket at path that does not listen yet.
func bind(path string) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), path)
	// The file that bind makes has the mode of the socket, less the umask:
	// it is never open to more than it should be.
	if err = unix.Fchmod(fd, mode); err == nil {
		err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bind: %w", err), file.Close())
	}
	return file, nil
}

// open binds the socket, gives it its mode and group, and only then listens:
// nobody connects in between.
func (s *socket) open(gid int) error {
	file, err := bind(s.path)
	if err != nil {
		return err
	}
	defer file.Close() // the listener has its own descriptor
	if err := s.adorn(gid); err != nil {
		return err
	}
	if err := unix.Listen(int(file.Fd()), backlog); err != nil {
		return err
	}
	l, err := net.FileListener(file)
	if err != nil {
		return err
	}
	s.UnixListener = l.(*net.UnixListener)
	return nil
}

// adorn takes the measure of the file that bind made, and gives it its group
// and its whole mode. It goes by a descriptor, so that whoever can rename files
// in the directory cannot have another one changed.
func (s *socket) adorn(gid int) error {
	fd, err := unix.Open(s.path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK || st.Nlink != 1 || int(st.Uid) != os.Geteuid() {
		return errors.New("something else was put in its place: who can write to its directory?")
	}
	s.self = inode{uint64(st.Dev), st.Ino}
	if gid >= 0 && int(st.Gid) != gid {
		if err := unix.Fchownat(fd, "", -1, gid, unix.AT_EMPTY_PATH); err != nil {
			return fmt.Errorf("give it to group %d: %w (only root may, or a member of the group)", gid, err)
		}
	}
	if st.Mode&0o777 != mode {
		if err := os.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), mode); err != nil {
			return fmt.Errorf("set its mode: %w", err)
		}
	}
	return nil
}

// Close ends listening. It may be called more than once.
func (s *socket) Close() (err error) {
	s.once.Do(func() {
		var st unix.Stat_t
		if s.self != (inode{}) && unix.Lstat(s.path, &st) == nil && s.self == (inode{uint64(st.Dev), st.Ino}) {
			err = os.Remove(s.path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // somebody else did
		}
		if s.UnixListener != nil {
			err = errors.Join(err, s.UnixListener.Close())
		}
		err = errors.Join(err, s.lock.Close()) // and so unlocks it
	})
	return err
}
