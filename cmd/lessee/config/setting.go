package config

import (
	"slices"
	"strconv"
	"strings"
)

// A Setting is one row of the table, as far as people and the command line
// need to know it.
type Setting struct {
	Name    string   // the key in the file and, with --, the flag
	In      []string // tables below the link's in which the key stands, "" for that one itself; nil: there alone
	Kind    Kind
	Group   Group
	Default []string // one word, but for lists and tables
	Words   []string // what may stand instead of a number or a duration; of a text: all that it may be
	Example string   // a value that would do
	Commas  bool     // of a list: as a flag, commas part its elements
	Usage   string   // the part in backquotes is what stands for the value in help
}

// A Kind is the form of a setting's value.
type Kind int

// The kinds.
const (
	Text Kind = iota
	Path      // a text that names a file; absolute, as nobody knows where who reads it runs
	Bool
	Number
	Duration // a number of seconds, or a text such as "1m30s"
	List     // of texts
	Table    // of options and their values; as a flag each is NAME=VALUE
)

// A Group is what settings are about. A command takes the groups that mean
// something to it.
type Group int

// The groups.
const (
	Identity Group = iota // who the client says it is, and what it sends along
	Choice                // which offers are good
	Getting               // how a lease is got and checked
	Host                  // what is done to the host
	Override              // what is made of the options that servers send
	Keeping               // how a link is kept for long
	Whole                 // the agent as a whole
)

// wants describes what values the setting takes, for whoever gave another.
func (s *Setting) wants() string {
	words := ""
	if s.Kind == Number || s.Kind == Duration {
		for _, w := range s.Words {
			words += " or " + strconv.Quote(w)
		}
	}
	switch s.Kind {
	case Bool:
		return "true or false"
	case Number:
		return "a number" + words
	case Duration:
		return "a duration" + words
	case List:
		return "a list of texts"
	case Table:
		return "a table of options"
	case Path:
		return "the name of a file"
	}
	return "a text"
}

// example is an assignment as it would stand in the file.
func (s *Setting) example() string {
	return s.Name + " = " + s.Literal([]string{s.Example})
}

// Key is what the setting is called in the table of a link, or the agent's.
func (s *Setting) Key() string {
	if s.standsIn("") {
		return s.Name
	}
	return s.In[0] + "." + s.Name
}

// standsIn reports whether the key may stand in a table below the link's, or in
// that itself.
func (s *Setting) standsIn(below string) bool {
	return len(s.In) == 0 && below == "" || slices.Contains(s.In, below)
}

// many reports whether the setting has any number of words.
func (s *Setting) many() bool { return s.Kind == List || s.Kind == Table }

// Literal writes a value as it would stand in the file.
func (s *Setting) Literal(words []string) string {
	switch s.Kind {
	case List:
		quoted := make([]string, len(words))
		for i, w := range words {
			quoted[i] = quote(w)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case Table:
		return tableLiteral(words)
	case Number:
		if slices.Contains(s.Words, words[0]) {
			return quote(words[0])
		}
		return words[0]
	case Bool:
		return words[0]
	}
	return quote(words[0])
}

// Header writes the head of a link's table as it would stand in the file, and
// the agent's if link is empty.
func Header(link string) string {
	switch {
	case link == "":
		return "[agent]"
	case show(link) == link:
		return "[link." + link + "]"
	}
	return "[link." + quote(link) + "]"
}

// quote writes a text so that TOML reads it back.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteString(`\u00`)
			b.WriteByte("0123456789abcdef"[r>>4])
			b.WriteByte("0123456789abcdef"[r&15])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// A row couples a setting with what it sets. Its words have passed
// checkWords.
type row struct {
	Setting
	set func(t *target, words []string) error
}

// A target is what rows set. Those of one table leave the other half alone.
type target struct {
	link  Link
	agent Agent
}

// settings are the rows without what they do.
func settings(rows []row) []Setting {
	out := make([]Setting, len(rows))
	for i, r := range rows {
		out[i] = r.Setting
	}
	return out
}

// find returns the row of that name; nil if there is none.
func find(rows []row, name string) *row {
	for i := range rows {
		if rows[i].Name == name {
			return &rows[i]
		}
	}
	return nil
}
