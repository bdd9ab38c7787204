package control

import (
	"bytes"
	"testing"
)

// FuzzInbox feeds bytes in pieces. What comes out must be what lies between
// the NULs, nothing may be kept beyond the limit and a piece, and a message
// that is too long must be found out before it grows further.
func FuzzInbox(f *testing.F) {
	f.Add([]byte("a\x00bc\x00\x00d"), uint8(1))
	f.Add([]byte("0123456789abcdef\x00"), uint8(3))
	f.Add([]byte("0123456789abcdefg\x00"), uint8(20))
	f.Add([]byte("\x00\x00\x00"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		const limit = 16
		size := max(int(piece), 1)
		box := inbox{limit: limit}
		var got [][]byte
		rest := data
		for len(rest) > 0 && !box.tooLong() {
			if box.full() { // whoever has nothing else to do takes one
				got = append(got, bytes.Clone(box.take()))
				continue
			}
			n := min(size, len(rest))
			box.add(rest[:n])
			rest = rest[n:]
			if len(box.buf) > limit+size {
				t.Fatalf("%d bytes are kept", len(box.buf))
			}
		}
		for !box.tooLong() {
			msg := box.take()
			if msg == nil {
				break
			}
			got = append(got, bytes.Clone(msg))
		}
		want := bytes.Split(data, []byte{0})
		for i, msg := range got {
			if !bytes.Equal(msg, want[i]) {
				t.Fatalf("message %d is %q, want %q", i, msg, want[i])
			}
		}
		next := want[len(got)]
		switch {
		case box.tooLong():
			if len(next) <= limit {
				t.Fatalf("%q is too long", next)
			}
		case len(got) != len(want)-1, !bytes.Equal(box.buf, next), box.half() != (len(next) > 0), len(next) > limit:
			t.Fatalf("%q is left of %q, half %v", box.buf, data, box.half())
		case len(next) == 0 && box.buf != nil && len(got) > 0:
			t.Fatal("an empty inbox holds memory")
		}
	})
}
