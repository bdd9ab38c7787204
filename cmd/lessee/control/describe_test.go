package control

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/varlink/go/varlink/idl"
)

// parsed is agent.varlink as the library's parser has it. That parser knows no
// upper case in names of interfaces, which the grammar has come to allow.
func parsed(t *testing.T, text string) *idl.IDL {
	t.Helper()
	if strings.Count(text, "\ninterface "+Interface+"\n") != 1 {
		t.Fatalf("it does not say that it is %s", Interface)
	}
	d, err := idl.New(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// verdict compares the whole description with the methods, their types and
// the errors.
func verdict(t *testing.T, text string) []string {
	t.Helper()
	d := parsed(t, text)
	j := newJudge(d)
	left := maps.Clone(methods)
	for _, m := range d.Methods {
		is, ok := left[m.Name]
		delete(left, m.Name)
		if !ok {
			j.complain(m.Name, "there is no such method")
			continue
		}
		j.compare(m.Name+" in", m.In, is.in)
		j.compare(m.Name+" out", m.Out, is.out)
	}
	for name := range left {
		j.complain(name, "not described")
	}
	j.errors(d.Errors)
	j.unused()
	j.value("status", &idl.Type{Kind: idl.TypeAlias, Alias: "LinkStatus"}, any(object(t, everything())))
	j.value("explanation", &idl.Type{Kind: idl.TypeAlias, Alias: "Explanation"}, any(object(t, explained())))
	return j.wrong
}

func TestTheDescriptionIsTheTruth(t *testing.T) {
	for _, complaint := range verdict(t, description) {
		t.Error(complaint)
	}
}

func TestADescriptionThatIsNotTheTruthIsFoundOut(t *testing.T) {
	for _, tc := range []struct{ name, old, new string }{
		{"a member too many", "  try: ?int,", "  try: ?int,\n  tries: ?int,"},
		{"one too few", "  try: ?int,\n", ""},
		{"another name", "seconds_left: ?int", "left: ?int"},
		{"not optional", "seconds_left: ?int", "seconds_left: int"},
		{"optional", "  carrier: bool", "  carrier: ?bool"},
		{"another type", "  mtu: ?int", "  mtu: ?string"},
		{"a type of a list", "  dns: ?[]string", "  dns: ?[]int"},
		{"an option's member", "  hex: string", "  bytes: string"},
		{"a method too many", "method List", "method Lost() -> ()\nmethod List"},
		{"one too few", "method Reload() -> ()", ""},
		{"another parameter", "method Pause(link: string)", "method Pause(name: string)"},
		{"another reply", "method Reload() -> ()", "method Reload() -> (done: bool)"},
		{"an error's parameter", "  cause: string,", "  causes: string,"},
		{"an error that is missing", "error Failed (", "error Fell ("},
		{"a type that nobody uses", "type Refusal", "type Lonely (a: int)\ntype Refusal"},
	} {
		text := strings.Replace(description, tc.old, tc.new, 1)
		if text == description {
			t.Errorf("%s: nothing was changed", tc.name)
		} else if len(verdict(t, text)) == 0 {
			t.Errorf("%s: nobody complains", tc.name)
		}
	}
}

func TestEverythingInTheDescriptionIsExplained(t *testing.T) {
	d := parsed(t, description)
	docs := map[string]string{d.Name: d.Doc}
	for _, m := range d.Methods {
		docs[m.Name] = m.Doc
	}
	for _, a := range d.Aliases {
		docs[a.Name] = a.Doc
	}
	for _, e := range d.Errors {
		docs[e.Name] = e.Doc
	}
	for name, doc := range docs {
		if len(doc) < 20 {
			t.Errorf("%s: %q", name, doc)
		}
	}
	lines, members := strings.Split(description, "\n"), 0
	for i, line := range lines {
		if len(line) > 80 {
			t.Errorf("line %d is too long for a terminal", i+1)
		}
		if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "  #") {
			members++
			if !strings.HasPrefix(lines[i-1], "  # ") {
				t.Errorf("line %d is not explained: %s", i+1, line)
			}
		}
	}
	if members < 60 {
		t.Errorf("only %d members were found", members)
	}
}

// TestEverythingIsSet keeps the sample from hiding what it does not have.
func TestEverythingIsSet(t *testing.T) {
	var walk func(at string, v reflect.Value)
	walk = func(at string, v reflect.Value) {
		if v.IsZero() {
			t.Errorf("%s is not set", at)
			return
		}
		switch {
		case v.Kind() == reflect.Pointer:
			walk(at, v.Elem())
		case v.Kind() == reflect.Slice && v.Len() > 0 && v.Type().Elem().Kind() == reflect.Struct:
			walk(at, v.Index(0))
		case v.Kind() == reflect.Struct && v.NumField() > 0 && v.Type().Field(0).IsExported():
			for i := range v.NumField() {
				walk(at+"."+v.Type().Field(i).Name, v.Field(i))
			}
		}
	}
	walk("status", reflect.ValueOf(everything()))
	walk("explanation", reflect.ValueOf(explained()))
}
