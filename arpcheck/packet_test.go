package arpcheck

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
)

// K4: "'sender IP address' MUST be all zeroes ... 'target hardware address'
// SHOULD be all zeroes ... 'target IP address' MUST be the address probed."
func TestK4BytesOfAProbe(t *testing.T) {
	const want = "0001" + "0800" + "06" + "04" + "0001" + "020000000001" + "00000000" + "000000000000" + "c0000207"
	if got := hex.EncodeToString(marshalARP(t, probePacket(us, addr))); got != want {
		t.Errorf("probe\n got %s\nwant %s", got, want)
	}
}

// K9: "identical to the ARP Probe, except that now the sender and target IP
// addresses are both set to the host's newly selected IPv4 address."
func TestK9BytesOfAnAnnouncement(t *testing.T) {
	const want = "0001" + "0800" + "06" + "04" + "0001" + "020000000001" + "c0000207" + "000000000000" + "c0000207"
	if got := hex.EncodeToString(marshalARP(t, announcement(us, addr))); got != want {
		t.Errorf("announcement\n got %s\nwant %s", got, want)
	}
}

func TestParseRefusesWhatIsNoARPForEthernetAndIPv4(t *testing.T) {
	good := marshalARP(t, probePacket(us, addr))
	change := func(at int, b byte) []byte {
		c := slices.Clone(good)
		c[at] = b
		return c
	}
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"good", good, nil},
		{"padded", append(slices.Clone(good), make([]byte, 18)...), nil},
		{"IEEE 802", change(1, 6), nil},
		{"reply", change(7, 2), nil},
		{"empty", nil, errShort},
		{"one byte short", good[:27], errShort},
		{"ARCnet", change(1, 7), errHardware},
		{"hardware length 5", change(4, 5), errHardware},
		{"AppleTalk", change(2, 0x80), errProtocol},
		{"RARP request", change(7, 3), errOperation},
		{"operation 0", change(7, 0), errOperation},
	} {
		if _, err := parse(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	for _, b := range [][]byte{change(4, 8), change(5, 16), change(5, 0), change(4, 255)} {
		if p, err := parse(b); err == nil {
			t.Errorf("lengths %d and %d: parsed as %v", b[4], b[5], p)
		}
	}
}

// A goldenFrame is a line of testdata/frames.jsonl: a frame that another
// project keeps as test data. Source and licence are in the line.
type goldenFrame struct {
	ID      string
	Source  string
	Licence string
	Valid   bool
	Tags    []string
	Hex     string
}

func (g goldenFrame) has(tag string) bool { return slices.Contains(g.Tags, tag) }

// payload returns what a packet socket would give us: what follows the
// Ethernet header and its VLAN tags.
func (g goldenFrame) payload(t testing.TB) []byte {
	b, err := hex.DecodeString(g.Hex)
	if err != nil {
		t.Fatalf("%s: %v", g.ID, err)
	}
	if g.has("not_ethernet") {
		return b
	}
	b = b[12:]
	for len(b) >= 4 && (b[0] == 0x81 && b[1] == 0 || b[0] == 0x88 && b[1] == 0xa8) {
		b = b[4:]
	}
	return b[2:]
}

func goldenFrames(t testing.TB) []goldenFrame {
	t.Helper()
	f, err := os.Open("testdata/frames.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all []goldenFrame
	for s := bufio.NewScanner(f); s.Scan(); {
		var g goldenFrame
		if err := json.Unmarshal(s.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	return all
}

func TestGoldenFramesAreReadAsWhatTheyAre(t *testing.T) {
	all := goldenFrames(t)
	if len(all) != 79 {
		t.Fatalf("%d frames, want 79", len(all))
	}
	for _, g := range all {
		p, err := parse(g.payload(t))
		// Two are good ARP packets, only not from an Ethernet frame.
		want := g.Valid || g.has("not_ethernet") && !g.has("other_type")
		if (err == nil) != want {
			t.Errorf("%s %v: error %v, want parsed: %v", g.ID, g.Tags, err, want)
		}
		if err != nil {
			continue
		}
		if isProbe(p) != g.has("probe") || isAnnouncement(p) != g.has("gratuitous") {
			t.Errorf("%s %v: probe %v, announcement %v", g.ID, g.Tags, isProbe(p), isAnnouncement(p))
		}
		if b := marshalARP(t, p); !slices.Equal(b, g.payload(t)[:packetLen]) {
			t.Errorf("%s: written back as %x", g.ID, b)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, g := range goldenFrames(f) {
		f.Add(g.payload(f))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parse(b)
		if err != nil {
			return
		}
		if !slices.Equal(marshalARP(t, p), b[:packetLen]) {
			t.Errorf("%x is written back as %x", b, marshalARP(t, p))
		}
	})
}
