package view

import "strings"

// A colour is what a piece of text means.
type colour string

// The colours, as SGR parameters (ECMA-48, 8.3.117).
const (
	none   colour = ""
	red    colour = "31" // stands in the way
	green  colour = "32" // a lease in use
	yellow colour = "33" // under way
)

// A piece is clean text of one colour.
type piece struct {
	text   string
	colour colour
}

// A line is pieces in a row. It is a value: its methods return new ones.
type line []piece

// width is how many columns l takes.
func (l line) width() (n int) {
	for _, p := range l {
		n += width(p.text)
	}
	return n
}

// pad adds blanks up to n columns.
func (l line) pad(n int) line {
	if missing := n - l.width(); missing > 0 {
		return l.with(line{{text: strings.Repeat(" ", missing)}})
	}
	return l
}

// with is l and then more.
func (l line) with(more ...line) line {
	out := append(line(nil), l...)
	for _, m := range more {
		out = append(out, m...)
	}
	return out
}

// take is the beginning of l that fits into n columns, and what is left of l.
func (l line) take(n int) (head, rest line) {
	for i, p := range l {
		w := width(p.text)
		if w <= n {
			n -= w
			continue
		}
		text := cutText(p.text, n)
		head = append(line(nil), l[:i]...)
		rest = append(line{{p.text[len(text):], p.colour}}, l[i+1:]...)
		if text != "" {
			head = append(head, piece{text, p.colour})
		}
		return head, rest
	}
	return l, nil
}

// cut makes l fit into n columns; dots at the end say that something is gone.
func (l line) cut(n int, dots string) line {
	if l.width() <= n {
		return l
	}
	dots = cutText(dots, n)
	head, rest := l.take(n - width(dots))
	c := none
	if len(rest) > 0 {
		c = rest[0].colour
	}
	return head.with(line{{dots, c}})
}

// trim takes blanks off the end.
func (l line) trim() line {
	for len(l) > 0 {
		last := l[len(l)-1]
		text := strings.TrimRight(last.text, " ")
		if text == last.text && text != "" {
			return l
		}
		if l = l[:len(l)-1]; text != "" {
			return l.with(line{{text, last.colour}})
		}
	}
	return l
}

// appendTo appends l, with SGR sequences if color, and a newline.
func (l line) appendTo(b *strings.Builder, color bool) {
	for _, p := range l {
		if p.colour == none || !color || p.text == "" {
			b.WriteString(p.text)
			continue
		}
		b.WriteString("\x1b[" + string(p.colour) + "m" + p.text + "\x1b[0m")
	}
	b.WriteByte('\n')
}
