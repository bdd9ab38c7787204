package metrics

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A sample is a line of the text, read back.
type sample struct {
	family, kind string
	name         string
	labels       map[string]string
	value        float64
}

// A checker reads the text forms as their specifications want them written, and
// is stricter than any real reader: what it lets pass all of them take. It
// knows nothing of how the text is made.
type checker struct {
	classic bool // Prometheus' format 0.0.4

	samples  []sample
	families map[string]*seen // by name
	current  *seen
	series   map[string]bool   // every name with its labels
	last     map[string]string // by family: the metric whose samples are being read
	closed   map[string]bool   // metrics that are over
}

// seen is what was read of a family.
type seen struct {
	name, kind string
	order      []string // of the metadata
	samples    int
}

var (
	nameForm  = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelForm = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"`)
	helpForm  = regexp.MustCompile(`^(?:[^"\\\n]|\\[\\"n])+$`)
	realForm  = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$`)
	leForm    = regexp.MustCompile(`^(\+Inf|\d+\.\d+|\d(\.\d+)?e[+-]\d\d)$`)
)

// suffixes are those that a family's samples may have, by its type.
var suffixes = map[string][]string{
	"counter": {"_total", "_created"}, "gauge": {""}, "info": {"_info"}, "stateset": {""},
	"histogram": {"_bucket", "_sum", "_count", "_created"}, "unknown": {""}, "untyped": {""},
}

// kinds are the types, in the old format and in the new one.
var kinds = map[bool][]string{
	true:  {"counter", "gauge", "histogram", "untyped"},
	false: {"counter", "gauge", "histogram", "info", "stateset", "unknown"},
}

// check reads a whole text.
func check(text string, classic bool) ([]sample, error) {
	c := &checker{
		classic: classic, families: map[string]*seen{}, series: map[string]bool{},
		last: map[string]string{}, closed: map[string]bool{},
	}
	switch {
	case !utf8.ValidString(text):
		return nil, fmt.Errorf("not UTF-8")
	case strings.Contains(text, "\r"):
		return nil, fmt.Errorf("a carriage return")
	case !strings.HasSuffix(text, "\n"):
		return nil, fmt.Errorf("the last line has no end")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if !classic {
		if lines[len(lines)-1] != "# EOF" {
			return nil, fmt.Errorf("no # EOF at the end")
		}
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		if err := c.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", i+1, line, err)
		}
	}
	if err := c.clashes(); err != nil {
		return nil, err
	}
	return c.samples, c.histograms()
}

func (c *checker) line(line string) error {
	if rest, ok := strings.CutPrefix(line, "# "); ok {
		word, rest, _ := strings.Cut(rest, " ")
		name, value, found := strings.Cut(rest, " ")
		if !found || !slices.Contains([]string{"TYPE", "UNIT", "HELP"}, word) {
			return fmt.Errorf("no metadata")
		}
		return c.metadata(word, name, value)
	}
	return c.sample(line)
}

func (c *checker) metadata(word, name, value string) error {
	if !nameForm.MatchString(name) || strings.HasPrefix(name, "_") {
		return fmt.Errorf("no name of a family")
	}
	if word == "TYPE" {
		if c.families[name] != nil {
			return fmt.Errorf("the family is there twice")
		}
		c.current = &seen{name: name, kind: value}
		c.families[name] = c.current
	}
	f := c.current
	switch {
	case f == nil || f.name != name:
		return fmt.Errorf("TYPE must be first")
	case f.samples > 0 || slices.Contains(f.order, word):
		return fmt.Errorf("metadata twice, or after samples")
	case word == "TYPE" && !slices.Contains(kinds[c.classic], value):
		return fmt.Errorf("no type of this format")
	case word == "UNIT" && c.classic:
		return fmt.Errorf("no metadata of this format")
	case word == "UNIT" && (!strings.HasSuffix(name, "_"+value) || value == "" || f.kind == "info" || f.kind == "stateset"):
		return fmt.Errorf("the unit is not the end of the name, or has no place here")
	case word == "UNIT" && !slices.Equal(f.order, []string{"TYPE"}):
		return fmt.Errorf("the order is TYPE, UNIT, HELP")
	case word == "HELP" && !helpForm.MatchString(value):
		return fmt.Errorf("no help, or a wrong escape in it")
	}
	f.order = append(f.order, word)
	return nil
}

// sample reads "name{label="value",…} number".
func (c *checker) sample(line string) error {
	end := strings.IndexAny(line, "{ ")
	if end < 0 {
		return fmt.Errorf("no value")
	}
	s := sample{name: line[:end], labels: map[string]string{}}
	line = line[end:]
	var key []string // the labels without le, as they came
	if strings.HasPrefix(line, "{") {
		line = line[1:]
		for {
			m := labelForm.FindStringSubmatch(line)
			if m == nil {
				return fmt.Errorf("no label at %q", line)
			}
			if _, twice := s.labels[m[1]]; twice {
				return fmt.Errorf("label %s is there twice", m[1])
			}
			s.labels[m[1]] = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n").Replace(m[2])
			if m[1] != "le" {
				key = append(key, m[0])
			}
			line = line[len(m[0]):]
			if strings.HasPrefix(line, "}") {
				line = line[1:]
				break
			}
			if !strings.HasPrefix(line, ",") {
				return fmt.Errorf("labels do not end")
			}
			line = line[1:]
		}
	}
	number, ok := strings.CutPrefix(line, " ")
	if !ok || !realForm.MatchString(number) { // our values are finite; and a time stamp makes node_exporter refuse
		return fmt.Errorf("%q is no value", line)
	}
	s.value, _ = strconv.ParseFloat(number, 64)
	slices.Sort(key)
	return c.take(s, strings.Join(key, ","))
}

// take checks a sample against its family.
func (c *checker) take(s sample, metric string) error {
	f := c.current
	if f == nil {
		return fmt.Errorf("no family")
	}
	s.family, s.kind = f.name, f.kind
	suffix, ours := strings.CutPrefix(s.name, f.name)
	allowed := suffixes[f.kind]
	if c.classic && f.kind == "counter" {
		allowed = []string{""}
		if !strings.HasSuffix(f.name, "_total") {
			return fmt.Errorf("a counter's name does not end in _total")
		}
	}
	series := fmt.Sprintf("%s{%s}%s", s.name, metric, s.labels["le"])
	id := f.name + "{" + metric
	_, hasLe := s.labels["le"]
	switch {
	case !ours || !slices.Contains(allowed, suffix):
		return fmt.Errorf("no sample of %s %s", f.kind, f.name)
	case c.series[series]:
		return fmt.Errorf("the series is there twice")
	case c.closed[id] && c.last[f.name] != id:
		return fmt.Errorf("samples of one metric are not together")
	case hasLe != (f.kind == "histogram" && suffix == "_bucket"):
		return fmt.Errorf("le where it does not belong, or missing")
	case hasLe && !leForm.MatchString(s.labels["le"]):
		return fmt.Errorf("le is not in canonical form")
	case f.kind != "gauge" && f.kind != "unknown" && s.value < 0:
		return fmt.Errorf("a counter below 0")
	case f.kind != "gauge" && suffix != "_sum" && s.value != math.Trunc(s.value):
		return fmt.Errorf("a count is not whole")
	case f.kind == "info" && s.value != 1:
		return fmt.Errorf("an info is not 1")
	}
	c.series[series], c.closed[id], c.last[f.name] = true, true, id
	f.samples++
	c.samples = append(c.samples, s)
	return nil
}

// clashes finds families whose samples could have one name.
func (c *checker) clashes() error {
	owner := map[string]string{}
	for _, f := range c.families {
		for _, suffix := range append([]string{""}, suffixes[f.kind]...) {
			if c.classic && f.kind != "histogram" && suffix != "" {
				continue
			}
			name := f.name + suffix
			if o, taken := owner[name]; taken && o != f.name {
				return fmt.Errorf("%s could belong to %s and to %s", name, o, f.name)
			}
			owner[name] = f.name
		}
	}
	return nil
}

// histograms checks that buckets ascend and agree with the rest.
func (c *checker) histograms() error {
	type points struct {
		bounds, buckets []float64
		sum, count      *float64
	}
	all := map[string]*points{}
	for _, s := range c.samples {
		if s.kind != "histogram" {
			continue
		}
		key := s.family + s.labels["link"]
		if all[key] == nil {
			all[key] = &points{}
		}
		p := all[key]
		switch strings.TrimPrefix(s.name, s.family) {
		case "_bucket":
			le, err := strconv.ParseFloat(s.labels["le"], 64)
			if err != nil {
				return err
			}
			p.bounds, p.buckets = append(p.bounds, le), append(p.buckets, s.value)
		case "_sum":
			p.sum = &s.value
		case "_count":
			p.count = &s.value
		}
	}
	for key, p := range all {
		n := len(p.buckets)
		if n < 2 || p.sum == nil || p.count == nil || !math.IsInf(p.bounds[n-1], 1) || p.buckets[n-1] != *p.count ||
			!slices.IsSorted(p.bounds) || !slices.IsSorted(p.buckets) {
			return fmt.Errorf("histogram %s is not well made: %v %v", key, p.bounds, p.buckets)
		}
	}
	return nil
}
