package view

import (
	"strings"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// The columns of a table.
const (
	colLink = iota
	colState
	colAddress
	colServer
	colLeft
	colProblem
	columns // how many there are
)

// A row is one link.
type row struct {
	cells [columns]line
	term  term
	bar   colour // of what is left
}

// Table returns what holds on every link, a line each, in the order given.
//
// On a terminal a line with the names of the columns is above: link, state,
// address, server, time left as a bar and in words, and, if there is anything to
// say of any link, that it is paused or has no carrier, and its last problem
// with its age. When that is wider than the terminal, columns give way in this
// order, and each no further than needed:
//
//  1. the problem is cut, down to 16 columns
//  2. the bar shrinks, from 12 columns to 4
//  3. the server goes
//  4. the bar goes; the time in words stays
//  5. the problem goes
//  6. lines are cut at the end
//
// Into a pipe go the link, the state, the address, the server, the seconds left
// ("infinite" if it never ends), the time of the last problem, and last, which
// alone may hold blanks, the remarks and the problem itself.
func Table(list []agent.Status, o Options) string {
	p := penFor(o)
	if p.piped() {
		return p.pipedTable(list)
	}
	if len(list) == 0 {
		return p.arrange([]line{p.plain("no links")})
	}
	rows := make([]row, len(list))
	for i, s := range list {
		rows[i] = p.row(s)
	}
	return p.arrange(fit(rows, p.Width).draw(p, rows))
}

// row says what a terminal shows of a link.
func (p pen) row(s agent.Status) row {
	r := row{term: termOf(s, p.Now)}
	r.bar = leftColour(s.State, r.term)
	left := r.term.words()
	if r.term.infinite {
		left = p.choose("∞", "inf")
	}
	r.cells = [columns]line{
		colLink: p.plain(s.Link), colState: p.say(stateColour(s), s.State),
		colAddress: p.plain(addressOf(s)), colServer: p.plain(serverOf(s)), colLeft: p.plain(left),
	}
	for i := range colProblem { // no name and no address is longer, if it is one
		r.cells[i] = r.cells[i].cut(maxCell, p.dots())
	}
	r.cells[colProblem] = p.problem(s)
	return r
}

// problem is what is to be said of a link. A problem is red as long as it still
// stands in the way, as far as one can tell.
func (p pen) problem(s agent.Status) line {
	l := p.say(yellow, strings.Join(remarks(s), ", "))
	if s.Problem == nil {
		return l
	}
	if l != nil {
		l = l.with(p.plain("; "))
	}
	c := red
	if colourOf(s.State) == green {
		c = none
	}
	age := distance(s.Problem.Time.Sub(p.Now))
	return l.with(p.say(c, s.Problem.Kind), p.plain(withText(" "+age, s.Problem.Text)))
}

func addressOf(s agent.Status) string {
	if s.Lease == nil || !s.Lease.Addr.IsValid() {
		return "-"
	}
	return s.Lease.Addr.String()
}

func serverOf(s agent.Status) string {
	if s.Lease == nil || !s.Lease.Server.IsValid() {
		return "-"
	}
	return s.Lease.Server.String()
}

// pipedTable is for awk and grep.
func (p pen) pipedTable(list []agent.Status) string {
	rows := make([][]line, len(list))
	for i, s := range list {
		when, problem := "", strings.Join(remarks(s), ", ")
		if s.Problem != nil {
			if problem != "" {
				problem += "; "
			}
			when, problem = p.stamp(s.Problem.Time), problem+withText(s.Problem.Kind, s.Problem.Text)
		}
		if problem == "" {
			problem = "-"
		}
		rows[i] = []line{
			p.field(s.Link), p.field(s.State), p.field(addressOf(s)), p.field(serverOf(s)),
			p.field(termOf(s, p.Now).seconds()), p.field(when), p.plain(problem),
		}
	}
	return p.arrange(align(rows))
}

// align pads all cells of a column, but for the last, to the widest.
func align(rows [][]line) []line {
	var widths []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cell.width())
		}
	}
	out := make([]line, len(rows))
	for i, r := range rows {
		for j, cell := range r {
			if j > 0 {
				out[i] = out[i].with(line{{text: gap}})
			}
			if j < len(r)-1 {
				cell = cell.pad(widths[j])
			}
			out[i] = out[i].with(cell)
		}
	}
	return out
}
