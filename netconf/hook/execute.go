package hook

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// killWait is how long a program has after SIGTERM, and then after SIGKILL.
const killWait = 2 * time.Second

// An execution is one run of a program.
type execution struct {
	path  string
	args  []string
	env   env
	stdin []byte
	limit time.Duration
	enter func(func() error) error // into the link's network namespace; nil: it is ours
	say   func(line string)        // gets what the program prints
}

// ErrTooLong says that a program was ended because it took longer than it may.
var ErrTooLong = errors.New("ended by force: it took longer than it may")

// run runs the program and returns when it has ended and nobody has its output
// open any more. What is not over within the limit, or when ctx ends, is killed:
// the program, its process group, and whoever else has its output open. The
// error is an [*exec.ExitError] if the program ended by itself and was not
// content.
func (x *execution) run(ctx context.Context) error {
	in, err := input(x.stdin)
	if err != nil {
		return err
	}
	defer in.Close()
	out, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(x.path, x.args...)
	cmd.Env, cmd.Dir = x.env, "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	keepFilesOurs()
	start := cmd.Start
	if x.enter != nil {
		start = func() error { return x.enter(cmd.Start) }
	}
	if err := errors.Join(x.helpful(start()), w.Close()); err != nil {
		return err
	}
	return x.attend(ctx, cmd, out)
}

// helpful tells what is meant by errors that sound as if the program were not
// there, or damaged.
func (x *execution) helpful(err error) error {
	_, gone := os.Stat(x.path)
	switch {
	case errors.Is(err, unix.ENOEXEC):
		return fmt.Errorf("%w (a script begins with #! and its interpreter)", err)
	case errors.Is(err, unix.ENOENT) && gone == nil:
		return fmt.Errorf("%w (the interpreter that its first line names is not there)", err)
	}
	return err
}

// attend waits for the end of a program.
func (x *execution) attend(ctx context.Context, cmd *exec.Cmd, out *os.File) error {
	pid := cmd.Process.Pid
	over, read := make(chan struct{}), make(chan struct{})
	go func() {
		(&output{say: x.say}).copy(out)
		close(read)
	}()
	go func() {
		awaitEnd(pid)
		<-read
		close(over)
	}()
	timer := time.NewTimer(x.limit)
	defer timer.Stop()
	select {
	case <-over:
		return cmd.Wait()
	case <-timer.C:
	case <-ctx.Done():
	}
	for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGKILL} {
		killAll(pid, out, sig)
		timer.Reset(killWait)
		select {
		case <-over:
			return errors.Join(ErrTooLong, ignoreExit(cmd.Wait()))
		case <-timer.C:
		}
	}
	_ = out.Close() // ends the reading
	go func() {     // it may be stuck in the kernel: somebody has to bury it one day
		_ = cmd.Wait()
	}()
	return fmt.Errorf("%w, and did not end", ErrTooLong)
}

// ignoreExit leaves out that a program which was killed was not content.
func ignoreExit(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}

// awaitEnd returns when a child has ended. The child is not buried yet: as long
// as its number is taken, the number of its group is too, and signals to the
// group reach nobody else.
func awaitEnd(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// keepFilesOurs has programs not inherit what whoever started us left open to
// us. What we open ourselves they do not in any case.
func keepFilesOurs() {
	if unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	fds, _ := os.ReadDir("/proc/self/fd") // a kernel before 5.11
	for _, fd := range fds {
		if n, err := strconv.Atoi(fd.Name()); err == nil && n > 2 {
			unix.CloseOnExec(n)
		}
	}
}

// input is a file that a program can read b from, and not wait for.
func input(b []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("event", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "event")
	_, err = f.Write(b)
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
