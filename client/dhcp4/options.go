package dhcp4

import (
	"bytes"
	"fmt"
	"slices"
)

// RawOption is an option as bytes. Value is the joined value if the option
// came in several pieces, and may be longer than 255 bytes.
type RawOption struct {
	Code  Code
	Value []byte
}

// Options are the options of a message, in the order of their first
// appearance, each code once. Copies share their memory: what others still read
// is changed in a [Options.Clone].
type Options []RawOption

// Lookup returns the bytes of option c, and whether it is there. The bytes are
// shared with the message; do not change them.
func (o Options) Lookup(c Code) ([]byte, bool) {
	for i := range o {
		if o[i].Code == c {
			return o[i].Value, true
		}
	}
	return nil, false
}

// Put sets option c, where it stands or at the end.
func (o *Options) Put(c Code, v []byte) {
	for i := range *o {
		if (*o)[i].Code == c {
			(*o)[i].Value = v
			return
		}
	}
	*o = append(*o, RawOption{c, v})
}

// Delete removes option c.
func (o *Options) Delete(c Code) {
	*o = slices.DeleteFunc(*o, func(r RawOption) bool { return r.Code == c })
}

// Clone returns a copy that shares nothing with o.
func (o Options) Clone() Options {
	size := 0
	for _, opt := range o {
		size += len(opt.Value)
	}
	values := make([]byte, 0, size) // in one piece: a lease is kept for long
	out := slices.Clone(o)
	for i := range out {
		n := len(values)
		values = append(values, out[i].Value...)
		out[i].Value = values[n:len(values):len(values)]
	}
	return out
}

// append writes the options without the end, the message type first. A value
// of more than 255 bytes becomes several options in a row (RFC 3396, section
// 5).
func (o Options) append(b []byte) []byte {
	for i := range o {
		if o[i].Code == MsgType.Code {
			b = o[i].append(b)
		}
	}
	for i := range o {
		if o[i].Code != MsgType.Code {
			b = o[i].append(b)
		}
	}
	return b
}

func (r RawOption) append(b []byte) []byte {
	v := r.Value
	for {
		n := min(len(v), 255)
		b = append(b, byte(r.Code), byte(n))
		b = append(b, v[:n]...)
		v = v[n:]
		if len(v) == 0 {
			return b
		}
	}
}

// The bits of option 52 (RFC 2132, section 9.3).
const (
	overloadFile  = 1
	overloadSName = 2
)

// readOptions reads all three fields that may hold options, in the order that
// joining depends on (RFC 3396, section 5).
func (m *Message) readOptions(b []byte) {
	m.scan("options", b[offOptions:])
	overload := m.overload()
	file, sname := b[offFile:offFile+lenFile], b[offSName:offSName+lenSName]
	if overload&overloadFile != 0 {
		m.scan("file", file)
	} else {
		m.File = text(file)
	}
	if overload&overloadSName != 0 {
		m.scan("sname", sname)
	} else {
		m.SName = text(sname)
	}
}

// text is a field up to its first NUL.
func text(field []byte) string {
	if i := bytes.IndexByte(field, 0); i >= 0 {
		field = field[:i]
	}
	return string(field)
}

// overload takes option 52 out of the options field and returns its bits, 0
// if it makes no sense. It describes this datagram only and is of no use to
// anyone after this.
func (m *Message) overload() byte {
	v, ok := m.Options.Lookup(codeOverload)
	if !ok {
		return 0
	}
	defer m.Options.Delete(codeOverload)
	if len(v) != 1 || v[0] < 1 || v[0] > 3 {
		m.Problems = append(m.Problems, fmt.Errorf("option 52 (overload) is % x, want 1, 2 or 3: ignored", v))
		return 0
	}
	return v[0]
}

// scan reads one field up to its end option. What came before an option that
// runs past the field is kept. Option 52 counts in the options field only.
func (m *Message) scan(field string, b []byte) {
	for len(b) > 0 {
		c := Code(b[0])
		switch c {
		case codePad:
			b = b[1:]
			continue
		case codeEnd:
			return
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			m.Problems = append(m.Problems, fmt.Errorf("option %d runs past the end of the %s field: the rest of the field is ignored", c, field))
			return
		}
		end := 2 + int(b[1])
		switch v := b[2:end:end]; {
		case c != codeOverload:
			m.add(c, v)
		case field == "options":
			m.add(c, v)
		default:
			m.Problems = append(m.Problems, fmt.Errorf("option 52 (overload) within the %s field: ignored", field))
		}
		b = b[end:]
	}
}

// add joins v to what came of option c before (RFC 3396, section 7).
func (m *Message) add(c Code, v []byte) {
	for i := range m.Options {
		if r := &m.Options[i]; r.Code == c {
			r.Value = append(r.Value, v...) // capacity is capped, so this copies
			return
		}
	}
	m.Options = append(m.Options, RawOption{c, v})
}
