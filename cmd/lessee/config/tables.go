package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A reader turns what the TOML library read into tables of settings, and notes
// what is wrong.
type reader struct {
	path     string
	places   *places
	mistakes []Mistake
}

// origin is the place of an offset.
func (r *reader) origin(offset int) Origin {
	o := Origin{File: r.path}
	o.Line, o.Col = r.places.lineCol(offset)
	return o
}

// key is the place of a key, or of the nearest one above that was found.
func (r *reader) key(path ...string) Origin {
	for n := len(path); n > 0; n-- {
		if p := r.places.find(path[:n]...); p != nil {
			o := r.origin(p.key)
			o.Table = header(path)
			return o
		}
	}
	return r.origin(0)
}

// header is the head of the table in which the key at path stands, or which it
// is.
func header(path []string) string {
	table, below := "["+path[0]+"]", path[1:]
	if path[0] == "link" && len(path) > 1 {
		table, below = Header(path[1]), path[2:]
	}
	if len(below) > 0 && isTable(linkRows, below[0]) {
		table = strings.TrimSuffix(table, "]") + "." + below[0] + "]"
	}
	return table
}

// isTable reports whether settings stand in a table of that name.
func isTable(rows []row, name string) bool {
	return name != "" && slices.ContainsFunc(rows, func(r row) bool { return slices.Contains(r.In, name) })
}

// element is the place of element i in the list at path, or of the value.
func (r *reader) element(o Origin, i int, path ...string) Origin {
	p := r.places.find(path...)
	if p == nil || p.value == 0 {
		return o // a table with a header
	}
	at := p.value
	if i >= 0 && i < len(p.elements) {
		at = p.elements[i]
	}
	o.Line, o.Col = r.places.lineCol(at)
	return o
}

func (r *reader) bad(o Origin, format string, args ...any) {
	r.mistakes = append(r.mistakes, Mistake{Origin: o, Text: fmt.Sprintf(format, args...)})
}

// file reads the tables at the top.
func (r *reader) file(root map[string]any) *File {
	f := &File{Path: r.path}
	for name, v := range root {
		switch name {
		case "agent":
			f.agent = r.table(agentRows, v, name)
		case "defaults":
			f.defaults = r.table(linkRows, v, name)
		case "link":
			f.links = r.links(v)
		default:
			r.unknownTable(name)
		}
	}
	return f
}

// links reads the tables of links, in the order of the file.
func (r *reader) links(v any) (out []*layer) {
	tables, ok := v.(map[string]any)
	if !ok {
		r.bad(r.key("link"), `link: found %s, want tables, such as [link."en*"]`, describe(v))
		return nil
	}
	if len(tables) > maxTables {
		r.bad(r.key("link"), "%d tables of links; more than %d are not read", len(tables), maxTables)
		return nil
	}
	for name, v := range tables {
		if _, isTable := v.(map[string]any); !isTable && find(linkRows, name) != nil {
			r.bad(r.key("link", name), `%s: settings of all links stand in [defaults], of some in [link."NAME"]`, name)
			continue
		}
		l := r.table(linkRows, v, "link", name)
		var err error
		if l.pattern, err = ParsePattern(name); err != nil {
			r.bad(r.key("link", name), "link %s: %v", cut(name), err)
			continue
		}
		out = append(out, &l)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].before(out[j].Origin) })
	return out
}

// table reads the settings of one table, and of those below it. What is wrong
// is left out.
func (r *reader) table(rows []row, v any, path ...string) layer {
	l := layer{Origin: r.key(path...), given: map[string]given{}}
	r.fill(&l, rows, "", v, path)
	return l
}

// fill reads the settings that stand in the table at path, which is the layer's
// own or one below it.
func (r *reader) fill(l *layer, rows []row, below string, v any, path []string) {
	table, ok := v.(map[string]any)
	if !ok {
		o := r.key(path...)
		r.bad(o, "%s: found %s, want a table, %s", path[len(path)-1], describe(v), o.Table)
		return
	}
	for name, v := range table {
		at := append(slices.Clone(path), name)
		switch row := find(rows, name); {
		case below == "" && isTable(rows, name):
			r.fill(l, rows, name, v, at)
		case row == nil || !row.standsIn(below):
			r.unknown(rows, below, r.key(at...), name)
		default:
			r.setting(l, row, v, at)
		}
	}
}

