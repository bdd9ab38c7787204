// Package program runs a program of the host's for a moment: with nothing of our
// environment, in no folder of ours, within a time limit, and with all that it
// has started ended at the end of it.
//
//	said, err := program.Run(15*time.Second, "nameserver 192.0.2.53\n", "/sbin/resolvconf", "-a", "eth0.lessee")
//
// It is not for hooks, which are an operator's and may take long; those have a
// package of their own.
package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// maxOutput bounds, in bytes, what is kept of what a program says.
const maxOutput = 4 << 10

// letGo is how long whoever still holds a program's output is waited for: a
// daemon that it restarted holds it for ever, and is left alone.
const letGo = time.Second

// Run runs the program at path with stdin as its standard input, and returns
// the beginning of what it said. The error says it too, on one line that is safe
// for logs; it is os.ErrDeadlineExceeded if the program took longer than limit.
func Run(limit time.Duration, stdin, path string, args ...string) (said string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var out output
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.Dir = "/"
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = letGo
	err = cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("it took more than %v, and was ended: %w", limit, os.ErrDeadlineExceeded)
	}
	said = strings.TrimSpace(string(out.b))
	if err == nil {
		return said, nil
	}
	err = fmt.Errorf("%s: %w", strings.Join(append([]string{path}, args...), " "), err)
	if said != "" {
		err = fmt.Errorf("%w (%s)", err, onALine(said))
	}
	return said, err
}

// An output is the beginning of what a program says.
type output struct{ b []byte }

// Write keeps what there is room for, and takes all.
func (o *output) Write(b []byte) (int, error) {
	o.b = append(o.b, b[:min(len(b), maxOutput-len(o.b))]...)
	return len(b), nil
}

func onALine(said string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return ';'
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, said)
}
