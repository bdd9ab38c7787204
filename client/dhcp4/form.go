package dhcp4

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A form is a way of writing values, shared by all options that are written
// so. parse and write tell in words why they cannot; an empty string is
// success.
type form[T any] struct {
	parse   func(b []byte) (v T, why string)
	write   func(b []byte, v T) (out []byte, why string)
	show    func(v T) string             // for people
	scan    func(text string) (T, error) // as people write it
	data    func(v T) any                // for JSON; nil: v itself
	example string                       // of what scan reads
}

func wantBytes(b []byte, n int) string { return fmt.Sprintf("%d bytes, want %d", len(b), n) }

func wantMultiple(b []byte, n int) string {
	return fmt.Sprintf("%d bytes, want a multiple of %d", len(b), n)
}

// bare takes the name of strconv's function out of its error.
func bare(err error) error {
	var n *strconv.NumError
	if errors.As(err, &n) {
		return fmt.Errorf("%q: %w", n.Num, n.Err)
	}
	return err
}

func join[T any](v []T) string {
	var b strings.Builder
	for i, e := range v {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, e)
	}
	return b.String()
}

func writeEach[T any](b []byte, v []T, write func([]byte, T) ([]byte, string)) ([]byte, string) {
	for _, e := range v {
		var why string
		if b, why = write(b, e); why != "" {
			return b, why
		}
	}
	return b, ""
}

func scanEach[T any](s string, scan func(string) (T, error)) ([]T, error) {
	var out []T
	for part := range strings.SplitSeq(s, ",") {
		v, err := scan(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
