package view

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks one character may carry. Two are enough
// for every living script's everyday text; hundreds climb over other lines.
const maxMarks = 2

// clean makes s safe for a terminal and keeps it in one line: what is not to be
// shown as it is becomes \x1b, \n or \u202e. With ascii that is everything
// beyond ASCII, too.
func clean(s string, ascii bool) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	marks := maxMarks // none at the start, where they would join what was there before
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
			marks = 0
		case !shown(r), ascii && r >= utf8.RuneSelf, isMark(r) && marks == maxMarks:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
			marks = 0
		case isMark(r):
			b.WriteRune(r)
			marks++
		default:
			b.WriteRune(r)
			marks = 0
		}
		s = s[n:]
	}
	return b.String()
}

// FileLine returns a line of a file that anybody may have written, safe for a
// terminal. Tabs stay, so that tools take it for what it is.
func FileLine(s string) string {
	parts := strings.Split(s, "\t")
	for i, p := range parts {
		parts[i] = clean(p, false)
	}
	return strings.Join(parts, "\t")
}

// isClean is the usual case, in which there is nothing to do.
func isClean(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// shown reports whether r has a shape of its own. Of spaces only U+0020 has:
// others look like it and are not.
func shown(r rune) bool {
	selector := 0xfe00 <= r && r <= 0xfe0f || 0xe0100 <= r && r <= 0xe01ef // they change the width of what is before them
	return unicode.IsPrint(r) && !selector
}

func isMark(r rune) bool { return r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me) }
