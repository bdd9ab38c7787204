package view

import "slices"

// A glyph is one character of a line.
type glyph struct {
	r      rune
	colour colour
}

func (l line) glyphs() (out []glyph) {
	for _, p := range l {
		for _, r := range p.text {
			out = append(out, glyph{r, p.colour})
		}
	}
	return out
}

// lineOf joins glyphs to pieces.
func lineOf(gs []glyph) (l line) {
	for len(gs) > 0 {
		n := slices.IndexFunc(gs, func(g glyph) bool { return g.colour != gs[0].colour })
		if n < 0 {
			n = len(gs)
		}
		text := make([]rune, n)
		for i := range text {
			text[i] = gs[i].r
		}
		l, gs = append(l, piece{string(text), gs[0].colour}), gs[n:]
	}
	return l
}

// wrap breaks l into lines of at most n columns: at blanks, or anywhere in what
// is longer than a line. The first line is not broken within its first indent
// columns, which are a name and its padding; the others are indented by as
// many, if there is room for that.
func (l line) wrap(n, indent int) (out []line) {
	if l.width() <= n {
		return []line{l}
	}
	gs := l.glyphs()
	margin := line{}
	keep := indent
	for len(gs) > 0 {
		end := breakAt(gs, n-margin.width(), keep)
		if end == 0 { // not even one character fits
			gs[0].r, end = '?', 1
		}
		out = append(out, margin.with(lineOf(gs[:end])).trim())
		for gs = gs[end:]; len(gs) > 0 && gs[0].r == ' '; {
			gs = gs[1:]
		}
		margin, keep = line{}.pad(min(indent, n/2)), 0
	}
	return out
}

// breakAt is how many glyphs go into room columns. A blank among the first keep
// columns is no place to break at.
func breakAt(gs []glyph, room, keep int) int {
	col, blank := 0, 0
	for i, g := range gs {
		if g.r == ' ' && col > keep {
			blank = i
		}
		if col += runeWidth(g.r); col > room {
			if blank > 0 {
				return blank
			}
			return i
		}
	}
	return len(gs)
}
