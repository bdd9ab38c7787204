package dhcp4

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrUnset says that an option is absent.
var ErrUnset = errors.New("not set")

// A MalformedError says that an option is there and cannot be read, and why.
type MalformedError struct {
	Code Code
	Why  string
}

// Error says "option 3 (routers): 5 bytes, want a multiple of 4".
func (e *MalformedError) Error() string {
	return fmt.Sprintf("option %d (%v): %s", uint8(e.Code), e.Code, e.Why)
}

// An Option couples an option code with the form of its value. Those of this
// package are all there are: one made elsewhere has no form, and its methods
// panic. Options that the package does not know are read by [Options.Lookup] and
// written by [Options.Put].
type Option[T any] struct {
	Code     Code
	Name     string // as dhclient and IANA name it
	*form[T]        // not a copy: there are many types, and each has the code for one
}

// Get returns the option's value in o. The error is ErrUnset if o lacks the
// option, and a *[MalformedError] if its bytes break the option's rules.
func (opt Option[T]) Get(o Options) (T, error) {
	v, ok := o.Lookup(opt.Code)
	if !ok {
		var zero T
		return zero, ErrUnset
	}
	return opt.read(v)
}

// Put sets the option in o. The error says that v cannot be written, or could
// not be read again.
func (opt Option[T]) Put(o *Options, v T) error {
	b, why := opt.write(nil, v)
	if why == "" {
		_, why = opt.form.parse(b)
	}
	if why != "" {
		return &MalformedError{opt.Code, why}
	}
	o.Put(opt.Code, b)
	return nil
}

func (opt Option[T]) read(b []byte) (T, error) {
	v, why := opt.form.parse(b)
	if why != "" {
		var zero T
		return zero, &MalformedError{opt.Code, why}
	}
	return v, nil
}

// A Spec is one row of the table of options without its type: what printing
// and the command line need. An [Option] is one.
type Spec interface {
	OptionCode() Code
	OptionName() string

	// Format returns the value for people: printable, in one line. The
	// error is a *MalformedError.
	Format(v []byte) (string, error)

	// Value returns the value for encoding/json. The error is a
	// *MalformedError.
	Value(v []byte) (any, error)

	// Parse reads a value as people write it. The error shows an example.
	Parse(text string) ([]byte, error)

	// Example returns a value that Parse reads.
	Example() string
}

// OptionCode returns opt.Code.
func (opt Option[T]) OptionCode() Code { return opt.Code }

// OptionName returns opt.Name.
func (opt Option[T]) OptionName() string { return opt.Name }

// Format returns the value for people.
func (opt Option[T]) Format(b []byte) (string, error) {
	v, err := opt.read(b)
	if err != nil {
		return "", err
	}
	return printable(opt.show(v)), nil
}

// Value returns the value for encoding/json.
func (opt Option[T]) Value(b []byte) (any, error) {
	v, err := opt.read(b)
	if err != nil {
		return nil, err
	}
	if opt.data != nil {
		return opt.data(v), nil
	}
	return v, nil
}

// Parse reads a value as people write it.
func (opt Option[T]) Parse(text string) ([]byte, error) {
	v, err := opt.scan(text)
	if err != nil {
		return nil, unlike(opt.Name, opt.example, err)
	}
	b, why := opt.write(nil, v)
	if why == "" {
		_, why = opt.form.parse(b)
	}
	if why != "" {
		return nil, unlike(opt.Name, opt.example, errors.New(why))
	}
	return b, nil
}

// unlike says why a text is no value of an option, and shows one that is.
func unlike(name, example string, err error) error {
	return fmt.Errorf("%s: %w; an example: %s=%s", name, err, name, example)
}

// Example returns a value that Parse reads.
func (opt Option[T]) Example() string { return opt.example }

// ByCode returns the row of option c.
func ByCode(c Code) (Spec, bool) {
	s := byCode[c]
	return s, s != nil
}

// ByName returns the row of the option with that name.
func ByName(name string) (Spec, bool) {
	for _, s := range table {
		if s.OptionName() == name {
			return s, true
		}
	}
	return nil, false
}

// Specs returns all rows, in the order of their codes.
func Specs() []Spec {
	var out []Spec
	for _, s := range byCode {
		if s != nil {
			out = append(out, s)
		}
	}
	return out
}

// byCode is the table by code.
var byCode = func() (index [256]Spec) {
	for _, s := range table {
		index[s.OptionCode()] = s
	}
	return index
}()

// Sendable refuses the options that configuration must not set, because the
// protocol itself decides them.
func Sendable(c Code) error {
	switch c {
	case codePad, codeEnd, codeOverload, MsgType.Code, ServerID.Code, ParameterList.Code, RelayAgent.Code:
		return fmt.Errorf("option %d cannot be set by hand: the protocol decides it", uint8(c))
	case RequestedAddr.Code, ClientIdentifier.Code:
		return fmt.Errorf("option %d cannot be set like this: not every message has the same one; there is a setting of its own for it", uint8(c))
	}
	return nil
}

// option is the JSON form of one option. Reading looks at code and hex alone;
// name and value are for people.
type option struct {
	Code  uint8  `json:"code"`
	Name  string `json:"name"`
	Value any    `json:"value,omitempty"`
	Error string `json:"error,omitempty"` // why there is no value
	Hex   hex    `json:"hex"`
}

// MarshalJSON writes a list of objects with the members code, name, hex, and
// value, or error if the value is malformed.
func (o Options) MarshalJSON() ([]byte, error) {
	list := make([]option, 0, len(o))
	for _, r := range o {
		j := option{Code: uint8(r.Code), Name: r.Code.String(), Hex: r.Value}
		if s, ok := ByCode(r.Code); ok {
			v, err := s.Value(r.Value)
			if err != nil {
				j.Error = err.Error()
			}
			j.Value = v
		}
		list = append(list, j)
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (o *Options) UnmarshalJSON(b []byte) error {
	var list []option
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	out := make(Options, 0, len(list))
	for _, j := range list {
		out = append(out, RawOption{Code(j.Code), j.Hex})
	}
	*o = out
	return nil
}
