package dhcp4

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

// Example returns a value that Parse reads.
func (opt Option[T]) Example() string { return opt.example }

// Shape tells how the value is built.
func (opt Option[T]) Shape() Shape { return opt.shape }

// Join returns the value that says what a says, and then what b says. Both are
// read and written anew: a compressed name (RFC 3397) means nothing behind
// other bytes. The error is a *MalformedError: a or b cannot be read, the whole
// could not, or the option has room for one thing only.
func (opt Option[T]) Join(a, b []byte) ([]byte, error) {
	if opt.shape != Text && opt.shape != List {
		return nil, &MalformedError{opt.Code, "one value, to which none can be added"}
	}
	var out []byte
	for _, part := range [][]byte{a, b} {
		v, err := opt.read(part)
		if err != nil {
			return nil, err
		}
		var why string
		if out, why = opt.write(out, v); why != "" {
			return nil, &MalformedError{opt.Code, why}
		}
	}
	if _, err := opt.read(out); err != nil {
		return nil, err
	}
	return out, nil
}
