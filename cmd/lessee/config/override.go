package config

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// What is made of the options that servers send. A table of them is, as words,
// a list of NAME=VALUE, as flags have it.

// setPolicy sets one list of a link's policy.
func setPolicy(how lease.How) func(*target, []string) error {
	return func(t *target, words []string) error { return parseOverrides(listOf(&t.link.Policy, how), how, words) }
}

// parseOverrides reads NAME=VALUE of each word, in the order of the options'
// numbers.
func parseOverrides(list *dhcp4.Options, how lease.How, words []string) error {
	for _, w := range words {
		o, err := parseOverride(how, w)
		if _, twice := list.Lookup(o.Code); err == nil && twice {
			err = fmt.Errorf("option %d is there twice", uint8(o.Code))
		}
		if err != nil {
			return about(w, err)
		}
		list.Put(o.Code, o.Value)
	}
	sort.Slice(*list, func(i, j int) bool { return (*list)[i].Code < (*list)[j].Code })
	return nil
}

// listOf is the list of a policy that goes one way.
func listOf(p *lease.Policy, how lease.How) *dhcp4.Options {
	switch how {
	case lease.Supersede:
		return &p.Supersede
	case lease.Default:
		return &p.Default
	case lease.Prepend:
		return &p.Prepend
	}
	return &p.Append
}

// parseOverride reads NAME=VALUE.
func parseOverride(how lease.How, word string) (o dhcp4.RawOption, err error) {
	name, value, ok := strings.Cut(word, "=")
	if !ok {
		return o, errors.New("want NAME=VALUE")
	}
	if o.Code, err = overridable(name); err != nil {
		return o, err
	}
	spec, known := dhcp4.ByCode(o.Code)
	switch {
	case value == "" && how == lease.Supersede:
		return o, nil
	case value == "":
		return o, fmt.Errorf("nothing to %s; only what is superseded may be nothing", how)
	case (how == lease.Prepend || how == lease.Append) && known && dhcp4.ShapeOf(spec) != dhcp4.List && dhcp4.ShapeOf(spec) != dhcp4.Text:
		return o, fmt.Errorf("option %d (%v) is one value, to which none can be added; supersede or default sets it", uint8(o.Code), o.Code)
	}
	if o.Value, err = parseOption(o.Code, value); err == nil && known {
		_, err = spec.Value(o.Value) // hexadecimal digits may be anything
	}
	return o, err
}

// overridable reads the name or number of an option that may be overridden.
func overridable(name string) (dhcp4.Code, error) {
	c, err := parseCode(name)
	if err == nil {
		err = lease.Overridable(c)
	}
	if err != nil && c == dhcp4.LeaseTime.Code {
		err = fmt.Errorf("%w (lease-time wishes for another one)", err)
	}
	return c, err
}

// An entry is one option in a table of them.
type entry struct {
	code       dhcp4.Code
	word       string
	key, value Origin
}

// options reads a table of options at path. Every one that is wrong is told of;
// words is nil if any is. Each is where the words stand, and places where their
// values do.
func (r *reader) options(v any, path []string) (words []string, each []Origin, places func(int) Origin) {
	setting, own := find(linkRows, path[len(path)-1]), r.element(r.key(path...), -1, path...)
	table, ok := v.(map[string]any)
	if !ok {
		r.bad(own, "%s: found %s, want %s, such as %s", setting.Name, describe(v), setting.wants(), setting.example())
		return nil, nil, nil
	}
	var list []entry
	for name, v := range table {
		at := append(slices.Clone(path), name)
		e := entry{key: r.key(at...)}
		e.value = r.element(e.key, -1, at...)
		if place, err := e.read(name, v); err != nil {
			r.bad(place, "%s: %s: %v", setting.Name, show(name), err)
			continue
		}
		list = append(list, e)
	}
	if len(list) < len(table) {
		return nil, nil, nil
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		return a.code < b.code || a.code == b.code && a.key.before(b.key)
	})
	words = []string{}
	for _, e := range list {
		words, each = append(words, e.word), append(each, e.key)
	}
	return words, each, func(i int) Origin {
		if i < 0 {
			return own
		}
		return list[i].value
	}
}

// read reads name and value. An error is about what stands at place.
func (e *entry) read(name string, v any) (place Origin, err error) {
	if e.code, err = overridable(name); err != nil {
		return e.key, err
	}
	text, err := optionText(name, e.code, v)
	e.word = name + "=" + text
	return e.value, err
}

// shapeOf is how an option's value is built; that of an unknown one is
// hexadecimal digits.
func shapeOf(c dhcp4.Code) (shape dhcp4.Shape, example string) {
	if s, known := dhcp4.ByCode(c); known {
		return dhcp4.ShapeOf(s), s.Example()
	}
	return dhcp4.Text, "0x0a0b"
}

// optionText is a value of the file as people write it on the command line.
func optionText(name string, c dhcp4.Code, v any) (string, error) {
	shape, example := shapeOf(c)
	switch v := v.(type) {
	case string:
		if shape == dhcp4.Single || shape == dhcp4.Text || v == "" || strings.HasPrefix(v, "0x") {
			return v, nil
		}
	case int64:
		if shape == dhcp4.Number {
			return strconv.FormatInt(v, 10), nil
		}
	case bool:
		if shape == dhcp4.Bool {
			return strconv.FormatBool(v), nil
		}
	case []any:
		if shape != dhcp4.List {
			break
		}
		var words []string
		for _, e := range v {
			switch e := e.(type) {
			case string:
				words = append(words, e)
			case int64:
				words = append(words, strconv.FormatInt(e, 10))
			default:
				return "", fmt.Errorf("found %s in the list, want texts, such as %s = %s", describe(e), show(name), optionLiteral(c, example))
			}
		}
		return strings.Join(words, ","), nil
	}
	return "", fmt.Errorf("found %s, want %s, such as %s = %s", describe(v), shapeNames[shape], show(name), optionLiteral(c, example))
}

var shapeNames = [...]string{dhcp4.Single: "a text", dhcp4.Number: "a number", dhcp4.Bool: "true or false", dhcp4.Text: "a text", dhcp4.List: "a list"}

// tableLiteral writes words as a table in one line.
func tableLiteral(words []string) string {
	var parts []string
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		c, err := parseCode(name)
		if err != nil {
			continue // nothing else passes the checks
		}
		parts = append(parts, name+" = "+optionLiteral(c, value))
	}
	if len(parts) == 0 {
		return "{}"
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

// optionLiteral writes a value of option c as it would stand in the file.
func optionLiteral(c dhcp4.Code, value string) string {
	shape, _ := shapeOf(c)
	switch {
	case value == "" || strings.HasPrefix(value, "0x"):
	case shape == dhcp4.Number:
		if n, err := strconv.ParseInt(value, 0, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	case shape == dhcp4.Bool:
		if on, err := strconv.ParseBool(value); err == nil {
			return strconv.FormatBool(on)
		}
	case shape == dhcp4.List:
		words := strings.Split(value, ",")
		for i, w := range words {
			words[i] = quote(strings.TrimSpace(w))
		}
		return "[" + strings.Join(words, ", ") + "]"
	}
	return quote(value)
}

// Overriding returns what tells where that stands which overrides an option of
// a link's leases. The error is that of [File.Link].
func (f *File) Overriding(name string, flags Flags) (func(lease.How, dhcp4.Code) Origin, error) {
	values, err := f.LinkValues(name, flags)
	return func(how lease.How, c dhcp4.Code) Origin {
		for _, v := range values {
			if v.Name == string(how) {
				return v.of(c).Origin
			}
		}
		return Origin{}
	}, err
}
