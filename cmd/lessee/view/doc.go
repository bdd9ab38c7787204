// Package view turns what an agent tells into text for people. Its functions
// are pure: no I/O, and the time is told to them. What programs should read is
// the JSON form of the same values; that is not made here.
//
// # The way of a text
//
//	agent.Status, agent.Event ──► pen.say (pen.go)     cleans and colours a piece
//	                                  │
//	                                  ▼
//	                              line (line.go)       pieces in a row: measured,
//	                                  │                padded, cut, wrapped
//	                                  ▼
//	            Table, Full, EventLine ──► string
//
// Much of what a status holds was sent by somebody on the network: texts of
// DHCPNAKs, names, options. A terminal obeys what is printed on it, so every
// text goes through clean (clean.go) on its way into a line, and there is no
// other way in. Control characters, escape sequences, what turns the direction
// of writing and what has no shape are shown as \x1b or \u202e.
//
// # Three kinds of readers
//
// A terminal has a Width: no line is wider, by the columns that characters take
// there, which are two for 漢 and none for a combining accent. Colour has a
// meaning and is never the only sign of it: green is a lease in use, yellow is
// under way, red stands in the way.
//
// A pipe has none (Width 0): nothing is cut, no bars are drawn, and columns are
// separated by blanks and hold none, so that awk finds them where they always
// are. An empty one is "-".
//
// A terminal without UTF-8 (ASCII) gets nothing but ASCII, or it would take the
// bytes of other characters for control characters.
package view
