package dbus

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// SystemBus returns the path of the system bus's socket.
func SystemBus() string { return "/run/dbus/system_bus_socket" }

// A Conn is one conversation on a bus. It is not safe for concurrent use.
type Conn struct {
	socket net.Conn
	serial uint32
}

// A Method is what is called: which of which interface, of which object, of
// which service.
type Method struct {
	Dest      string
	Path      Path
	Interface string
	Name      string
}

// An Error is what a service, or the bus itself, answered in place of values.
type Error struct {
	Name string // such as org.freedesktop.DBus.Error.AccessDenied
	Text string // for people; printable
}

// Error returns the text, and the name where there is none.
func (e *Error) Error() string {
	if e.Text == "" {
		return e.Name
	}
	return e.Text
}

// Is reports whether err is an Error of that name.
func Is(err error, name string) bool {
	var e *Error
	return errors.As(err, &e) && e.Name == name
}

// The service that is the bus itself.
const bus = "org.freedesktop.DBus"

// Open connects to the bus whose socket is at path, as the user that this
// process is. All of the conversation has until the deadline; what takes
// longer fails with os.ErrDeadlineExceeded. Close it.
func Open(path string, deadline time.Time) (*Conn, error) {
	s, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, explain(path, err)
	}
	c := &Conn{socket: s}
	err = errors.Join(s.SetDeadline(deadline), c.authenticate())
	if err == nil {
		_, err = c.Call(Method{bus, "/org/freedesktop/DBus", bus, "Hello"}, "")
	}
	if err != nil {
		return nil, errors.Join(explain(path, err), c.Close())
	}
	return c, nil
}

// explain puts the usual causes in words.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no D-Bus: %w", err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("D-Bus at %s does not answer: %w", path, os.ErrDeadlineExceeded)
	}
	return fmt.Errorf("D-Bus at %s: %w", path, err)
}

// Until gives the rest of the conversation another deadline.
func (c *Conn) Until(deadline time.Time) error { return c.socket.SetDeadline(deadline) }

// Close ends the conversation.
func (c *Conn) Close() error { return c.socket.Close() }

// maxLine bounds a line of the authentication.
const maxLine = 512

// authenticate says who we are; the bus asks the kernel whether that is so
// (EXTERNAL).
func (c *Conn) authenticate() error {
	uid := hex.EncodeToString([]byte(strconv.Itoa(os.Geteuid())))
	if _, err := c.socket.Write([]byte("\x00AUTH EXTERNAL " + uid + "\r\n")); err != nil {
		return err
	}
	var line []byte
	for b := make([]byte, 1); len(line) < maxLine && !strings.HasSuffix(string(line), "\r\n"); {
		// A byte at a time: what comes after the line is not ours yet.
		n, err := c.socket.Read(b)
		if err != nil {
			return err
		}
		line = append(line, b[:n]...)
	}
	if !strings.HasPrefix(string(line), "OK ") {
		return fmt.Errorf("it does not know this user: %s", printable(strings.TrimSpace(string(line))))
	}
	_, err := c.socket.Write([]byte("BEGIN\r\n"))
	return err
}

// Call calls a method with arguments of the types in sig, and returns what it
// returns. The error is an *Error if the other side refused.
func (c *Conn) Call(m Method, sig string, args ...any) ([]any, error) {
	c.serial++
	b, err := call(c.serial, m, sig, args)
	if err == nil {
		_, err = c.socket.Write(b)
	}
	for err == nil {
		var answer message
		answer, err = receive(c.socket)
		if to, ok := answer.fields[fieldReplySerial].(uint32); err != nil || !ok || to != c.serial {
			continue // a signal, which the bus sends to all
		}
		switch answer.kind {
		case methodReturn:
			return answer.body, nil
		case failure:
			err = answer.failure()
		}
	}
	return nil, fmt.Errorf("call %s of %s: %w", m.Name, m.Dest, quiet(err))
}

// quiet drops which socket took too long.
func quiet(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("no answer in time: %w", os.ErrDeadlineExceeded)
	}
	return err
}

func (m message) failure() error {
	e := &Error{Name: printable(m.text(fieldErrorName))}
	if len(m.body) > 0 {
		text, _ := m.body[0].(string)
		e.Text = printable(text)
	}
	return e
}

// printable makes a text of others safe for logs and terminals.
func printable(s string) string {
	const most = 300
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
