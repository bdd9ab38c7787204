package system

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// usually is how long a program may take. All that are run here ask a service
// for something that it does at once.
const usually = 10 * time.Second

// maxOutput bounds what of a program's output goes into an error.
const maxOutput = 512

// run runs a program with nothing of our environment. The error holds what it
// said.
func run(limit time.Duration, path string, args ...string) (said string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second // whoever has its output may live on
	out := &tail{}
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	said = out.String()
	if err == nil {
		return said, nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("it took more than %v", limit)
	}
	return said, fmt.Errorf("%s %s: %w: %.*q", path, strings.Join(args, " "), err, maxOutput, said)
}

// A tail keeps the first bytes that are written, and takes all.
type tail struct{ buf bytes.Buffer }

func (t *tail) Write(b []byte) (int, error) {
	t.buf.Write(b[:min(len(b), maxOutput-t.buf.Len())])
	return len(b), nil
}

func (t *tail) String() string { return strings.TrimSpace(t.buf.String()) }

// restart restarts a service, if it runs: in the manner of systemd where that
// is the init system, and else by Debian's script for all others. It does not
// wait for the service: one that waits for the network waits for us.
func restart(service string) error {
	systemctl := "/usr/bin/systemctl"
	switch _, err := os.Stat("/run/systemd/system"); {
	case err == nil && isProgram(systemctl):
		_, err := run(usually, systemctl, "--no-block", "--no-ask-password", "try-restart", service+".service")
		return err
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	case isProgram("/usr/sbin/invoke-rc.d") && isProgram("/etc/init.d/"+service):
		_, err := run(usually, "/usr/sbin/invoke-rc.d", "--quiet", service, "try-restart")
		return err
	}
	return nil // it reads its files when it starts
}
