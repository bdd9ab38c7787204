package config

import "slices"

// Flags are what was given on the command line, by the names of the settings.
type Flags map[string]Flag

// A Flag is one of them.
type Flag struct {
	Flag   string // its own name: --no-mtu sets mtu
	Values []string
	Former bool // not of this command, but of the one that got the lease
}

// A Value is what holds for one setting, and where it comes from.
type Value struct {
	*Setting
	Is     []string // one word, but for lists and tables
	Origin Origin
	Each   []Origin // of a table in the file: where each of Is stands
}

// String is the value as it would stand in the file.
func (v Value) String() string { return v.Literal(v.Is) }

// choose returns what holds, a value for each row: the later layer wins over the
// earlier ones and flags over all.
func choose(rows []row, layers []*layer, flags Flags) []Value {
	values := make([]Value, len(rows))
	for i := range rows {
		r := &rows[i]
		val := Value{Setting: &r.Setting, Is: r.Default}
		for _, l := range layers {
			if g, ok := l.given[r.Name]; ok {
				val.Is, val.Origin, val.Each = g.words, g.origin, g.each
			}
		}
		if f, ok := flags[r.Name]; ok {
			val.Is, val.Origin, val.Each = f.Values, Origin{Flag: f.Flag, Former: f.Former}, nil
			if r.many() && slices.Equal(val.Is, one("")) {
				val.Is = nil // --deny-server '' is the empty list
			}
		}
		values[i] = val
	}
	return values
}

// resolve sets in t what holds.
func resolve(rows []row, layers []*layer, flags Flags, t *target) (values []Value, mistakes []Mistake) {
	values = choose(rows, layers, flags)
	for i := range rows {
		if err := rows[i].apply(t, values[i].Is); err != nil {
			mistakes = append(mistakes, values[i].mistake(err))
		}
	}
	return values, mistakes
}

// mistake tells what is wrong with a value. The file was checked when it was
// read, so that it mostly is a flag.
func (v *Value) mistake(err error) Mistake {
	m := Mistake{Origin: v.Origin, Example: v.Example}
	if v.Kind == Bool {
		m.Example = "" // the flag alone would do
	}
	if v.Origin.Flag == "" {
		m.Text = v.Name + ": " + err.Error()
		return m
	}
	m.Text = err.Error()
	if e, ok := err.(*elementError); ok {
		m.Value, m.Text = e.word, e.err.Error()
	} else if len(v.Is) > 0 {
		m.Value = v.Is[0]
	}
	return m
}

// layersFor are the tables that hold for a link, the one that wins last.
func (f *File) layersFor(link string) []*layer {
	layers := []*layer{&f.defaults}
	for _, exact := range []bool{false, true} {
		for _, l := range f.links {
			if l.pattern.Exact() == exact && l.pattern.Match(link) {
				layers = append(layers, l)
			}
		}
	}
	return layers
}

// Link returns what holds for a link, NAME or NAME@NETNS. The error is
// [*Mistakes]: a flag is wrong, or contradicts the file.
func (f *File) Link(name string, flags Flags) (Link, error) {
	l, _, err := f.link(name, flags)
	return l, err
}

// LinkValues returns what Link does as a table, for people.
func (f *File) LinkValues(name string, flags Flags) ([]Value, error) {
	_, values, err := f.link(name, flags)
	return values, err
}

func (f *File) link(name string, flags Flags) (Link, []Value, error) {
	t := target{link: Link{Name: name}}
	values, mistakes := resolve(linkRows, f.layersFor(name), flags, &t)
	if len(mistakes) == 0 {
		mistakes = contradictions(values, &t.link)
	}
	return t.link, values, collect(mistakes, f.text)
}

// Agent returns what holds for the agent as a whole. The error is [*Mistakes]:
// a flag is wrong.
func (f *File) Agent(flags Flags) (Agent, error) {
	a, _, err := f.whole(flags)
	return a, err
}

// AgentValues returns what Agent does as a table, for people.
func (f *File) AgentValues(flags Flags) ([]Value, error) {
	_, values, err := f.whole(flags)
	return values, err
}

func (f *File) whole(flags Flags) (Agent, []Value, error) {
	var t target
	values, mistakes := resolve(agentRows, []*layer{&f.agent}, flags, &t)
	for i, v := range values {
		if v.Name == "control" && len(mistakes) == 0 {
			values[i].Is = one(t.agent.Control) // which may follow run-dir
		}
	}
	return t.agent, values, collect(mistakes, f.text)
}
