package control

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Peer is the process at the other end of a connection, as it was when it
// connected. IDs are those of the namespaces that this process is in.
type Peer struct {
	PID int32 // 0 if it is not in our namespace
	UID uint32
	GID uint32

	known bool
}

// peerOf asks the kernel who is at the other end.
func peerOf(conn net.Conn) (Peer, error) {
	var cred *unix.Ucred
	err := onSocket(conn, func(fd int) (err error) {
		cred, err = unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		return err
	})
	if err != nil {
		return Peer{}, err
	}
	return Peer{PID: cred.Pid, UID: cred.Uid, GID: cred.Gid, known: true}, nil
}

// hungUp reports whether the other end is closed altogether, rather than only
// for writing: the former will not read what it has asked for.
func hungUp(conn net.Conn) bool {
	var gone bool
	err := onSocket(conn, func(fd int) error {
		p := []unix.PollFd{{Fd: int32(fd)}} // POLLHUP is always reported
		_, err := unix.Poll(p, 0)
		for err == unix.EINTR {
			_, err = unix.Poll(p, 0)
		}
		gone = p[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
		return err
	})
	return err != nil || gone
}

// onSocket does something with a connection's file descriptor.
func onSocket(conn net.Conn, do func(fd int) error) error {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return errors.New("this is no socket")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = do(int(fd)) }); err != nil {
		return err
	}
	return inner
}
