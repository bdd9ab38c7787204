package dbus

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/nettest"
)

// theBus is what a test asks about.
var theBus = Method{bus, "/org/freedesktop/DBus", bus, ""}

func method(name string) Method {
	m := theBus
	m.Name = name
	return m
}

// soon is a deadline that tests wait for only if something is broken.
func soon() time.Time { return time.Now().Add(20 * time.Second) }

// daemon starts a real bus, and returns its socket.
func daemon(t *testing.T) string {
	t.Helper()
	program := nettest.Program(t, "dbus-daemon")
	path := filepath.Join(t.TempDir(), "bus")
	cmd := exec.Command(program, "--session", "--nofork", "--nopidfile", "--print-address=1", "--address=unix:path="+path)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := out.Read(make([]byte, 1)); err != nil { // it is ready
		t.Fatal(err)
	}
	return path
}

func TestARealBusAnswers(t *testing.T) {
	path := daemon(t)
	c, err := Open(path, soon())
	must(t, err)
	defer c.Close()
	out, err := c.Call(method("ListNames"), "")
	if err != nil || len(out) != 1 || len(out[0].([]any)) != 2 { // itself, and us
		t.Errorf("%v, %v", out, err)
	}
	out, err = c.Call(method("NameHasOwner"), "s", bus)
	if err != nil || out[0] != true {
		t.Errorf("%v, %v", out, err)
	}
	_, err = c.Call(Method{"com.example.Nobody", "/", "com.example.Nobody", "Nothing"}, "")
	if !Is(err, "org.freedesktop.DBus.Error.ServiceUnknown") || !strings.Contains(err.Error(), "com.example.Nobody") {
		t.Errorf("%v", err)
	}
	if out, err = c.Call(method("GetId"), ""); err != nil || len(out) != 1 {
		t.Errorf("after a refusal: %v, %v", out, err)
	}
}

func TestNoBusIsSaidSo(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "bus"), soon())
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "there is no D-Bus") {
		t.Errorf("%v", err)
	}
}

// listen plays a bus by a function.
func listen(t *testing.T, play func(net.Conn)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", path)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				play(c)
			}()
		}
	}()
	return path
}

// swallow hears everything and says nothing more.
func swallow(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func TestABusThatNeverAnswersIsGivenUp(t *testing.T) {
	for name, play := range map[string]func(net.Conn){
		"to a connection": swallow,
		"to hello": func(c net.Conn) {
			_, _ = c.Write([]byte("OK 1234\r\n"))
			swallow(c)
		},
		"in the middle": func(c net.Conn) {
			_, _ = c.Write([]byte("OK 1234\r\nl\x02\x00\x01"))
			swallow(c)
		},
		"and talks on": func(c net.Conn) {
			go swallow(c)
			_, _ = c.Write([]byte("OK 1234\r\n"))
			for { // signals, for ever
				b, err := call(1, Method{"a.b", "/c", "d.e", "F"}, "", nil)
				if err != nil {
					return
				}
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(listen(t, play), time.Now().Add(50*time.Millisecond))
			if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "does not answer") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestABusThatTalksNonsenseIsLeft(t *testing.T) {
	for name, says := range map[string]string{
		"refused":          "REJECTED EXTERNAL\x1b[31m\r\n",
		"another protocol": "HTTP/1.1 400 Bad Request\r\n",
		"an endless line":  strings.Repeat("OK", 1000),
		"no message":       "OK 1\r\nGET / HTTP/1.1\r\n\r\n\r\n",
		"a gigabyte":       "OK 1\r\nl\x02\x00\x01\xff\xff\xff\x3f\x01\x00\x00\x00\x00\x00\x00\x00",
		"it hangs up":      "OK 1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := listen(t, func(c net.Conn) {
				go swallow(c)
				_, _ = c.Write([]byte(says))
			})
			_, err := Open(path, soon())
			if err == nil || errors.Is(err, os.ErrDeadlineExceeded) || strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("%q", err)
			}
		})
	}
}
