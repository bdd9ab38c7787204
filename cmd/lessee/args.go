package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/cmd/lessee/config"
)

// A line is what stands after a command's name, as it is read. Flags may stand
// before and after the arguments, for people write
//
//	lessee acquire eth0 --format json
//
// What follows "--" are arguments.
type line struct {
	flags []cli.Flag
	set   *flag.FlagSet
	lists map[string][]string // what was given to flags that may be repeated, by their names
	args  []string
}

// A slip is the first thing that is wrong with a line.
type slip struct {
	what  string
	fixed []string // the words as they were probably meant; nil if nobody knows
}

func newLine(flags []cli.Flag) (*line, error) {
	l := &line{flags: flags, set: flag.NewFlagSet("", flag.ContinueOnError), lists: map[string][]string{}}
	l.set.SetOutput(io.Discard)
	for _, f := range flags {
		if err := f.Apply(l.set); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// read reads all words.
func (l *line) read(words []string) *slip {
	for i := 0; i < len(words); i++ {
		switch {
		case words[i] == "--":
			l.args = append(l.args, words[i+1:]...)
			return l.finish()
		case !isFlag(words[i]):
			l.args = append(l.args, words[i])
		default:
			n, wrong := l.readFlag(words, i)
			if wrong != nil {
				return wrong
			}
			i += n - 1
		}
	}
	return l.finish()
}

// finish hands arguments and lists to the set. The library would part the values
// of lists at their commas, so it gets whole lists.
func (l *line) finish() *slip {
	for name, values := range l.lists {
		if list, ok := l.set.Lookup(name).Value.(*cli.StringSlice); ok {
			*list = *cli.NewStringSlice(values...)
		}
	}
	if err := l.set.Parse(append([]string{"--"}, l.args...)); err != nil {
		return &slip{what: err.Error()}
	}
	return nil
}

// readFlag reads the flag at words[i] and returns how many words it is.
func (l *line) readFlag(words []string, i int) (int, *slip) {
	name, value, joined := strings.Cut(flagName(words[i]), "=")
	f := l.flag(name)
	if f == nil {
		return 0, l.unknown(words, i, name)
	}
	n := 1
	switch next, ok := l.valueAfter(words, i); {
	case joined:
	case !takesValue(f):
		if on, is := spelledBool(next); is {
			what := fmt.Sprintf("--%s %s: the flag takes a value only after \"=\"", name, next)
			return 0, &slip{what, replace(words, i, 2, fmt.Sprintf("--%s=%t", name, on))}
		}
		value = "true"
	case !ok:
		what := fmt.Sprintf("--%s needs a value, such as %s", name, sample(f))
		return 0, &slip{what, replace(words, i, 1, "--"+name, sample(f))}
	default:
		value, n = next, 2
	}
	if l.give(f, value) != nil {
		good := sample(f)
		if joined {
			good = "--" + name + "=" + good
		}
		return 0, &slip{fmt.Sprintf("--%s %s: want %s", name, value, wanted(f)), replace(words, i+n-1, 1, good)}
	}
	return n, nil
}

// give sets a flag, under all its names.
func (l *line) give(f cli.Flag, value string) error {
	if _, is := f.(*cli.DurationFlag); is {
		d, err := config.ParseDuration(value)
		if err != nil {
			return err
		}
		value = d.String()
	}
	for _, name := range f.Names() {
		if err := l.set.Set(name, value); err != nil {
			return err
		}
	}
	if _, is := f.(*cli.StringSliceFlag); is {
		l.lists[f.Names()[0]] = append(l.lists[f.Names()[0]], value)
	}
	return nil
}

// valueAfter is the word after words[i], if it can be that flag's value: another
// of the command's flags cannot, for then the value was forgotten.
func (l *line) valueAfter(words []string, i int) (value string, ok bool) {
	if i+1 == len(words) || words[i+1] == "--" {
		return "", false
	}
	value = words[i+1]
	name, _, _ := strings.Cut(flagName(value), "=")
	return value, !isFlag(value) || l.flag(name) == nil
}

// unknown is the slip of a flag that the command has not.
func (l *line) unknown(words []string, i int, name string) *slip {
	wrong := &slip{what: "flag provided but not defined: -" + name}
	var known []string
	for _, f := range l.flags {
		known = append(known, f.Names()...)
	}
	if near := config.Nearest(name, known); near != "" {
		wrong.what += "; --" + near + " is probably meant"
		_, value, joined := strings.Cut(words[i], "=")
		word := "--" + near
		if joined {
			word += "=" + value
		}
		wrong.fixed = replace(words, i, 1, word)
	}
	return wrong
}

func (l *line) flag(name string) cli.Flag {
	for _, f := range l.flags {
		if nameOf(f) == name {
			return f
		}
	}
	for _, f := range l.flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func isFlag(s string) bool { return len(s) > 1 && s[0] == '-' && s != "--" }

// flagName is a flag without its one or two dashes.
func flagName(s string) string { return strings.TrimPrefix(strings.TrimPrefix(s, "-"), "-") }

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

// spelledBool reads a word that people write after a flag that takes none.
func spelledBool(s string) (on, is bool) {
	switch strings.ToLower(s) {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	}
	return false, false
}

// replace returns words with others instead of n of them.
func replace(words []string, at, n int, by ...string) []string {
	return slices.Replace(slices.Clone(words), at, at+n, by...)
}

// wanted describes the values of a flag that does not take any text.
func wanted(f cli.Flag) string {
	switch f.(type) {
	case *cli.BoolFlag:
		return "true or false"
	case *cli.DurationFlag:
		return "a duration such as 1m30s, or seconds"
	}
	return "a value such as " + sample(f)
}

// sample is a value that the flag takes: its default, or one of its kind.
func sample(f cli.Flag) string {
	for _, s := range append(config.LinkSettings(), config.AgentSettings()...) {
		if s.Name == nameOf(f) && s.Example != "" {
			return s.Example
		}
	}
	switch f := f.(type) {
	case *cli.BoolFlag:
		return "true"
	case *cli.DurationFlag:
		return shortDuration(max(f.Value, time.Second))
	case cli.DocGenerationFlag:
		if v := f.GetValue(); v != "" {
			return v
		}
	}
	switch value, _ := placeholder(f); value {
	case "ADDRESS/BITS":
		return "192.0.2.9/24"
	case "ADDRESS":
		return "192.0.2.1"
	case "NUMBER":
		return "1"
	case "TIME":
		return "1m"
	default:
		return value
	}
}
