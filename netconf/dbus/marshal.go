package dbus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

var (
	errCut  = errors.New("it is cut off")
	errDeep = errors.New("it is nested too deeply")
)

// A writer marshals values, little-endian.
type writer struct{ b []byte }

var order = binary.LittleEndian

func (w *writer) align(n int) {
	for len(w.b)%n != 0 {
		w.b = append(w.b, 0)
	}
}

// values writes one value for each complete type in sig.
func (w *writer) values(sig string, values []any) error {
	for i := 0; sig != ""; i++ {
		first, rest, err := next(sig)
		if err != nil {
			return err
		}
		if i >= len(values) {
			return fmt.Errorf("%d values are too few", len(values))
		}
		if err := w.value(first, values[i]); err != nil {
			return err
		}
		if sig = rest; sig == "" && i+1 != len(values) {
			return fmt.Errorf("%d values are too many", len(values))
		}
	}
	return nil
}

// value writes one value of the complete type sig.
func (w *writer) value(sig string, value any) error {
	w.align(aligned(sig[0]))
	switch v := value.(type) {
	case []any:
		switch sig[0] {
		case 'a':
			return w.array(sig[1:], v)
		case '(', '{':
			return w.values(sig[1:len(sig)-1], v)
		}
	case []byte:
		if sig == "ay" {
			w.b = append(order.AppendUint32(w.b, uint32(len(v))), v...)
			return nil
		}
	case Variant:
		if sig != "v" {
			break
		}
		if first, rest, err := next(string(v.Signature)); err != nil || rest != "" {
			return fmt.Errorf("a variant of the type %q: %w", first, errors.Join(err, errOne))
		}
		w.signature(string(v.Signature))
		return w.value(string(v.Signature), v.Value)
	default:
		return w.basic(sig, value)
	}
	return mismatch(sig, value)
}

var errOne = errors.New("want one type")

func mismatch(sig string, value any) error { return fmt.Errorf("%T is not of the type %q", value, sig) }

func (w *writer) array(of string, values []any) error {
	at := len(w.b)
	w.b = append(w.b, 0, 0, 0, 0)
	w.align(aligned(of[0])) // which does not count as the array's length
	start := len(w.b)
	for _, v := range values {
		if err := w.value(of, v); err != nil {
			return err
		}
	}
	order.PutUint32(w.b[at:], uint32(len(w.b)-start))
	return nil
}

func (w *writer) signature(s string) { w.b = append(append(append(w.b, byte(len(s))), s...), 0) }

func (w *writer) text(s string) error {
	if strings.ContainsRune(s, 0) {
		return fmt.Errorf("a NUL in %q", s)
	}
	w.b = append(append(order.AppendUint32(w.b, uint32(len(s))), s...), 0)
	return nil
}

// basic writes a value that holds no others.
func (w *writer) basic(sig string, value any) error {
	switch v := value.(type) {
	case string:
		if sig == "s" {
			return w.text(v)
		}
	case Path:
		if sig == "o" {
			return w.text(string(v))
		}
	case Signature:
		if sig == "g" && len(v) <= maxSig {
			w.signature(string(v))
			return nil
		}
	case bool:
		if sig == "b" {
			n := uint32(0)
			if v {
				n = 1
			}
			w.b = order.AppendUint32(w.b, n)
			return nil
		}
	default:
		return w.number(sig, value)
	}
	return mismatch(sig, value)
}

// number writes the numbers that methods take.
func (w *writer) number(sig string, value any) error {
	switch v := value.(type) {
	case byte:
		if sig == "y" {
			w.b = append(w.b, v)
			return nil
		}
	case uint16:
		if sig == "q" {
			w.b = order.AppendUint16(w.b, v)
			return nil
		}
	case int32:
		if sig == "i" {
			w.b = order.AppendUint32(w.b, uint32(v))
			return nil
		}
	case uint32:
		if sig == "u" {
			w.b = order.AppendUint32(w.b, v)
			return nil
		}
	}
	return mismatch(sig, value)
}
