package resolv

import (
	"fmt"
	"strings"
)

// unified is what becomes of a path, as diff -u prints it and patch(1) takes
// it; nothing if nothing does. It is one hunk without lines around it: most of
// the file is another one. What links lead to is not told as text.
func unified(path string, was, is before) []string {
	if was.Kind == is.Kind && was.Text == is.Text && was.Target == is.Target {
		return nil
	}
	a, b := lines(was), lines(is)
	same := 0
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	start := same
	a, b = a[same:], b[same:]
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	out := []string{"--- " + label(path, was), "+++ " + label(path, is)}
	if len(a)+len(b) == 0 {
		return out
	}
	out = append(out, fmt.Sprintf("@@ -%s +%s @@", span(start, len(a)), span(start, len(b))))
	for _, l := range a {
		out = append(out, marked("-", l)...)
	}
	for _, l := range b {
		out = append(out, marked("+", l)...)
	}
	return out
}

// lines are those of a file, each with its end.
func lines(b before) []string {
	out := strings.SplitAfter(string(b.Text), "\n") // of nothing else there is a text
	if last := len(out) - 1; out[last] == "" {
		out = out[:last]
	}
	return out
}

// marked is a line with its mark.
func marked(mark, line string) []string {
	if text, ended := strings.CutSuffix(line, "\n"); ended {
		return []string{mark + text}
	}
	return []string{mark + line, `\ No newline at end of file`}
}

// span is a number of lines that come after so many others.
func span(before, n int) string {
	switch n {
	case 0:
		return fmt.Sprintf("%d,0", before)
	case 1:
		return fmt.Sprint(before + 1)
	}
	return fmt.Sprintf("%d,%d", before+1, n)
}

// label is the name of a side: what stands there may be nothing, or a link.
func label(path string, b before) string {
	switch b.Kind {
	case absent:
		return "/dev/null"
	case link:
		return path + "\t(a link to " + b.Target + ")"
	}
	return path
}
