package metrics

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A kind is a type of metric, by OpenMetrics' name.
type kind string

const (
	counterKind   kind = "counter"
	gaugeKind     kind = "gauge"
	histogramKind kind = "histogram"
	infoKind      kind = "info"
)

// A family is what belongs to one name, which is without the suffixes of its
// samples. The unit is the end of the name, or empty.
type family struct {
	name string
	kind kind
	unit string
	help string
}

// A text is written a family after the other.
type text struct {
	b       []byte
	classic bool // Prometheus' format 0.0.4 in place of OpenMetrics 1.0
	family  family
}

// begin starts a family. In the old format counters are known by the name of
// their sample, there are no units, and an info is a gauge.
func (t *text) begin(f family) {
	t.family = f
	name, kind := f.name, f.kind
	if t.classic {
		switch kind {
		case counterKind:
			name += "_total"
		case infoKind:
			name, kind = name+"_info", gaugeKind
		}
	}
	t.line("# TYPE ", name, " ", string(kind))
	if f.unit != "" && !t.classic {
		t.line("# UNIT ", name, " ", f.unit)
	}
	t.line("# HELP ", name, " ", f.help)
}

func (t *text) line(parts ...string) {
	for _, p := range parts {
		t.b = append(t.b, p...)
	}
	t.b = append(t.b, '\n')
}

// sample writes one value of the family. Labels are names and values in turn.
func (t *text) sample(suffix, value string, labels ...string) {
	t.b = append(t.b, t.family.name...)
	t.b = append(t.b, suffix...)
	for i := 0; i < len(labels); i += 2 {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		t.b = append(t.b, sep)
		t.b = append(t.b, labels[i]...)
		t.b = append(t.b, '=', '"')
		t.b = appendEscaped(t.b, labels[i+1])
		t.b = append(t.b, '"')
	}
	if len(labels) > 0 {
		t.b = append(t.b, '}')
	}
	t.line(" ", value)
}

// count writes one value of a counter.
func (t *text) count(n uint64, labels ...string) {
	t.sample("_total", strconv.FormatUint(n, 10), labels...)
}

// gauge writes one whole value of a gauge.
func (t *text) gauge(n int64, labels ...string) {
	t.sample("", strconv.FormatInt(n, 10), labels...)
}

// end says that all has been written.
func (t *text) end() {
	if !t.classic {
		t.line("# EOF")
	}
}

// appendEscaped appends a label's value. A name of a link may hold any byte but
// white space, / and NUL; what is not UTF-8 is shown as \xff, since two names
// must not become one.
func appendEscaped(b []byte, s string) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b = fmt.Appendf(b, `\\x%02x`, s[0])
		case r == '\\' || r == '"':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r': // the text must not hold one, and there is no escape for it
			b = append(b, `\\r`...)
		default:
			b = append(b, s[:n]...)
		}
		s = s[n:]
	}
	return b
}

// float is a number as OpenMetrics writes what is not whole by nature: always
// with a point or an exponent.
func float(f float64) string {
	if math.IsInf(f, +1) {
		return "+Inf"
	}
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
