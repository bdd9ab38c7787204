package dhcp4

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
)

// A packet is a line of testdata/packets.jsonl.
type packet struct {
	ID    string   `json:"id"`
	Valid bool     `json:"valid"`
	Tags  []string `json:"tags"`
	Hex   string   `json:"bytes_hex"`
	Read  *struct {
		Op          string   `json:"op"`
		XID         string   `json:"xid"`
		CIAddr      string   `json:"ciaddr"`
		YIAddr      string   `json:"yiaddr"`
		SIAddr      string   `json:"siaddr"`
		GIAddr      string   `json:"giaddr"`
		MessageType string   `json:"message_type"`
		Codes       []string `json:"option_codes"`
		Malformed   bool     `json:"malformed"`
	} `json:"tshark"`
}

func corpus(t testing.TB) (out []packet) {
	t.Helper()
	f, err := os.Open("testdata/packets.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p packet
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	if err := lines.Err(); err != nil || len(out) != 147 {
		t.Fatalf("%d packets, %v", len(out), err)
	}
	return out
}

func (p packet) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := scanHex(p.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRealPacketsReadAsOthersReadThem compares with tshark's reading and with
// whether the packet keeps the rules.
func TestRealPacketsReadAsOthersReadThem(t *testing.T) {
	parsed := 0
	for _, p := range corpus(t) {
		m, err := Parse(p.bytes(t))
		// A message without a type is BOOTP, valid as such; A3 drops it.
		if bootp := slices.Contains(p.Tags, "no_message_type"); p.Valid && !bootp && err != nil {
			t.Errorf("%s: %v, though it is valid", p.ID, err)
			continue
		}
		if err != nil || p.Read == nil {
			continue
		}
		parsed++
		p.compare(t, m)
	}
	if parsed < 100 {
		t.Errorf("only %d packets were compared", parsed)
	}
}

func (p packet) compare(t *testing.T, m *Message) {
	t.Helper()
	r := p.Read
	for _, f := range []struct{ name, ours, theirs string }{
		{"op", fmt.Sprint(uint8(m.Op)), r.Op},
		{"xid", fmt.Sprintf("0x%08x", m.XID), r.XID},
		{"ciaddr", m.CIAddr.String(), r.CIAddr}, {"yiaddr", m.YIAddr.String(), r.YIAddr},
		{"siaddr", m.SIAddr.String(), r.SIAddr}, {"giaddr", m.GIAddr.String(), r.GIAddr},
		{"message type", fmt.Sprint(uint8(m.Type())), r.MessageType},
	} {
		if f.theirs != "" && f.ours != f.theirs {
			t.Errorf("%s: %s is %s, tshark has %s", p.ID, f.name, f.ours, f.theirs)
		}
	}
	if r.Malformed || len(m.Problems) > 0 {
		return // it stops elsewhere than we do
	}
	var theirs []Code
	for _, text := range r.Codes {
		n, err := strconv.Atoi(text)
		// Pads have no meaning, and we take option 52 out.
		if c := Code(n); err == nil && c != codePad && c != codeEnd && c != codeOverload && !slices.Contains(theirs, c) {
			theirs = append(theirs, c)
		}
	}
	var ours []Code
	for _, o := range m.Options {
		ours = append(ours, o.Code)
	}
	if slices.Contains(p.Tags, "repeated_option") || slices.Contains(p.Tags, "overload3") {
		slices.Sort(ours) // it lists file and sname in another order
		slices.Sort(theirs)
	}
	if !slices.Equal(ours, theirs) {
		t.Errorf("%s: options %v, tshark has %v", p.ID, ours, theirs)
	}
}

// TestRealPacketsSurviveWritingAndPrinting: what was read and written reads
// the same again (B20, B21), and printing never breaks a line or a terminal.
func TestRealPacketsSurviveWritingAndPrinting(t *testing.T) {
	for _, p := range corpus(t) {
		if m, err := Parse(p.bytes(t)); err == nil {
			checkStable(t, m)
		}
	}
}
