package dhcp4

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// datagram is a DHCPACK with the given fields, each as hexadecimal digits.
func datagram(t testing.TB, options, file, sname string) []byte {
	t.Helper()
	b := make([]byte, offOptions, 600)
	b[0], b[1], b[2] = 2, 1, 6
	copy(b[offCHAddr:], []byte{2, 0, 0, 0, 0, 1})
	copy(b[offCookie:], []byte{99, 130, 83, 99})
	for _, f := range []struct {
		text string
		to   []byte
	}{{sname, b[offSName:offFile]}, {file, b[offFile:offCookie]}} {
		v, err := scanHex(strings.ReplaceAll(f.text, " ", ""))
		if err != nil || len(v) > len(f.to) {
			t.Fatalf("%q: %v", f.text, err)
		}
		copy(f.to, v)
	}
	v, err := scanHex(strings.ReplaceAll(options, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return append(b, v...)
}

const (
	ack    = "350105 " // 53: DHCPACK
	server = "3604c0000201 "
)

func TestOptionsFields(t *testing.T) {
	for _, tc := range []struct {
		name                 string
		options, file, sname string
		want                 map[Code]string // values in hexadecimal digits
		problems             int
		wantFile, wantSName  string
	}{
		{name: "B8 pads anywhere", options: "00 " + ack + "0000 0304c0000201 00 ff", want: map[Code]string{3: "c0000201"}},
		{name: "B2 bytes after the end are not read", options: ack + "ff 0304c0000201", want: map[Code]string{}},
		{name: "the end may be missing", options: ack + "0304c0000201", want: map[Code]string{3: "c0000201"}},
		{name: "B9 an option runs past the field", options: ack + "0304c0000201 0620c0", want: map[Code]string{3: "c0000201"}, problems: 1},
		{name: "B9 a code without length", options: ack + "03", want: map[Code]string{}, problems: 1},
		{
			name: "B1 overload: file", options: "340101 " + ack + "ff", file: "0304c0000201 ff 0604c0000202",
			want: map[Code]string{3: "c0000201"},
		},
		{name: "B1 overload: sname", options: ack + "340102 ff", sname: "0304c0000201 ff", want: map[Code]string{3: "c0000201"}},
		{
			name: "B1, B5 overload: both, joined in the order options, file, sname", options: ack + "0604c0000201 340103 ff",
			file: "0604c0000202 ff", sname: "0604c0000203 ff", want: map[Code]string{6: "c0000201c0000202c0000203"},
		},
		{
			name: "B3 option 52 within file", options: ack + "340101 ff", file: "340102 0304c0000201 ff", sname: "0604c0000202 ff",
			want: map[Code]string{3: "c0000201"}, problems: 1, wantSName: "\x06\x04\xc0",
		},
		{name: "B3 option 52 of no sense", options: ack + "340107 ff", file: "61", want: map[Code]string{}, problems: 1, wantFile: "a"},
		{name: "B3 option 52 of zero", options: ack + "340100 ff", file: "61", want: map[Code]string{}, problems: 1, wantFile: "a"},
		{name: "B3 option 52 of two bytes", options: ack + "34020103 ff", file: "61", want: map[Code]string{}, problems: 1, wantFile: "a"},
		{
			name: "B5 joining leaves what is between alone", options: ack + "0604c0000201 0304c0000202 0604c0000203 ff",
			want: map[Code]string{3: "c0000202", 6: "c0000201c0000203"},
		},
		{name: "B4 not overloaded", options: ack + "ff", file: "626f6f74", sname: "737276", want: map[Code]string{}, wantFile: "boot", wantSName: "srv"},
		{
			name: "B6 a route cut in two", options: ack + "7903080ac0 7903000201 ff",
			want: map[Code]string{121: "080ac0000201"},
		},
		{name: "an unknown option", options: ack + "e003010203 ff", want: map[Code]string{224: "010203"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := Parse(datagram(t, tc.options, tc.file, tc.sname))
			if err != nil {
				t.Fatal(err)
			}
			got := map[Code]string{}
			for _, o := range m.Options {
				if o.Code != 53 {
					got[o.Code] = hexText(o.Value)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if len(m.Problems) != tc.problems || m.File != tc.wantFile || m.SName != tc.wantSName {
				t.Errorf("problems %v, file %q, sname %q", m.Problems, m.File, m.SName)
			}
			checkStable(t, m)
		})
	}
}

func hexText(b []byte) string { t, _ := hex(b).MarshalText(); return string(t) }

func TestRefusals(t *testing.T) {
	good := datagram(t, ack+server+"ff", "", "")
	change := func(i int, v byte) []byte { b := bytes.Clone(good); b[i] = v; return b }
	for _, tc := range []struct {
		name string
		in   []byte
		want error
	}{
		{"A18 short", good[:239], ErrShort},
		{"empty", nil, ErrShort},
		{"A1 op", change(0, 3), ErrOp},
		{"hlen", change(2, 17), ErrHLen},
		{"A2 cookie", change(offCookie, 0), ErrCookie},
		{"A3 no type", datagram(t, server+"ff", "", ""), ErrNoType},
		{"A3 type 0", datagram(t, "350100 ff", "", ""), ErrEssential},
		{"B9 the type is cut off", datagram(t, server+"3502", "", ""), ErrNoType},
		{"B10 type of two bytes", datagram(t, "35020505 ff", "", ""), ErrEssential},
		{"B10 server identifier of five bytes", datagram(t, ack+"3605c000020101 ff", "", ""), ErrEssential},
		{"B10 lease time of two bytes", datagram(t, ack+"33020e10 ff", "", ""), ErrEssential},
	} {
		if _, err := Parse(tc.in); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
}

func TestThreeAnswers(t *testing.T) {
	m, err := Parse(datagram(t, ack+"0305c000020101 0604c0000235 ff", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := DNS.Get(m.Options); err != nil || !slices.Equal(v, []netip.Addr{netip.MustParseAddr("192.0.2.53")}) {
		t.Errorf("well-formed: %v, %v", v, err)
	}
	if v, err := NTPServers.Get(m.Options); !errors.Is(err, ErrUnset) || v != nil {
		t.Errorf("absent: %v, %v", v, err)
	}
	var malformed *MalformedError
	if v, err := Routers.Get(m.Options); !errors.As(err, &malformed) || v != nil || err.Error() != "option 3 (routers): 5 bytes, want a multiple of 4" {
		t.Errorf("malformed: %v, %v", v, err)
	}
}

func TestAppend(t *testing.T) {
	m := ackMessage(t)
	long := bytes.Repeat([]byte("0123456789"), 60)
	m.Options.Put(224, long)
	m.Options.Delete(MsgType.Code)
	if err := MsgType.Put(&m.Options, ACK); err != nil { // now the last one
		t.Fatal(err)
	}
	b, err := m.Append([]byte("prefix"))
	if err != nil || !bytes.HasPrefix(b, []byte("prefix")) {
		t.Fatal(err)
	}
	b = b[len("prefix"):]
	if !bytes.Equal(b[offOptions:offOptions+3], []byte{53, 1, 5}) {
		t.Errorf("the message type is not first: % x", b[offOptions:offOptions+3])
	}
	if b[len(b)-1] != 255 {
		t.Error("A4: the last option is not the end")
	}
	// B7: the pieces of a long value follow one another.
	at := bytes.Index(b, []byte{224, 255, '0', '1'})
	if at < 0 || b[at+257] != 224 || b[at+258] != 255 || b[at+514] != 224 || b[at+515] != 90 {
		t.Error("B7: a long value is not split in a row")
	}
	again, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := again.Options.Lookup(224); !bytes.Equal(v, long) {
		t.Error("B7: a long value does not survive")
	}
}

func TestShortMessagesArePaddedWithZeros(t *testing.T) {
	m := &Message{Op: OpRequest, HType: HTypeEthernet, CHAddr: HardwareAddr{2, 0, 0, 0, 0, 1}}
	if err := MsgType.Put(&m.Options, Discover); err != nil {
		t.Fatal(err)
	}
	b, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != 300 || b[243] != 255 || !bytes.Equal(b[244:], make([]byte, 56)) {
		t.Errorf("A4, A10: %d bytes, % x", len(b), b[240:])
	}
	if !bytes.Equal(b[34:44], make([]byte, 10)) {
		t.Error("A11: chaddr is not zero past hlen")
	}
	for name, bad := range map[string]*Message{
		"chaddr": {CHAddr: make(HardwareAddr, 17)},
		"sname":  {SName: strings.Repeat("x", 64)},
		"file":   {File: strings.Repeat("x", 128)},
		"IPv6":   {CIAddr: netip.MustParseAddr("2001:db8::1")},
		"pad":    {Options: Options{{codePad, []byte{1}}}},
		"end":    {Options: Options{{codeEnd, nil}}},
	} {
		if _, err := bad.Append(nil); err == nil {
			t.Errorf("%s that has no room is written", name)
		}
	}
}

// B21: whatever a datagram says, reading all of it takes no more memory than
// some multiple of its length.
func TestB21MemoryIsBoundedByTheInput(t *testing.T) {
	var every []byte
	for c := 1; c < 255; c++ {
		every = append(every, byte(c), 1, 1)
	}
	compressed, err := scanHex(bomb)
	if err != nil {
		t.Fatal(err)
	}
	value := func(code byte, v []byte) []byte { return RawOption{Code(code), v}.append(nil) }
	for name, options := range map[string][]byte{
		"empty pieces":       bytes.Repeat([]byte{224, 0}, 30_000),
		"pieces":             bytes.Repeat([]byte{224, 1, 1}, 20_000),
		"every option":       bytes.Repeat(every, 80),
		"names":              value(119, append(compressed, bytes.Repeat([]byte{0xc0, 0}, 6000)...)),
		"short names":        value(119, bytes.Repeat([]byte{1, 'a', 0}, 20_000)),
		"names of SIP":       value(120, append([]byte{0}, compressed...)),
		"routes":             value(121, bytes.Repeat([]byte{0, 1, 2, 3, 4}, 10_000)),
		"classes":            value(77, bytes.Repeat([]byte{1, 0}, 20_000)),
		"enterprises":        value(125, make([]byte, 50_000)),
		"resolvers":          value(162, bytes.Repeat([]byte("\x00\x06\x00\x01\x03\x01a\x00"), 5000)),
		"text to be escaped": value(56, bytes.Repeat([]byte{1}, 50_000)),
		"overloads":          append([]byte{52, 1, 3}, bytes.Repeat([]byte{52, 0}, 20_000)...),
	} {
		b := datagram(t, ack, strings.Repeat("3400", 64), strings.Repeat("3400", 32))
		b = append(b, options...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := Parse(b)
		if m == nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, o := range m.Options {
			if s, ok := ByCode(o.Code); ok {
				_, _ = s.Value(o.Value)
			}
		}
		runtime.ReadMemStats(&after)
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(128*len(b)+64<<10); got > limit {
			t.Errorf("%s: %d bytes for %d of input", name, got, len(b))
		}
	}
}

// checkStable writes a message, reads it again, and prints it.
func checkStable(t testing.TB, m *Message) {
	t.Helper()
	if len(m.SName) >= lenSName || len(m.File) >= lenFile {
		return // no final NUL: RFC 2131 wants one, and we write one
	}
	b, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(b)
	if err != nil {
		t.Fatalf("%v\n%x", err, b)
	}
	want := *m
	want.Problems = nil
	for i, o := range want.Options { // the type goes first
		if o.Code == MsgType.Code && i > 0 {
			want.Options = slices.Insert(slices.Delete(slices.Clone(want.Options), i, i+1), 0, o)
		}
	}
	if diff := cmp.Diff(&want, again, cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("-parsed +parsed again\n%s", diff)
	}
	for _, r := range m.String() {
		if r == '\n' || unicode.IsControl(r) {
			t.Fatalf("a control byte in %q", m.String())
		}
	}
	for _, r := range m.Dump() {
		if r != '\n' && unicode.IsControl(r) {
			t.Fatalf("a control byte in %q", m.Dump())
		}
	}
	checkJSON(t, m.Options)
}

// checkJSON writes options as JSON and reads them again.
func checkJSON(t testing.TB, o Options) {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var again Options
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, again, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("B20: -options +from JSON\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, p := range corpus(f) {
		f.Add(p.bytes(f))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		for _, s := range Specs() {
			if v, ok := m.Options.Lookup(s.OptionCode()); ok {
				_, _ = s.Format(v) // must not panic
				_, _ = s.Value(v)
			}
		}
		checkStable(t, m)
	})
}
