package resolv

import (
	"bytes"
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

// A program is what calls itself resolvconf on this host.
type program struct {
	path string // "": there is none
	kind string
}

// The kinds of resolvconf. systemd's is another name of resolvectl, for those
// who know no better: it leads to systemd-resolved.
const (
	openresolv = "openresolv"
	debians    = "Debian's resolvconf"
	systemds   = "systemd's resolvconf"
)

var errNoProgram = errors.New("there is no resolvconf program (openresolv and resolvconf are two packages that have one)")

// ErrGone says that the resolvconf that was told of names has been taken off
// the host since. What it was told is taken away without it.
var ErrGone = errors.New("resolvconf is not there any more: what it wrote into " + Usual + " stays until somebody writes that anew")

// usable tells why the program is not for us.
func (p program) usable() error {
	switch {
	case p.path == "":
		return errNoProgram
	case p.kind == systemds: // which would take along what an operator has set
		return fmt.Errorf("%s is %s, another way to systemd-resolved (--resolver resolved puts back what stood there)", p.path, p.kind)
	}
	return nil
}

// programPlaces is where it is, first of all.
func programPlaces() []string {
	return []string{"/usr/sbin/resolvconf", "/sbin/resolvconf", "/usr/bin/resolvconf", "/usr/local/sbin/resolvconf"}
}

// findProgram looks for it. Nothing is run: openresolv says in its text who it
// is, and systemd's is a link.
func findProgram() program {
	for _, path := range programPlaces() {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			continue
		}
		if resolvectl, err := os.Stat("/usr/bin/resolvectl"); err == nil && os.SameFile(info, resolvectl) {
			return program{path, systemds}
		}
		if text, err := readFile(path); err == nil && bytes.Contains(text, []byte("OPENRESOLV_VERSION")) {
			return program{path, openresolv}
		}
		return program{path, debians}
	}
	return program{}
}

// The limits of a run. Both programs wait up to 10 s for another one of their
// kind.
const (
	runLimit  = 15 * time.Second
	maxOutput = 4 << 10
)

// run runs the program with an environment of our own making, and ends all that
// it started when its time is over. What it said is in the error.
func (p program) run(limit time.Duration, stdin string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var said output
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.Dir = "/"
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for those who keep its output open
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) { // a daemon that it restarted
		err = nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("it took more than %v, and was ended: %w", limit, os.ErrDeadlineExceeded)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w%s", p.path, strings.Join(args, " "), err, said.quoted())
	}
	return nil
}

// An output is the beginning of what a program said.
type output struct{ b []byte }

// Write keeps what there is room for.
func (o *output) Write(b []byte) (int, error) {
	o.b = append(o.b, b[:min(len(b), maxOutput-len(o.b))]...)
	return len(b), nil
}

// quoted is the output on a line, safe for logs.
func (o *output) quoted() string {
	text := strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return ';'
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, strings.TrimSpace(string(o.b)))
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}
