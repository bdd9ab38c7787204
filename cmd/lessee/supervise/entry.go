package supervise

import (
	"encoding/binary"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// prefix sets our fields apart from journald's own and from other programs'.
const prefix = "LESSEE_"

// maxName is how long a field's name may be; journald drops longer ones.
const maxName = 64

// An entry is a record on its way into the journal: a text for people, which
// becomes MESSAGE, and fields for those who search.
type entry struct {
	text   []byte // " link=eth0"
	fields []byte // "LESSEE_LINK=eth0\n"
}

// A scope is where in the groups an attribute stands.
type scope struct {
	text string // "server."
	name string // "SERVER_"
}

func (s scope) in(group string) scope {
	if group == "" {
		return s // its members stand where the group does
	}
	return scope{s.text + group + ".", s.name + clean(group) + "_"}
}

// add adds an attribute. Groups fall apart into their members.
func (e *entry) add(s scope, a slog.Attr) {
	a.Value = a.Value.Resolve()
	switch {
	case a.Equal(slog.Attr{}):
		return
	case a.Value.Kind() == slog.KindGroup:
		for _, member := range a.Value.Group() {
			e.add(s.in(a.Key), member)
		}
		return
	}
	value := textOf(a.Value)
	e.text = append(e.text, ' ')
	e.text = appendWord(e.text, s.text+a.Key)
	e.text = append(e.text, '=')
	e.text = appendWord(e.text, value)
	name := prefix + s.name + clean(a.Key)
	e.fields = appendField(e.fields, name[:min(len(name), maxName)], value)
}

func textOf(v slog.Value) string {
	if v.Kind() == slog.KindTime {
		return v.Time().Format(time.RFC3339Nano)
	}
	return v.String()
}

// clean makes part of a field's name out of a key: those have capital letters,
// digits and underscores only.
func clean(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, key)
}

// appendWord quotes a word that would not be read as one.
func appendWord(b []byte, word string) []byte {
	plain := func(r rune) bool { return r > ' ' && r != '"' && r != '=' && strconv.IsPrint(r) }
	if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return strconv.AppendQuote(b, word)
	}
	return append(b, word...)
}

// appendField writes one field of the native protocol: name=value, or, where
// the value has lines, the name, the value's length as 64 bits, and the value.
func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	if strings.Contains(value, "\n") {
		b = append(b, '\n')
		b = binary.LittleEndian.AppendUint64(b, uint64(len(value)))
	} else {
		b = append(b, '=')
	}
	b = append(b, value...)
	return append(b, '\n')
}
