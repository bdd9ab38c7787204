package hook

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What of a program's output goes to the log. The rest is read and thrown away,
// so that the program does not wait for a reader.
const (
	maxLine   = 1000     // bytes
	maxLines  = 200      // of one run
	maxOutput = 64 << 10 // bytes of one run
)

// An output hands what a program prints to say, line by line.
type output struct {
	say   func(line string)
	line  []byte
	long  bool // the line is longer than maxLine, and what comes of it is thrown away
	lines int
	bytes int
}

// copy reads until the end of r.
func (o *output) copy(r io.Reader) {
	b := make([]byte, 4<<10)
	for {
		n, err := r.Read(b)
		o.write(b[:n])
		if err != nil {
			o.flush()
			return
		}
	}
}

func (o *output) write(b []byte) {
	for len(b) > 0 && !o.full() {
		part, rest, ended := bytes.Cut(b, []byte{'\n'})
		o.take(part)
		if b = rest; ended {
			o.flush()
		}
	}
}

func (o *output) full() bool { return o.lines >= maxLines || o.bytes >= maxOutput }

// take adds to the line.
func (o *output) take(b []byte) {
	o.bytes += len(b) + 1
	if room := maxLine - len(o.line); len(b) > room {
		b, o.long = b[:room], true
	}
	o.line = append(o.line, b...)
}

// flush ends the line.
func (o *output) flush() {
	if text := strings.TrimRight(clean(o.line), " "); text != "" {
		if o.long {
			text += " ..."
		}
		o.say(text)
		if o.lines++; o.full() {
			o.say("(no more of its output is shown)")
		}
	}
	o.line, o.long = o.line[:0], false
}

// clean makes a line safe for a log and a terminal: control bytes and what is
// not UTF-8 are escaped.
func clean(b []byte) string {
	s := string(bytes.TrimRight(b, "\r"))
	odd := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) && r != '\t' }
	if strings.IndexFunc(s, odd) < 0 {
		return strings.ReplaceAll(s, "\t", " ")
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}
