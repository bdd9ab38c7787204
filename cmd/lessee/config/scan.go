package config

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// A scanner goes through a text once. Every loop ends because each turn moves
// pos, and every recursion because depth is bounded.
type scanner struct {
	text   string
	pos    int
	table  []string // of the last header
	depth  int
	places *places
}

func (s *scanner) document() {
	for s.blank(); s.pos < len(s.text); s.blank() {
		if s.text[s.pos] == '[' {
			s.header()
		} else {
			s.pair(s.table)
		}
		s.skipTo("\n")
	}
}

func (s *scanner) header() {
	for range 2 {
		s.take('[')
	}
	if path := s.key(nil); path != nil {
		s.table = path
	}
}

// pair scans KEY = VALUE.
func (s *scanner) pair(prefix []string) {
	path := s.key(prefix)
	if path == nil || !s.take('=') {
		return
	}
	s.space()
	p := s.places.find(path...)
	p.value = s.pos
	s.any(path, &p.elements)
}

// key scans a.b."c" and notes the place of each part that is new; nil if
// there is none.
func (s *scanner) key(prefix []string) []string {
	path := slices.Clone(prefix)
	for {
		s.space()
		at := s.pos
		part, ok := s.part()
		if !ok || len(path) == maxDepth {
			if ok {
				s.tooDeep(at)
			}
			return nil
		}
		path = append(path, part)
		if s.places.find(path...) == nil {
			s.places.index[joined(path)] = &place{key: at}
		}
		s.space()
		if !s.take('.') {
			return path
		}
	}
}

// part scans one part of a key.
func (s *scanner) part() (string, bool) {
	begin := s.pos
	if s.at('"') || s.at('\'') {
		s.quoted()
		return unquote(s.text[begin:s.pos]), true
	}
	for s.pos < len(s.text) && bareKey(s.text[s.pos]) {
		s.pos++
	}
	return s.text[begin:s.pos], s.pos > begin
}

func bareKey(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c >= utf8.RuneSelf
}

// unquote reads a quoted key. Where that takes more than a look the library
// does it, so that both understand the same; what it refuses it has refused in
// the file too.
func unquote(text string) string {
	if !strings.Contains(text, `\`) || text[0] == '\'' {
		return strings.Trim(text, text[:1])
	}
	var v struct{ K string }
	if _, err := toml.Decode("K = "+text, &v); err != nil {
		return text
	}
	return v.K
}

// any scans a value of the key at path, and tells where the elements of a list
// are.
func (s *scanner) any(path []string, elements *[]int) {
	if s.pos == len(s.text) {
		return
	}
	switch s.text[s.pos] {
	case '"', '\'':
		s.quoted()
	case '[':
		s.inside(']', func() {
			*elements = append(*elements, s.pos)
			s.any(append(path, ""), new([]int)) // keys in there are of no table
		})
	case '{':
		s.inside('}', func() { s.pair(path) })
	default:
		s.skipTo(",]}#\n")
	}
}

// inside scans what is between brackets, one element after the other.
func (s *scanner) inside(end byte, element func()) {
	if s.depth++; s.depth > maxDepth {
		s.tooDeep(s.pos)
		return
	}
	defer func() { s.depth-- }()
	s.pos++
	for s.blank(); s.pos < len(s.text) && !s.take(end); s.blank() {
		before := s.pos
		if !s.take(',') {
			element()
		}
		if s.pos == before {
			s.pos++ // not TOML, but the end must come
		}
	}
}

// quoted scans a string of any of the four forms.
func (s *scanner) quoted() {
	quote := s.text[s.pos : s.pos+1]
	end := quote
	if long := strings.Repeat(quote, 3); strings.HasPrefix(s.text[s.pos:], long) {
		end = long
	}
	s.pos += len(end)
	for s.pos < len(s.text) {
		switch {
		case s.text[s.pos] == '\\' && quote == `"`:
			s.pos = min(s.pos+2, len(s.text))
		case strings.HasPrefix(s.text[s.pos:], end):
			s.pos += len(end)
			for range 2 { // two quotes more may belong to a long string
				if len(end) == 3 {
					s.take(quote[0])
				}
			}
			return
		case s.text[s.pos] == '\n' && len(end) == 1:
			return // never closed
		default:
			s.pos++
		}
	}
}

// tooDeep notes where it gets too deep, and ends the scan.
func (s *scanner) tooDeep(at int) {
	if s.places.deep < 0 {
		s.places.deep = at
	}
	s.pos = len(s.text)
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.text) && s.text[s.pos] == c }

func (s *scanner) take(c byte) bool {
	if !s.at(c) {
		return false
	}
	s.pos++
	return true
}

// skipTo goes to the next of some letters.
func (s *scanner) skipTo(letters string) {
	if i := strings.IndexAny(s.text[s.pos:], letters); i >= 0 {
		s.pos += i
	} else {
		s.pos = len(s.text)
	}
}

// space skips blanks within a line.
func (s *scanner) space() {
	for s.at(' ') || s.at('\t') {
		s.pos++
	}
}

// blank skips blanks, ends of lines, and comments.
func (s *scanner) blank() {
	for {
		switch {
		case s.at(' ') || s.at('\t') || s.at('\n') || s.at('\r'):
			s.pos++
		case s.at('#'):
			s.skipTo("\n")
		default:
			return
		}
	}
}
