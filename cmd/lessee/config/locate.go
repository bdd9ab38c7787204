package config

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// The TOML library tells what a file says but not where. So the places of all
// keys are found here, by a scanner that knows no more of TOML than what
// begins and ends where. The library has the last word on what is valid: what
// is not may be located anywhere, but always somewhere in the text.

// maxDepth is how deep keys and values may be nested. Two levels mean
// something; what goes deeper costs the library a stack or a quadratic time.
const maxDepth = 16

// A place is where a key stands, and its value.
type place struct {
	key      int   // offset in the text
	value    int   // offset; of a table that has a header: 0
	elements []int // offsets, if the value is a list
}

// places are all places of a text.
type places struct {
	text  string
	lines []int             // where each begins
	index map[string]*place // by path
	deep  int               // offset of what is nested too deep; -1 if nothing is
}

func (p *places) find(path ...string) *place { return p.index[joined(path)] }

// joined is a path as one text, different for different paths.
func joined(path []string) string {
	var b []byte
	for _, part := range path {
		b = append(strconv.AppendQuote(b, part), '.')
	}
	return string(b)
}

// locate finds the places of all keys in text.
func locate(text string) *places {
	s := &scanner{text: text, places: &places{text: text, lines: []int{0}, index: map[string]*place{}, deep: -1}}
	for i := range len(text) - 1 { // a line after the last letter is none
		if text[i] == '\n' {
			s.places.lines = append(s.places.lines, i+1)
		}
	}
	s.document()
	return s.places
}

// lineCol tells line and column of an offset. The end of the text counts as
// its last letter, so that there always is one to look at.
func (p *places) lineCol(offset int) (line, col int) {
	offset = max(0, min(offset, len(p.text)-1))
	for offset > 0 && !utf8.RuneStart(p.text[offset]) {
		offset-- // the library counts back in bytes
	}
	line, exact := slices.BinarySearch(p.lines, offset)
	if exact {
		line++
	}
	return line, utf8.RuneCountInString(p.text[p.lines[line-1]:offset]) + 1
}
