package dhcp4

import (
	"bytes"
	"errors"
	"reflect"
	"strconv"
	"testing"
)

func TestJoinSaysOneValueAndThenTheOther(t *testing.T) {
	for _, tc := range []struct{ option, a, b, want string }{
		{"domain-name-servers", "192.0.2.1", "192.0.2.2,192.0.2.3", "192.0.2.1,192.0.2.2,192.0.2.3"},
		{"domain-search", "a.example", "b.example", "a.example,b.example"},
		{"classless-static-routes", "10.0.0.0/8 via 192.0.2.1", "192.0.2.128/25 on-link", "10.0.0.0/8 via 192.0.2.1,192.0.2.128/25 on-link"},
		{"static-routes", "10.0.0.0/8 via 192.0.2.1", "172.16.0.0/16 via 192.0.2.1", "10.0.0.0/8 via 192.0.2.1,172.16.0.0/16 via 192.0.2.1"},
		{"path-mtu-plateau-table", "68", "296", "68,296"},
		{"host-name", "host-", "1", "host-1"},
		{"root-path", "a", "b", "ab"},
		{"vendor-encapsulated-options", "0x0101ff", "0x0201fe", "0x0101ff0201fe"},
		{"user-class", "a", "bc", "a,bc"},
		{"encrypted-dns", "1 dot.example 192.0.2.53", "2 doq.example", "1 dot.example 192.0.2.53,2 doq.example"},
	} {
		s, _ := ByName(tc.option)
		a, errA := s.Parse(tc.a)
		b, errB := s.Parse(tc.b)
		out, err := Join(s, a, b)
		if err := errors.Join(errA, errB, err); err != nil {
			t.Errorf("%s: %v", tc.option, err)
			continue
		}
		if got, err := s.Format(out); err != nil || got != tc.want {
			t.Errorf("%s: %q, %v, want %q", tc.option, got, err, tc.want)
		}
	}
}

// RFC 3397: a pointer counts from the beginning of the value, which is another
// one after a name was put before it.
func TestJoinWritesCompressedNamesAnew(t *testing.T) {
	compressed := []byte("\x01a\x07example\x00\x01b\xc0\x02")
	first, err := DomainSearch.Parse("first.test")
	if err != nil {
		t.Fatal(err)
	}
	out, err := Join(DomainSearch, first, compressed)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DomainSearch.Format(out); err != nil || got != "first.test,a.example,b.example" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestJoinRefusesWhatCannotBeOneValue(t *testing.T) {
	for _, tc := range []struct {
		option Spec
		a, b   string
	}{
		{InterfaceMTU, "\x05\xdc", "\x05\xdc"},
		{Broadcast, "\xc0\x00\x02\x01", "\xc0\x00\x02\x01"},
		{IPForwarding, "\x01", "\x01"},
		{SubnetMask, "\xff\xff\xff\x00", "\xff\xff\xff\x00"},
		{DNS, "\xc0\x00\x02\x01", "\x01"},
		{DNS, "", "\xc0\x00\x02\x01"},
		{DomainName, "example.org", " example.com"}, // as dhclient's users have it
		{DomainName, "example.org", "..com"},
	} {
		var malformed *MalformedError
		if out, err := Join(tc.option, []byte(tc.a), []byte(tc.b)); !errors.As(err, &malformed) || malformed.Code != tc.option.OptionCode() {
			t.Errorf("%s: %x, %v", tc.option.OptionName(), out, err)
		}
	}
}

// FuzzJoin holds what is joined to being readable, and to saying the same as
// both parts of it did, if it is a list.
func FuzzJoin(f *testing.F) {
	f.Add(uint8(6), []byte{192, 0, 2, 1}, []byte{192, 0, 2, 2})
	f.Add(uint8(119), []byte("\x01a\x00"), []byte("\x01b\x00\x01c\xc0\x00"))
	f.Add(uint8(121), []byte{0, 192, 0, 2, 1}, []byte{8, 10, 192, 0, 2, 1})
	f.Add(uint8(162), []byte("\x00\x07\x00\x01\x03\x01a\x00"), []byte{0})
	f.Fuzz(func(t *testing.T, code uint8, a, b []byte) {
		s, ok := ByCode(Code(code))
		if !ok {
			return
		}
		before := [][]byte{bytes.Clone(a), bytes.Clone(b)}
		out, err := Join(s, a, b)
		if !bytes.Equal(a, before[0]) || !bytes.Equal(b, before[1]) {
			t.Fatalf("option %d: Join changed what it was given", code)
		}
		if err != nil {
			return
		}
		textA, errA := s.Format(a)
		textB, errB := s.Format(b)
		text, err := s.Format(out)
		if err := errors.Join(errA, errB, err); err != nil {
			t.Fatalf("option %d: %x and %x make %x: %v", code, a, b, out, err)
		}
		if ShapeOf(s) == List && textA != "" && textB != "" && text != textA+","+textB { // option 68 may be empty
			t.Errorf("option %d: %q and %q make %q", code, textA, textB, text)
		}
	})
}

// Whoever adds a type of values has to say in which shape they are.
func TestShapesAreThoseOfTheExamples(t *testing.T) {
	for _, s := range Specs() {
		want := Single
		_, notNumber := strconv.Atoi(s.Example())
		b, err := s.Parse(s.Example())
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.Value(b)
		if err != nil {
			t.Fatal(err)
		}
		switch v := reflect.ValueOf(v); {
		case s.OptionName() == "dhcp-message-type", s.OptionName() == "dhcp-client-identifier": // numbers, and digits, of their own
		case v.Kind() == reflect.Bool && s.OptionName() != "rapid-commit":
			want = Bool
		case notNumber == nil:
			want = Number
		case v.Kind() == reflect.Slice && v.Type() != reflect.TypeFor[hex]():
			want = List
		case v.Kind() == reflect.String, v.Type() == reflect.TypeFor[hex]():
			want = Text
		}
		if got := ShapeOf(s); got != want {
			t.Errorf("%s, such as %s: shape %d, want %d", s.OptionName(), s.Example(), got, want)
		}
	}
}