// setting reads the value of one setting.
func (r *reader) setting(l *layer, row *row, v any, at []string) {
	g := given{origin: r.key(at...)}
	places := func(i int) Origin { return r.element(g.origin, i, at...) }
	var err error
	if row.Kind == Table {
		if g.words, g.each, places = r.options(v, at); g.words == nil {
			return
		}
	} else {
		g.words, err = row.words(v)
	}
	if err == nil {
		err = row.apply(new(target), g.words)
	}
	var e *elementError
	switch {
	case errors.As(err, &e):
		r.bad(places(slices.Index(g.words, e.word)), "%s: %v", row.Name, err)
	case err != nil:
		r.bad(places(-1), "%s: %v", row.Name, err)
	default:
		r.give(l, row.Name, g)
	}
}

// give notes the value of a setting, which may stand in two tables but only
// once.
func (r *reader) give(l *layer, name string, g given) {
	other, twice := l.given[name]
	l.given[name] = g
	if !twice {
		return
	}
	if g.origin.before(other.origin) {
		g, other = other, g
	}
	r.bad(g.origin, "%s: stands in %s too (line %d), and once is enough", name, other.origin.Table, other.origin.Line)
}

// words are what a value says, as it would be said on the command line.
func (s *Setting) words(v any) ([]string, error) {
	wrong := fmt.Errorf("found %s, want %s, such as %s", describe(v), s.wants(), s.example())
	switch v := v.(type) {
	case bool:
		if s.Kind == Bool {
			return one(strconv.FormatBool(v)), nil
		}
	case int64:
		if s.Kind == Number || s.Kind == Duration {
			return one(strconv.FormatInt(v, 10)), nil
		}
	case string:
		switch {
		case s.Kind == Path && v != "" && !slices.Contains(s.Words, v) && !filepath.IsAbs(v):
			return nil, fmt.Errorf("found %s, want a path that begins with /", describe(v))
		case s.Kind == Text, s.Kind == Duration, s.Kind == Path, s.Kind == Number && slices.Contains(s.Words, v):
			return one(v), nil
		}
	case []any:
		if s.Kind != List {
			break
		}
		var words []string
		for _, e := range v {
			word, ok := e.(string)
			if !ok {
				return nil, fmt.Errorf("found %s in the list, want texts, such as %s", describe(e), s.example())
			}
			words = append(words, word)
		}
		return words, nil
	}
	return nil, wrong
}

// describe tells what was found where something else was wanted.
func describe(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return "the number " + strconv.FormatInt(v, 10)
	case float64:
		return "the number " + strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		return "the text " + cut(v)
	case time.Time:
		return "a date"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a list of tables"
}

// names are the keys that may stand in a table, and those of the tables below.
func names(rows []row, below string) (out []string) {
	for _, r := range rows {
		if r.standsIn(below) {
			out = append(out, r.Name)
		}
		for _, table := range r.In {
			if below == "" && table != "" {
				out = append(out, table)
			}
		}
	}
	return out
}

// unknown tells of a key that is none where it stands, and of what it may be
// instead.
func (r *reader) unknown(rows []row, below string, o Origin, name string) {
	positive, isNo := strings.CutPrefix(name, "no-")
	there := find(linkRows, name)
	switch {
	case there != nil && !there.standsIn(""):
		r.bad(o, `%s: stands in a table of its own, [defaults.%[2]s] or [link."NAME".%[2]s]`, name, there.In[0])
	case there != nil:
		r.bad(o, `%s: a setting of links; it stands in [defaults] or [link."NAME"]`, name)
	case find(agentRows, name) != nil:
		r.bad(o, "%s: a setting of the agent as a whole; it stands in [agent]", name)
	case isNo && below == "" && find(rows, positive) != nil:
		r.bad(o, "%s: no such setting; %s = false means that", name, positive)
	default:
		r.bad(o, "%s: no such setting%s", show(name), meant(name, names(rows, below)))
	}
}

// unknownTable tells of a table that is none.
func (r *reader) unknownTable(name string) {
	o := r.key(name)
	if s := find(linkRows, name); s != nil && s.standsIn("") || find(agentRows, name) != nil {
		r.unknown(nil, "", o, name)
		return
	}
	r.bad(o, "%s: no such table%s (there are agent, defaults and link)", show(name), meant(name, []string{"agent", "defaults", "link"}))
}

// show writes a key as it may stand in the file.
func show(name string) string {
	for i := range len(name) {
		if !bareKey(name[i]) || name[i] >= utf8.RuneSelf {
			return cut(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}
