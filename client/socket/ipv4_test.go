package socket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"
)

// spoiled are packets that must not come through, and why (A16 to A19). The
// namespace tests put them on a wire, too.
func spoiled(payload []byte) []spoiledPacket {
	word := func(at int, v uint16) func([]byte) {
		return func(ip []byte) { binary.BigEndian.PutUint16(ip[at:], v) }
	}
	good := fromServer(payload, nil, nil)
	short := func(n int) []byte { return good[:n:n] }
	total, udp := uint16(len(good)), uint16(len(good)-ipHeaderLen)
	return []spoiledPacket{
		{"A16 damaged IPv4 checksum", fromServer(payload, nil, func(ip []byte) { ip[10] ^= 1 }), ErrIPChecksum},
		{"A16 damaged IPv4 header", fromServer(payload, nil, func(ip []byte) { ip[15] ^= 0x80 }), ErrIPChecksum},
		{"A17 damaged UDP checksum", fromServer(payload, func(ip []byte) { ip[26] ^= 1 }, nil), ErrUDPChecksum},
		{"A17 damaged payload", fromServer(payload, func(ip []byte) { ip[len(ip)-1] ^= 1 }, nil), ErrUDPChecksum},
		{"A17 damaged source", fromServer(payload, func(ip []byte) { ip[15] ^= 0x80 }, nil), ErrUDPChecksum},
		{"A18 total beyond the frame", fromServer(payload, word(2, total+1), nil), ErrLength},
		{"A18 total far beyond the frame", fromServer(payload, word(2, 65535), nil), ErrLength},
		{"A18 total without room for UDP", fromServer(payload, word(2, 27), nil), ErrLength},
		{"A18 total less than the header", fromServer(payload, word(2, 19), nil), ErrLength},
		{"A18 total zero", fromServer(payload, word(2, 0), nil), ErrLength},
		{"A18 UDP beyond the packet", fromServer(payload, word(24, udp+1), nil), ErrLength},
		{"A18 UDP far beyond the packet", fromServer(payload, word(24, 65535), nil), ErrLength},
		{"A18 UDP less than its header", fromServer(payload, word(24, 7), nil), ErrLength},
		{"A18 UDP zero", fromServer(payload, word(24, 0), nil), ErrLength},
		{"A18 truncated payload", short(len(good) - 1), ErrLength},
		{"A18 truncated UDP header", short(27), ErrLength},
	}
}

type spoiledPacket struct {
	name   string
	packet []byte
	want   error
}

func TestParseUDPDropsWhatIsSpoiled(t *testing.T) {
	good := fromServer(bytes.Repeat([]byte{7}, 300), nil, nil)
	for _, tc := range append(spoiled(good[headersLen:]),
		spoiledPacket{"A18 nothing", nil, ErrLength},
		spoiledPacket{"A18 truncated IPv4 header", good[:19:19], ErrLength},
		spoiledPacket{"A18 header less than 20", fromServer(good[headersLen:], func(ip []byte) { ip[0] = 0x44 }, nil), ErrLength},
		spoiledPacket{"A18 header beyond the frame", fromServer(good[:4], func(ip []byte) { ip[0] = 0x4f }, nil), ErrLength},
		spoiledPacket{"A19 first fragment", fromServer(good[headersLen:], func(ip []byte) { ip[6] = 0x20 }, nil), ErrNotOurs},
		spoiledPacket{"A19 later fragment", fromServer(good[headersLen:], func(ip []byte) { ip[6], ip[7] = 0, 1 }, nil), ErrNotOurs},
		spoiledPacket{"IPv6", fromServer(good[headersLen:], func(ip []byte) { ip[0] = 0x65 }, nil), ErrNotOurs},
		spoiledPacket{"TCP", fromServer(good[headersLen:], func(ip []byte) { ip[9] = 6 }, nil), ErrNotOurs},
		spoiledPacket{"another port", fromServer(good[headersLen:], func(ip []byte) { ip[23] = 69 }, nil), ErrNotOurs},
	) {
		if _, payload, err := parseUDP(tc.packet, false); !errors.Is(err, tc.want) || payload != nil {
			t.Errorf("%s: %v with %d bytes of payload, want %v", tc.name, err, len(payload), tc.want)
		}
	}
}

