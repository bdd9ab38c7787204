package boot

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// A shell is the guest's shell (guest/shell), seen from here.
type shell struct {
	conn    net.Conn
	answers *bufio.Reader
	number  int // of the last request
}

// ready waits until the shell says its first word. Before that a serial line
// may carry anything.
func (s *shell) ready() error {
	for {
		line, err := s.answers.ReadString('\n')
		if err != nil {
			return fmt.Errorf("no shell in the guest: %w", err)
		}
		if strings.TrimSpace(line) == "ready" {
			return nil
		}
	}
}

// run runs a script. How long that takes is the host's affair; a guest that does
// not answer any more ends in the end, and the connection with it.
func (s *shell) run(script string) (string, int, error) {
	s.number++
	if _, err := fmt.Fprintf(s.conn, "%d %s\n", s.number, base64.StdEncoding.EncodeToString([]byte(script))); err != nil {
		return "", 0, err
	}
	line, err := s.answers.ReadString('\n')
	if err != nil {
		return "", 0, fmt.Errorf("no answer: %w", err)
	}
	return parseAnswer(line, s.number)
}

// parseAnswer reads the answer to the request of that number.
func parseAnswer(line string, number int) (string, int, error) {
	words := strings.Fields(line)
	if len(words) == 2 {
		words = append(words, "") // no output
	}
	if len(words) != 3 || words[0] != strconv.Itoa(number) {
		return "", 0, fmt.Errorf("%q is no answer to request %d", line, number)
	}
	code, err := strconv.Atoi(words[1])
	if err != nil {
		return "", 0, fmt.Errorf("exit code: %w", err)
	}
	out, err := base64.StdEncoding.DecodeString(words[2])
	return string(out), code, err
}

// Run runs a script in the guest and returns all that it writes, and its exit
// code. A guest that does not answer ends the test.
func (vm *VM) Run(script string) (string, int) {
	vm.t.Helper()
	out, code, err := vm.shell.run(script)
	if err != nil {
		vm.t.Fatalf("%s: %v", script, err)
	}
	return out, code
}

// Must runs a script that must succeed, and returns what it writes, without
// space around it.
func (vm *VM) Must(script string) string {
	vm.t.Helper()
	out, code := vm.Run(script)
	if code != 0 {
		vm.t.Fatalf("%s: exit %d\n%s", script, code, out)
	}
	return strings.TrimSpace(out)
}

// Until runs a script again and again until it succeeds, and returns what it
// writes then. It must within a minute of the guest's: where the host is slow, so
// is each look, and there are as many as a fast one has time for.
func (vm *VM) Until(script string) string {
	vm.t.Helper()
	const limit, pause = time.Minute, 100 * time.Millisecond
	out, code := "", 0
	for range limit / pause {
		if out, code = vm.Run(script); code == 0 {
			return strings.TrimSpace(out)
		}
		time.Sleep(pause)
	}
	vm.t.Fatalf("%s: still exit %d after %v\n%s", script, code, limit, out)
	return ""
}
