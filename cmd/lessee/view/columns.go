package view

const (
	gap        = "  " // between columns
	maxCell    = 40   // of all cells but the problem
	wholeBar   = 12
	shortBar   = 4
	minProblem = 16
)

// heads are the names of the columns.
var heads = [columns]string{
	colLink: "LINK", colState: "STATE", colAddress: "ADDRESS", colServer: "SERVER", colLeft: "LEFT", colProblem: "LAST PROBLEM",
}

// A layout is how much of what is shown.
type layout struct {
	widths [columns]int // natural ones, of the words alone in colLeft; 0: not shown
	bar    int          // columns of the bar; 0: none
}

// width is how many columns all of it takes.
func (l layout) width() (n int) {
	for _, w := range l.widths {
		if w > 0 {
			n += w + len(gap)
		}
	}
	if l.bar > 0 {
		n += l.bar + 1
	}
	return n - len(gap)
}

// fit makes columns give way until they fit, in the order that Table tells of.
func fit(rows []row, room int) layout {
	l := natural(rows)
	shrink := func(w *int, least int) {
		if excess := l.width() - room; excess > 0 && *w > least {
			*w = max(*w-excess, least)
		}
	}
	drop := func(w *int) {
		if l.width() > room {
			*w = 0
		}
	}
	shrink(&l.widths[colProblem], minProblem)
	shrink(&l.bar, shortBar)
	drop(&l.widths[colServer])
	drop(&l.bar)
	drop(&l.widths[colProblem])
	l.widen(rows, room)
	return l
}

// natural is the layout if there is room for all.
func natural(rows []row) (l layout) {
	for _, r := range rows {
		for i, cell := range r.cells {
			l.widths[i] = max(l.widths[i], cell.width())
		}
		if r.term.held {
			l.bar = wholeBar
		}
	}
	for i, name := range heads {
		if l.widths[i] > 0 {
			l.widths[i] = max(l.widths[i], len(name))
		}
	}
	return l
}

// widen gives back what a column that went has left over: to the bar, then to
// the problem, which gave way first.
func (l *layout) widen(rows []row, room int) {
	full := natural(rows)
	grow := func(w *int, most int) {
		if *w > 0 {
			*w = min(*w+max(room-l.width(), 0), most)
		}
	}
	grow(&l.bar, full.bar)
	grow(&l.widths[colProblem], full.widths[colProblem])
}

// draw writes the names of the columns and all rows.
func (l layout) draw(p pen, rows []row) []line {
	var names row
	for i, name := range heads {
		names.cells[i] = p.plain(name)
	}
	out := []line{l.line(p, names)}
	for _, r := range rows {
		out = append(out, l.line(p, r))
	}
	return out
}

// line writes one row.
func (l layout) line(p pen, r row) (out line) {
	for i, cell := range r.cells {
		w := l.widths[i]
		switch {
		case w == 0:
			continue
		case i == colLeft && l.bar > 0:
			w += l.bar + 1
			if bar := p.bar(r.term, l.bar, r.bar); bar != nil {
				cell = bar.with(p.plain(" "), cell)
			}
		}
		out = out.with(cell.cut(w, p.dots()).pad(w), p.plain(gap))
	}
	return out
}
