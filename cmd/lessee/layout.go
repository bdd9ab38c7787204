package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Help fits a terminal of 80 columns.
const (
	helpWidth  = 80
	helpIndent = 3
	helpColumn = 30 // where the second column of a table begins, at most
)

// sections parts what is not empty by empty lines.
func sections(all ...string) string {
	var b strings.Builder
	for _, s := range all {
		if s != "" && b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(s)
	}
	return b.String()
}

// description fills the lines of a text. What is indented stands as it is
// written: an example is there to be copied.
func description(text string) string {
	if text = strings.Trim(text, "\n"); text == "" {
		return ""
	}
	var b strings.Builder
	var prose []string
	for _, line := range append(strings.Split(text, "\n"), "") {
		if line != "" && line[0] != ' ' {
			prose = append(prose, line)
			continue
		}
		if len(prose) > 0 {
			b.WriteString(wrapped(strings.Join(prose, " "), 0))
			prose = nil
		}
		b.WriteString(line + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n") // of the line that ended the last paragraph
}

// table lays out rows of two columns under a title, the second one wrapped. What
// is too long for the first has a line of its own.
func table(title string, rows [][2]string) string {
	if len(rows) == 0 {
		return ""
	}
	column := 0
	for _, r := range rows {
		if n := helpIndent + len(r[0]) + 2; n <= helpColumn {
			column = max(column, n)
		}
	}
	column = max(column, 2*helpIndent)
	var b strings.Builder
	fmt.Fprintf(&b, "%s:\n", title)
	for _, r := range rows {
		first := fmt.Sprintf("%*s%-*s", helpIndent, "", column-helpIndent, r[0])
		if helpIndent+len(r[0])+2 > column {
			first = fmt.Sprintf("%*s%s\n%*s", helpIndent, "", r[0], column, "")
		}
		b.WriteString(first + wrapped(r[1], column))
	}
	return b.String()
}

// wrapped fills lines with words, from a column on that the first one is at.
func wrapped(text string, column int) string {
	var b strings.Builder
	at := column
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > helpWidth:
			fmt.Fprintf(&b, "\n%*s", column, "")
			at = column
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String() + "\n"
}
