package control

import "bytes"

// An inbox makes messages out of bytes as they come.
type inbox struct {
	limit int    // bytes of a message
	buf   []byte // what came and was not yet taken out
	whole int    // bytes of buf up to the end of the last complete message
}

// add appends what came.
func (b *inbox) add(p []byte) {
	if i := bytes.LastIndexByte(p, 0); i >= 0 {
		b.whole = len(b.buf) + i + 1
	}
	b.buf = append(b.buf, p...)
}

// take returns the next complete message without its NUL, or nil. It stays as
// it is while more is added.
func (b *inbox) take() []byte {
	if b.whole == 0 {
		return nil
	}
	n := bytes.IndexByte(b.buf, 0)
	msg := b.buf[:n:n]
	b.buf, b.whole = b.buf[n+1:], b.whole-n-1
	if len(b.buf) == 0 {
		b.buf = nil // a connection that rests holds no memory
	}
	return msg
}

// half reports whether there is the beginning of a message.
func (b *inbox) half() bool { return len(b.buf) > b.whole }

// full reports whether no more should be added before something was taken.
func (b *inbox) full() bool { return b.whole > 0 && len(b.buf) >= b.limit }

// tooLong reports whether the message that is first, complete or not, breaks
// the limit.
func (b *inbox) tooLong() bool {
	return len(b.buf) > b.limit && bytes.IndexByte(b.buf[:b.limit+1], 0) < 0
}
