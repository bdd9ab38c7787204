package control

import (
	"maps"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/varlink/go/varlink/idl"

	"github.com/lessee/lessee/client/dhcp4"
)

// A judge compares a description with the truth.
type judge struct {
	types  map[string]*idl.Type
	wrong  []string
	seen   map[string]bool         // types that were compared
	opaque map[reflect.Type]string // Go types that write their JSON themselves
}

func newJudge(d *idl.IDL) *judge {
	j := &judge{types: map[string]*idl.Type{}, seen: map[string]bool{}, opaque: map[reflect.Type]string{
		reflect.TypeFor[time.Time]():    "string",
		reflect.TypeFor[netip.Addr]():   "string",
		reflect.TypeFor[netip.Prefix](): "string",
	}}
	for _, a := range d.Aliases {
		j.types[a.Name] = a.Type
	}
	return j
}

func (j *judge) complain(where, what string) { j.wrong = append(j.wrong, where+": "+what) }

// compare compares a type of the description with the one in Go.
func (j *judge) compare(where string, said *idl.Type, is reflect.Type) {
	for said.Kind == idl.TypeAlias {
		if j.seen[said.Alias+" "+is.String()] {
			return
		}
		j.seen[said.Alias+" "+is.String()] = true
		where, said = where+" ("+said.Alias+")", j.types[said.Alias]
		if said == nil {
			j.complain(where, "no such type")
			return
		}
	}
	switch {
	case is == reflect.TypeFor[dhcp4.Options]():
		if said.Kind != idl.TypeArray || said.ElementType.Alias != "Option" {
			j.complain(where, "is no []Option")
		}
	case j.opaque[is] != "":
		if said.Kind != idl.TypeString {
			j.complain(where, "is no string")
		}
	case is.Kind() == reflect.Pointer:
		j.compare(where, said, is.Elem())
	case is.Kind() == reflect.Struct:
		j.fields(where, said, is)
	case is.Kind() == reflect.Slice && said.Kind == idl.TypeArray, is.Kind() == reflect.Map && said.Kind == idl.TypeMap:
		j.compare(where, said.ElementType, is.Elem())
	case is.Kind() == reflect.Bool && said.Kind == idl.TypeBool,
		is.Kind() == reflect.String && said.Kind == idl.TypeString,
		reflect.Int <= is.Kind() && is.Kind() <= reflect.Uint64 && said.Kind == idl.TypeInt:
	default:
		j.complain(where, "is "+is.String())
	}
}

// fields compares the members of a struct, their names, types and whether they
// may be absent.
func (j *judge) fields(where string, said *idl.Type, is reflect.Type) {
	if said.Kind != idl.TypeStruct {
		j.complain(where, "is a struct")
		return
	}
	left := map[string]*idl.Type{}
	for _, f := range said.Fields {
		left[f.Name] = f.Type
	}
	for i := range is.NumField() {
		f := is.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		at := where + "." + name
		s := left[name]
		delete(left, name)
		if s == nil {
			j.complain(at, "not described")
			continue
		}
		maybe := s.Kind == idl.TypeMaybe
		if maybe != strings.Contains(options, "omit") {
			j.complain(at, "optional in one of description and truth")
		}
		if maybe {
			s = s.ElementType
		}
		j.compare(at, s, f.Type)
	}
	for name := range left {
		j.complain(where+"."+name, "described, and there is no such thing")
	}
}

// value compares a JSON value with its type: what reflection cannot see.
func (j *judge) value(where string, said *idl.Type, v any) {
	for said.Kind == idl.TypeAlias {
		said = j.types[said.Alias]
	}
	ok := false
	switch said.Kind {
	case idl.TypeMaybe:
		j.value(where, said.ElementType, v)
		return
	case idl.TypeObject:
		return
	case idl.TypeBool:
		_, ok = v.(bool)
	case idl.TypeInt:
		_, ok = v.(float64)
	case idl.TypeString:
		_, ok = v.(string)
	case idl.TypeArray:
		var list []any
		list, ok = v.([]any)
		for _, e := range list {
			j.value(where, said.ElementType, e)
		}
	case idl.TypeMap:
		var m map[string]any
		m, ok = v.(map[string]any)
		for _, e := range m {
			j.value(where, said.ElementType, e)
		}
	case idl.TypeStruct:
		var m map[string]any
		m, ok = v.(map[string]any)
		j.members(where, said, m)
	}
	if !ok {
		j.complain(where, "is of another type")
	}
}

func (j *judge) members(where string, said *idl.Type, m map[string]any) {
	for _, f := range said.Fields {
		v, there := m[f.Name]
		delete(m, f.Name)
		switch {
		case there:
			j.value(where+"."+f.Name, f.Type, v)
		case f.Type.Kind != idl.TypeMaybe:
			j.complain(where+"."+f.Name, "missing")
		}
	}
	for name := range m {
		j.complain(where+"."+name, "not described")
	}
}

// errors compares the errors with their forms.
func (j *judge) errors(said []*idl.Error) {
	left := maps.Clone(errorForms)
	for _, e := range said {
		m := map[string]any{}
		for name := range left[e.Name] {
			m[name] = ""
		}
		j.value(e.Name, e.Type, m)
		delete(left, e.Name)
	}
	for name := range left {
		j.complain(name, "not described")
	}
}

// unused finds types that were not compared with anything.
func (j *judge) unused() {
	for name := range j.types {
		used := name == "Option" // seen by its values alone
		for s := range j.seen {
			used = used || strings.HasPrefix(s, name+" ")
		}
		if !used {
			j.complain(name, "used nowhere")
		}
	}
}
