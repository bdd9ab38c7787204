package config

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An Origin is where a value comes from. The zero Origin is the table of
// settings: it is the default.
type Origin struct {
	Flag   string // the flag's name, if it is one
	Former bool   // it is that of the command that got the lease
	File   string // else the file
	Line   int    // from 1
	Col    int    // in letters, from 1
	Table  string // such as [link."en*"]
}

// String returns "default", "--metric", "--metric, when the lease was got" or
// "/etc/lessee/lessee.toml:12".
func (o Origin) String() string {
	switch {
	case o.Former:
		return "--" + o.Flag + ", when the lease was got"
	case o.Flag != "":
		return "--" + o.Flag
	case o.File != "":
		return o.File + ":" + strconv.Itoa(o.Line)
	}
	return "default"
}

// before reports whether o stands before p in a file.
func (o Origin) before(p Origin) bool { return o.Line < p.Line || o.Line == p.Line && o.Col < p.Col }

// A Mistake is one thing that is wrong, on the command line or in the file.
type Mistake struct {
	Origin
	Value   string // of the flag
	Text    string // what is wrong and what would be right
	Example string // a value that would do, if there is one for all cases
}

// Error begins with the place, in the form that editors find it by.
func (m Mistake) Error() string {
	switch {
	case m.Flag != "":
		return fmt.Sprintf("--%s %s: %s", m.Flag, m.Value, m.Text)
	case m.Line == 0:
		return fmt.Sprintf("%s: %s", m.File, m.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Col, m.Text)
}

// maxMistakes is how many are told of one file: nobody reads more.
const maxMistakes = 20

// Mistakes is the error of a file or a command line that is not followed:
// all that is wrong, in the order of the lines.
type Mistakes struct {
	List []Mistake
	More int // are not in the list

	text string // of the file
}

// collect makes an error of what was found; nil if that is nothing.
func collect(list []Mistake, text string) error {
	if len(list) == 0 {
		return nil
	}
	sort.SliceStable(list, func(i, j int) bool { // flags stay in the order of the table
		a, b := list[i], list[j]
		return a.before(b.Origin) || a.Line > 0 && !b.before(a.Origin) && a.Text < b.Text
	})
	list = slices.Compact(list)
	n := min(len(list), maxMistakes)
	return &Mistakes{List: list[:n], More: len(list) - n, text: text}
}

// Error is one line for each mistake.
func (e *Mistakes) Error() string {
	lines := make([]string, len(e.List))
	for i, m := range e.List {
		lines[i] = m.Error()
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", e.More))
	}
	return strings.Join(lines, "\n")
}

// Excerpt returns the line of the file that m is about, and below it a mark
// where it begins; "" if it is about no line.
func (e *Mistakes) Excerpt(m Mistake) string {
	lines := strings.Split(e.text, "\n")
	if m.Line < 1 || m.Line > len(lines) {
		return ""
	}
	line := strings.TrimRight(lines[m.Line-1], "\r")
	before := line[:offsetOf(line, m.Col-1)]
	return fmt.Sprintf("%5d | %s\n      | %s^", m.Line, printable(line), strings.Repeat(" ", utf8.RuneCountInString(before)))
}

// offsetOf is where letter n of line begins.
func offsetOf(line string, n int) int {
	for i := range line {
		if n == 0 {
			return i
		}
		n--
	}
	return len(line)
}

// printable keeps a foreign line from moving the cursor.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if !strconv.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, line)
}

// elementError is about one element of a list.
type elementError struct {
	word string
	err  error
}

func (e *elementError) Error() string { return cut(e.word) + ": " + e.err.Error() }
func (e *elementError) Unwrap() error { return e.err }

// about says which element err is about.
func about(word string, err error) error { return &elementError{word, err} }

// cut quotes foreign text for a message, and not too much of it.
func cut(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) > most {
		text = text[:offsetOf(text, most)] + "…"
	}
	return strconv.Quote(text)
}
