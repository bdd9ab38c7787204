package view

import "strings"

// bar draws what is left of a lease in n columns. As long as there is something
// left, at least one of them is filled, and only a whole lease fills all.
func (p pen) bar(t term, n int, c colour) line {
	if !t.held || n <= 0 {
		return nil
	}
	filled := n
	if !t.infinite {
		filled = 0
		if t.whole > 0 {
			filled = int(float64(n) * min(float64(t.left)/float64(t.whole), 1))
		}
		if t.left > 0 {
			filled = max(filled, 1)
		}
	}
	full := strings.Repeat(p.choose("█", "#"), filled)
	empty := strings.Repeat(p.choose("░", "."), n-filled)
	return p.say(c, full).with(p.plain(empty))
}

// leftColour is the colour of a bar: a lease that nobody extends turns yellow,
// then red.
func leftColour(state string, t term) colour {
	c := colourOf(state)
	if c == yellow && !t.infinite && t.left < t.whole/8 {
		return red
	}
	return c
}