func TestParseUDPAcceptsWhatIsUnusualButRight(t *testing.T) {
	payload := []byte("odd") // an odd length: the sum needs a pad byte
	good := fromServer(payload, nil, nil)
	for _, tc := range []struct {
		name    string
		packet  []byte
		partial bool
		want    string
	}{
		{"correct", good, false, "odd"},
		{"A18 padded by the link", append(slices.Clip(good), make([]byte, 15)...), false, "odd"},
		{"A17 no UDP checksum", fromServer(payload, func(ip []byte) { ip[26], ip[27] = 0, 0 }, nil), false, "odd"},
		{"A17 UDP checksum not ready", fromServer(payload, func(ip []byte) { ip[26] ^= 1 }, nil), true, "odd"},
		{"reserved flag", fromServer(payload, func(ip []byte) { ip[6] = 0x80 }, nil), false, "odd"},
		{"IPv4 options", withOptions(good), false, "odd"},
		{"UDP shorter than the packet", withTail(payload, "tail"), false, "odd"},
		{"no payload", fromServer(nil, nil, nil), false, ""},
	} {
		src, got, err := parseUDP(tc.packet, tc.partial)
		if err != nil || string(got) != tc.want || src != netip.AddrPortFrom(serverAddr, serverPort) {
			t.Errorf("%s: %q from %v, %v; want %q", tc.name, got, src, err, tc.want)
		}
	}
}

// withTail is a packet with bytes between the end of UDP and that of IPv4.
func withTail(payload []byte, tail string) []byte {
	ip := append(fromServer(payload, nil, nil), tail...)
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	binary.BigEndian.PutUint16(ip[10:], 0)
	binary.BigEndian.PutUint16(ip[10:], ^fold(sum(0, ip[:ipHeaderLen])))
	return ip
}

// withOptions inserts four no-operation options.
func withOptions(ip []byte) []byte {
	ip = slices.Insert(slices.Clone(ip), ipHeaderLen, 1, 1, 1, 1)
	ip[0] = 0x46
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	binary.BigEndian.PutUint16(ip[10:], 0)
	binary.BigEndian.PutUint16(ip[10:], ^fold(sum(0, ip[:24])))
	return ip
}

// The sum of RFC 1071, section 3, and a header whose checksum is well known.
func TestChecksumsOfTheBooks(t *testing.T) {
	if got := fold(sum(0, []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7})); got != 0xddf2 {
		t.Errorf("RFC 1071: %#04x, want 0xddf2", got)
	}
	header := []byte{
		0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61,
		0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
	}
	if got := fold(sum(0, header)); got != 0xffff {
		t.Errorf("a correct header: %#04x, want 0xffff", got)
	}
	if got := fold(sum(0, bytes.Repeat([]byte{0xff}, maxDatagram))); got != 0xff00 {
		t.Errorf("the largest sum: %#04x, want 0xff00", got) // 32767 words of -0, and 0xff00
	}
}

// RFC 768: a checksum that comes out as zero is sent as all ones.
func TestUDPChecksumOfZeroIsSentAsOnes(t *testing.T) {
	b := make([]byte, headersLen+2)
	putHeaders(b, serverAddr, everybody())
	// With the old checksum as payload the sum becomes -0.
	copy(b[headersLen:], b[26:28])
	putHeaders(b, serverAddr, everybody())
	if got := binary.BigEndian.Uint16(b[26:]); got != 0xffff {
		t.Errorf("%#04x, want 0xffff", got)
	}
}

func FuzzParseUDP(f *testing.F) {
	for _, s := range spoiled([]byte("payload")) {
		f.Add(s.packet, false)
	}
	f.Add(fromServer([]byte("payload"), nil, nil), true)
	f.Add(withOptions(fromServer(nil, nil, nil)), false)
	f.Fuzz(func(t *testing.T, b []byte, partial bool) {
		before := bytes.Clone(b)
		src, payload, err := parseUDP(b, partial)
		if !bytes.Equal(b, before) {
			t.Fatal("the packet was changed")
		}
		if err != nil {
			if payload != nil {
				t.Fatalf("payload together with %v", err)
			}
			return
		}
		if len(payload)+headersLen > len(b) || !src.Addr().Is4() {
			t.Fatalf("%d bytes from %v, in a packet of %d", len(payload), src, len(b))
		}
		// What was read, sent again, is read again.
		again := fromServer(payload, func(ip []byte) { ip[26], ip[27] = 0, 0 }, nil)
		if _, got, err := parseUDP(again, false); err != nil || !bytes.Equal(got, payload) {
			t.Fatalf("%x became %x, %v", payload, got, err)
		}
	})
}
