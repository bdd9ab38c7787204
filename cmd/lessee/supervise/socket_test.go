package supervise

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A reader is a socket as systemd and journald have one.
type reader struct {
	t    *testing.T
	path string
	conn *net.UnixConn
}

// listen makes a socket. Not in the test's own folder: a socket's path has 107
// bytes at most.
func listen(t *testing.T) *reader {
	t.Helper()
	dir, err := os.MkdirTemp("", "supervise-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &reader{t: t, path: filepath.Join(dir, "socket")}
	r.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: r.path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.conn.Close() })
	return r
}

// receive returns the next datagram, or what is in the file that came instead.
func (r *reader) receive() []byte {
	r.t.Helper()
	if err := r.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	b, oob := make([]byte, 1<<18), make([]byte, 64)
	n, noob, _, _, err := r.conn.ReadMsgUnix(b, oob)
	if err != nil {
		r.t.Fatal(err)
	}
	if noob == 0 {
		return b[:n]
	}
	if n != 0 {
		r.t.Fatalf("%d bytes beside a file", n)
	}
	return r.file(oob[:noob])
}

// file reads a file as journald does, which takes it only if it is sealed.
func (r *reader) file(oob []byte) []byte {
	r.t.Helper()
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		r.t.Fatalf("%v, %v", messages, err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		r.t.Fatalf("%v, %v", fds, err)
	}
	f := os.NewFile(uintptr(fds[0]), "memfd")
	defer f.Close()
	const want = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if seals, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0); err != nil || seals != want {
		r.t.Fatalf("seals %#x, %v", seals, err)
	}
	info, err := f.Stat()
	if err != nil {
		r.t.Fatal(err)
	}
	b := make([]byte, info.Size())
	if _, err := f.ReadAt(b, 0); err != nil {
		r.t.Fatal(err)
	}
	return b
}

// silent checks that nothing has come.
func (r *reader) silent() {
	r.t.Helper()
	raw, err := r.conn.SyscallConn()
	if err != nil {
		r.t.Fatal(err)
	}
	var n int
	if e := raw.Control(func(fd uintptr) { n, _, err = unix.Recvfrom(int(fd), make([]byte, 1<<16), unix.MSG_DONTWAIT) }); e != nil {
		r.t.Fatal(e)
	}
	if err != unix.EAGAIN {
		r.t.Errorf("%d bytes came, %v", n, err)
	}
}

// A field is one field of a journal entry.
type field struct{ name, value string }

// parseEntry reads the native protocol, and lets nothing pass that journald
// would drop, ignore or take for something else.
func parseEntry(b []byte) (out []field, err error) {
	for len(b) > 0 {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		if !ok {
			return nil, fmt.Errorf("%q does not end with a newline", b)
		}
		name, value, simple := strings.Cut(string(line), "=")
		if !simple {
			if len(rest) < 8 {
				return nil, fmt.Errorf("%s has no length", name)
			}
			n := binary.LittleEndian.Uint64(rest)
			if rest = rest[8:]; uint64(len(rest)) <= n || rest[n] != '\n' {
				return nil, fmt.Errorf("%s does not end after %d bytes", name, n)
			}
			value, rest = string(rest[:n]), rest[n+1:]
		}
		if why := badName(name); why != "" {
			return nil, fmt.Errorf("name %q: %s", name, why)
		}
		out, b = append(out, field{name, value}), rest
	}
	return out, nil
}

// badName tells why journald drops a field of that name.
func badName(name string) string {
	switch {
	case name == "" || len(name) > 64:
		return "its length"
	case name[0] == '_' || '0' <= name[0] && name[0] <= '9':
		return "its first character"
	case strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "":
		return "a character"
	}
	return ""
}

func TestTheParserRefusesWhatJournaldWould(t *testing.T) {
	for _, bad := range []string{
		"A=1", "=1\n", "_A=1\n", "1A=1\n", "a=1\n", "Ä=1\n", strings.Repeat("A", 65) + "=1\n",
		"A\n\x01\x00\x00\x00\x00\x00\x00\x001", "A\n\x02\x00\x00\x00\x00\x00\x00\x001\n", "A\n1\n", "\n",
	} {
		if got, err := parseEntry([]byte(bad)); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}
