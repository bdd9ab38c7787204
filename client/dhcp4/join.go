package dhcp4

import (
	"bytes"
	"net/netip"
	"slices"
)

// A Shape is how an option's value is built, for those who write one or make a
// longer one of two.
type Shape uint8

// The shapes. The zero Shape is one thing that people write as a text, such as
// an address.
const (
	Single Shape = iota
	Number
	Bool
	Text // of any length: after it may come more
	List // of things that people write as texts, with commas between them
)

// ShapeOf tells how the value of the option of s is built.
func ShapeOf(s Spec) Shape {
	switch s.(type) {
	case Option[uint8], Option[uint16], Option[uint32], Option[int32]:
		return Number
	case Option[bool]:
		return Bool
	case Option[string], Option[[]byte]:
		return Text
	case Option[[]netip.Addr], Option[[]uint16], Option[[]string], Option[[]Route], Option[[]Code],
		Option[[][]byte], Option[[]Resolver], Option[[]VendorData]:
		return List
	}
	return Single
}

// Join returns the value of the option of s that says what a says, and then
// what b says. The error is a *MalformedError: a or b cannot be read, the whole
// could not, or the option has room for one thing only.
func Join(s Spec, a, b []byte) ([]byte, error) {
	if ShapeOf(s) != Text && ShapeOf(s) != List {
		return nil, &MalformedError{s.OptionCode(), "one value, to which none can be added"}
	}
	for _, part := range [][]byte{a, b} {
		if _, err := s.Value(part); err != nil {
			return nil, err
		}
	}
	out := slices.Concat(a, b)
	switch {
	case ShapeOf(s) == Text:
		out = slices.Concat(bytes.TrimRight(a, "\x00"), b)
	case s.OptionCode() == DomainSearch.Code:
		// A compressed name means nothing behind other bytes (RFC 3397).
		out = append(uncompressed(a), uncompressed(b)...)
	}
	if _, err := s.Value(out); err != nil {
		return nil, err
	}
	return out, nil
}

// uncompressed writes names anew that can be read.
func uncompressed(b []byte) []byte {
	names, _ := domains.parse(b)
	out, _ := domains.write(nil, names)
	return out
}
