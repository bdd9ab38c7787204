package dbus

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	oracle "github.com/godbus/dbus/v5"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// values are one of each type, as we have them and as the library has them.
var values = []struct {
	sig    string
	ours   any
	theirs any
}{
	{"y", byte(200), byte(200)},
	{"b", true, true},
	{"n", int16(-3), int16(-3)},
	{"q", uint16(60000), uint16(60000)},
	{"i", int32(-70000), int32(-70000)},
	{"u", uint32(4000000000), uint32(4000000000)},
	{"x", int64(-5), int64(-5)},
	{"t", uint64(1) << 63, uint64(1) << 63},
	{"d", 0.25, 0.25},
	{"s", "grüße", "grüße"},
	{"o", Path("/a/b"), oracle.ObjectPath("/a/b")},
	{"g", Signature("a(iay)"), oracle.ParseSignatureMust("a(iay)")},
	{"ay", []byte{192, 0, 2, 53}, []byte{192, 0, 2, 53}},
	{"as", []any{"a", ""}, []string{"a", ""}},
	{"at", []any{}, []uint64{}},
	{"a(iayqs)", []any{[]any{int32(2), []byte{1, 2, 3, 4}, uint16(853), "dot.example"}}, []struct {
		A int32
		B []byte
		C uint16
		D string
	}{{2, []byte{1, 2, 3, 4}, 853, "dot.example"}}},
	{"v", Variant{"(sb)", []any{"x", false}}, oracle.MakeVariant(struct {
		A string
		B bool
	}{"x", false})},
	{"a{sv}", []any{[]any{"k", Variant{"u", uint32(7)}}}, map[string]oracle.Variant{"k": oracle.MakeVariant(uint32(7))}},
}

func TestEveryTypeIsWrittenAsTheLibraryReadsIt(t *testing.T) {
	for _, pad := range []string{"", "y", "yy"} { // alignment begins anywhere
		for _, v := range values {
			args := []any{}
			for range pad {
				args = append(args, byte(1))
			}
			sig := pad + v.sig
			b, err := call(7, Method{"a.b", "/c", "d.e", "F"}, sig, append(args, v.ours))
			if onlyRead(v.ours) {
				if err == nil {
					t.Errorf("%s: %T is written", sig, v.ours)
				}
				continue
			}
			must(t, err)
			m, err := oracle.DecodeMessage(bytes.NewReader(b))
			if err != nil {
				t.Fatalf("%s: %v", sig, err)
			}
			if m.Serial() != 7 || m.Headers[oracle.FieldMember].Value() != "F" || m.Headers[oracle.FieldDestination].Value() != "a.b" ||
				m.Headers[oracle.FieldInterface].Value() != "d.e" || m.Headers[oracle.FieldPath].Value() != oracle.ObjectPath("/c") {
				t.Errorf("%s: %v", sig, m)
			}
			got, want := m.Body[len(pad)], v.theirs
			if !reflect.DeepEqual(got, want) { // structs, and empty lists
				got, want = fmt.Sprint(got), strings.NewReplacer("{", "[", "}", "]", "(", "[", ",)", "]").Replace(fmt.Sprint(want))
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v, want %v", sig, got, want)
			}
		}
	}
}

// onlyRead tells types that we write nowhere.
func onlyRead(v any) bool {
	switch v := v.(type) {
	case int16, int64, uint64, float64:
		return true
	case []any:
		return slices.ContainsFunc(v, onlyRead)
	case Variant:
		return onlyRead(v.Value)
	}
	return false
}

func TestEveryTypeIsReadAsTheLibraryWritesIt(t *testing.T) {
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, v := range values {
			m := &oracle.Message{Type: oracle.TypeMethodReply, Body: []any{byte(1), v.theirs}, Headers: map[oracle.HeaderField]oracle.Variant{
				oracle.FieldReplySerial: oracle.MakeVariant(uint32(9)),
				oracle.FieldSignature:   oracle.MakeVariant(oracle.SignatureOf(byte(1), v.theirs)),
			}}
			var b bytes.Buffer
			must(t, m.EncodeTo(&b, o))
			got, err := receive(&b)
			if err != nil || len(got.body) != 2 || !reflect.DeepEqual(got.body[1], v.ours) {
				t.Errorf("%s: %#v, %v, want %#v", v.sig, got.body, err, v.ours)
			}
			if got.kind != methodReturn || got.fields[fieldReplySerial] != uint32(9) {
				t.Errorf("%s: %+v", v.sig, got)
			}
		}
	}
}

func TestWhatDoesNotFitItsTypeIsNotSent(t *testing.T) {
	for _, tc := range []struct {
		sig  string
		args []any
	}{
		{"s", []any{int32(1)}},
		{"i", []any{uint32(1)}},
		{"s", []any{"a\x00b"}},
		{"s", nil},
		{"s", []any{"a", "b"}},
		{"as", []any{[]any{"a", 1}}},
		{"(ss)", []any{[]any{"a"}}},
		{"v", []any{Variant{"ss", "a"}}},
		{"v", []any{Variant{"", "a"}}},
		{"a", []any{[]any{}}},
		{"()", []any{[]any{}}},
		{"z", []any{1}},
		{strings.Repeat("a", 40) + "y", []any{[]any{}}},
	} {
		if b, err := call(1, Method{}, tc.sig, tc.args); err == nil {
			t.Errorf("%q %v: %x", tc.sig, tc.args, b)
		}
	}
}

func FuzzReceive(f *testing.F) {
	for _, v := range values {
		b, err := call(1, Method{"a.b", "/c", "d.e", "F"}, v.sig, []any{v.ours})
		if err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := receive(bytes.NewReader(b))
		if err != nil || slices.ContainsFunc(m.body, onlyRead) {
			return
		}
		// What was read can be written, and read again.
		sig, _ := m.fields[fieldSignature].(Signature)
		var w writer
		if err := w.values(string(sig), m.body); err != nil {
			t.Fatalf("%q %#v: %v", sig, m.body, err)
		}
		r := reader{b: w.b, order: order}
		if again := r.values(string(sig), 0); r.err != nil || fmt.Sprint(again) != fmt.Sprint(m.body) {
			t.Fatalf("%q: %v became %v, %v", sig, m.body, again, r.err)
		}
	})
}
