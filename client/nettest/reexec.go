package nettest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// inside marks a process that Reexec started.
const inside = "LESSEE_NETTEST_INSIDE"

// Inside reports whether this process runs in namespaces that Reexec made.
func Inside() bool { return os.Getenv(inside) != "" }

// ErrForbidden says that this user may not make namespaces here.
var ErrForbidden = errors.New("user namespaces are forbidden here: be root, or let root allow them with " +
	"\"sysctl -w kernel.unprivileged_userns_clone=1\" or \"sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\", whichever the kernel has")

// Reexec runs this program again, with the same arguments, in network, mount
// and UTS namespaces of its own (the last is where a host has its name); for an
// ordinary user also in a user namespace, where it is root. It returns the
// program's exit code. The error is ErrForbidden where that is not allowed.
func Reexec() (int, error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWUTS, Pdeathsig: unix.SIGKILL}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	cmd.SysProcAttr = attr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return exit.ExitCode(), nil
	case errors.Is(err, os.ErrPermission), errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EINVAL):
		return 0, fmt.Errorf("%w (%w)", ErrForbidden, err)
	}
	return 0, err
}

// Settle makes the mount namespace of a process that Reexec started private,
// so that nothing mounted in it is seen outside.
func Settle() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mount namespace private: %w", err)
	}
	return nil
}

// PutFile puts the file at path over the one at target, in this mount
// namespace only.
func PutFile(path, target string) error {
	if err := unix.Mount(path, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("put %s over %s: %w", path, target, err)
	}
	return nil
}
