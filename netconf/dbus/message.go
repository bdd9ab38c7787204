package dbus

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The types of messages.
const (
	methodCall   = 1
	methodReturn = 2
	failure      = 3
)

// The header fields that we read or write.
const (
	fieldPath        = 1
	fieldInterface   = 2
	fieldMember      = 3
	fieldErrorName   = 4
	fieldReplySerial = 5
	fieldDestination = 6
	fieldSignature   = 8
)

// A message is what goes over the bus.
type message struct {
	kind   byte
	serial uint32
	fields map[byte]any
	body   []any
}

// headerSize is the fixed part: byte order, type, flags, version, body length,
// serial, and the length of the fields.
const headerSize = 16

// call marshals the call of a method.
func call(serial uint32, m Method, sig string, args []any) ([]byte, error) {
	var body writer
	if err := body.values(sig, args); err != nil {
		return nil, err
	}
	fields := []any{
		[]any{byte(fieldPath), Variant{"o", m.Path}},
		[]any{byte(fieldMember), Variant{"s", m.Name}},
		[]any{byte(fieldInterface), Variant{"s", m.Interface}},
		[]any{byte(fieldDestination), Variant{"s", m.Dest}},
	}
	if sig != "" {
		fields = append(fields, []any{byte(fieldSignature), Variant{"g", Signature(sig)}})
	}
	w := writer{[]byte{'l', methodCall, 0, 1}}
	err := w.values("uua(yv)", []any{uint32(len(body.b)), serial, fields})
	w.align(8)
	return append(w.b, body.b...), err
}

// receive reads one message.
func receive(from io.Reader) (message, error) {
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(from, head); err != nil {
		return message{}, err
	}
	var o binary.ByteOrder
	switch head[0] {
	case 'l':
		o = binary.LittleEndian
	case 'B':
		o = binary.BigEndian
	default:
		return message{}, fmt.Errorf("a message begins with %q", head[0])
	}
	body, fields := o.Uint32(head[4:]), o.Uint32(head[12:])
	if body > maxMessage || fields > maxMessage {
		return message{}, fmt.Errorf("a message of %d bytes", uint64(body)+uint64(fields))
	}
	rest := make([]byte, (fields+7)/8*8+body)
	if _, err := io.ReadFull(from, rest); err != nil {
		return message{}, err
	}
	return parse(append(head, rest...), o)
}

// parse reads a message of which all bytes are there.
func parse(b []byte, o binary.ByteOrder) (message, error) {
	r := reader{b: b, at: headerSize - 4, order: o}
	m := message{kind: b[1], serial: o.Uint32(b[8:]), fields: map[byte]any{}}
	list, _ := r.value("a(yv)", 0).([]any)
	if r.err != nil {
		return m, fmt.Errorf("the header of a message: %w", r.err)
	}
	for _, f := range list {
		pair := f.([]any) // as the signature says
		m.fields[pair[0].(byte)] = pair[1].(Variant).Value
	}
	r.align(8)
	sig, _ := m.fields[fieldSignature].(Signature)
	body := reader{b: b[min(r.at, len(b)):], order: o}
	m.body = body.values(string(sig), 0)
	if body.err != nil {
		return m, fmt.Errorf("a message of the type %q: %w", sig, body.err)
	}
	return m, nil
}

// text is a header field that is a text; "" without one.
func (m message) text(field byte) string {
	s, _ := m.fields[field].(string)
	return s
}
