package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// A wire is a connection by hand.
type wire struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func byHand(t *testing.T, c net.Conn) *wire {
	t.Cleanup(func() { _ = c.Close() })
	return &wire{t, c, bufio.NewReader(c)}
}

// dialHand connects to a socket by hand.
func dialHand(t *testing.T, path string) *wire {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return byHand(t, c)
}

// send sends text, and a NUL for every "␀" in it.
func (w *wire) send(text string) {
	w.t.Helper()
	if err := w.trySend(text); err != nil {
		w.t.Fatalf("send: %v", err)
	}
}

func (w *wire) trySend(text string) error {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r == '␀' {
			r = 0
		}
		b = append(b, string(r)...)
	}
	_, err := w.Write(b)
	return err
}

// A reply is a message from the service.
type reply struct {
	Parameters map[string]any `json:"parameters"`
	Continues  bool           `json:"continues"`
	Error      string         `json:"error"`
}

// next is the next reply.
func (w *wire) next() (reply, error) {
	b, err := w.r.ReadBytes(0)
	if err != nil {
		return reply{}, err
	}
	var r reply
	if err := json.Unmarshal(b[:len(b)-1], &r); err != nil {
		w.t.Errorf("no valid reply: %q", b)
	}
	return r, nil
}

// want is the next reply, which must be there.
func (w *wire) want() reply {
	w.t.Helper()
	r, err := w.next()
	if err != nil {
		w.t.Fatalf("no reply: %v", err)
	}
	return r
}

// cut checks that the service closes the connection, with nothing more said.
func (w *wire) cut() {
	w.t.Helper()
	if r, err := w.next(); err == nil {
		w.t.Errorf("it goes on: %+v", r)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		w.t.Error("it is not closed")
	}
}
