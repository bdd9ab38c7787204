package config

import (
	"maps"
	"path/filepath"
	"slices"
)

// A Remembered is what the flags were, by the names of the settings, of the
// command that got a lease. It is kept with the lease, for those that extend it
// and give it back.
type Remembered map[string]Former

// A Former is what a setting was.
type Former struct {
	Is   []string `json:"is"`   // what the flag said
	Over []string `json:"over"` // what held without it
}

// Remember returns what is to be kept of a link's flags. Those that were
// recalled are kept on.
func (f *File) Remember(link string, flags Flags) Remembered {
	out := Remembered{}
	for _, v := range f.without(link) {
		if flag, given := flags[v.Name]; given {
			out[v.Name] = Former{v.Setting.anywhere(flag.Values), v.Is}
		}
	}
	return out
}

// Recall adds what is remembered to the flags of a link. It gives way to flags,
// and to a file that says something else of the setting than it did then.
func (f *File) Recall(link string, r Remembered, flags Flags) Flags {
	out := Flags{}
	maps.Copy(out, flags)
	for _, v := range f.without(link) {
		was, known := r[v.Name]
		if _, given := flags[v.Name]; known && !given && slices.Equal(was.Over, v.Is) {
			out[v.Name] = Flag{Flag: v.Name, Values: was.Is, Former: true}
		}
	}
	return out
}

// without is what holds for a link where there are no flags.
func (f *File) without(link string) []Value { return choose(linkRows, f.layersFor(link), nil) }

// anywhere makes the name of a file one that leads there from everywhere.
func (s *Setting) anywhere(words []string) []string {
	if s.Kind != Path || len(words) != 1 || words[0] == "" || slices.Contains(s.Words, words[0]) {
		return words
	}
	if path, err := filepath.Abs(words[0]); err == nil {
		return one(path)
	}
	return words
}
