package dbus

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// A reader parses what others have marshalled. The first fault ends it.
type reader struct {
	b     []byte
	at    int // in b, which begins where values are aligned
	order binary.ByteOrder
	err   error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// take returns the next n bytes, or n zero bytes after a fault: at most 8, so
// that numbers can be read without a look at every one.
func (r *reader) take(n int) []byte {
	if r.err == nil && n > len(r.b)-r.at {
		r.fail(errCut)
	}
	if r.err != nil {
		return make([]byte, min(n, 8))
	}
	r.at += n
	return r.b[r.at-n : r.at : r.at]
}

func (r *reader) align(n int) {
	if past := r.at % n; past != 0 {
		r.take(n - past)
	}
}

func (r *reader) u32() uint32 {
	r.align(4)
	return r.order.Uint32(r.take(4))
}

// text reads n bytes and a NUL.
func (r *reader) text(n int) string {
	if n < 0 || n >= len(r.b)-r.at {
		r.fail(errCut)
		return ""
	}
	s := string(r.take(n))
	if end := r.take(1); r.err == nil && (end[0] != 0 || strings.ContainsRune(s, 0) || !utf8.ValidString(s)) {
		r.fail(fmt.Errorf("%q is no text", s))
	}
	return s
}

func (r *reader) signature() string { return r.text(int(r.take(1)[0])) }

// values reads one value for each complete type in sig.
func (r *reader) values(sig string, depth int) (out []any) {
	for sig != "" && r.err == nil {
		first, rest, err := next(sig)
		if err != nil {
			r.fail(err)
			return out
		}
		out, sig = append(out, r.value(first, depth)), rest
	}
	return out
}

// value reads one value of the complete type sig.
func (r *reader) value(sig string, depth int) any {
	if depth > maxDepth {
		r.fail(errDeep)
		return nil
	}
	r.align(aligned(sig[0]))
	switch sig[0] {
	case 'a':
		return r.array(sig[1:], depth+1)
	case '(', '{':
		return r.values(sig[1:len(sig)-1], depth+1)
	case 'v':
		s := r.signature()
		first, rest, err := next(s)
		if err != nil || rest != "" {
			r.fail(fmt.Errorf("a variant of the type %q", s))
			return nil
		}
		return Variant{Signature(s), r.value(first, depth+1)}
	case 's':
		return r.text(int(r.u32()))
	case 'o':
		return Path(r.text(int(r.u32())))
	case 'g':
		return Signature(r.signature())
	case 'b':
		return r.u32() != 0
	}
	return r.number(sig[0])
}

func (r *reader) number(t byte) any {
	switch t {
	case 'y':
		return r.take(1)[0]
	case 'n':
		return int16(r.order.Uint16(r.take(2)))
	case 'q':
		return r.order.Uint16(r.take(2))
	case 'i':
		return int32(r.order.Uint32(r.take(4)))
	case 'u':
		return r.order.Uint32(r.take(4))
	case 'x':
		return int64(r.order.Uint64(r.take(8)))
	case 't':
		return r.order.Uint64(r.take(8))
	case 'd':
		return math.Float64frombits(r.order.Uint64(r.take(8)))
	}
	r.fail(fmt.Errorf("no type is called %q", t))
	return nil
}

func (r *reader) array(of string, depth int) any {
	n := int(r.u32())
	r.align(aligned(of[0]))
	if n < 0 || n > len(r.b)-r.at {
		r.fail(errCut)
	}
	if r.err != nil {
		return nil
	}
	if of == "y" {
		return append([]byte(nil), r.take(n)...)
	}
	out := []any{}
	for end := r.at + n; r.at < end && r.err == nil; {
		out = append(out, r.value(of, depth))
		if r.at > end {
			r.fail(fmt.Errorf("an array of %q ends within an element", of))
		}
	}
	return out
}
