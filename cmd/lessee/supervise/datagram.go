package supervise

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a datagram waits for a reader whose queue is full. A
// burst is over within this time; one that hangs for longer must not hold up
// those who only wanted to say something.
const patience = 100 * time.Millisecond

// send sends one datagram to a socket of this host; a name that begins with @
// is abstract. The socket is opened for each: words are rare, and nothing
// needs to be kept, closed or found broken.
func send(socket string, data []byte) error {
	err := dispatch(socket, data, nil)
	if errors.Is(err, unix.EMSGSIZE) || errors.Is(err, unix.ENOBUFS) {
		err = sendFile(socket, data)
	}
	if err != nil {
		return fmt.Errorf("send to %s: %w", socket, err)
	}
	return nil
}

func dispatch(socket string, data, rights []byte) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	wait := unix.NsecToTimeval(patience.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait); err != nil {
		return err
	}
	for {
		err = unix.Sendmsg(fd, data, rights, &unix.SockaddrUnix{Name: socket}, unix.MSG_NOSIGNAL)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// sendFile sends what is too long for a datagram in a file that nobody can
// change any more. Only journald takes such files.
func sendFile(socket string, data []byte) error {
	fd, err := unix.MemfdCreate("lessee", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "memfd")
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		return err
	}
	return dispatch(socket, nil, unix.UnixRights(fd))
}
