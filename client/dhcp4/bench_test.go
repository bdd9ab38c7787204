package dhcp4

import (
	"net/netip"
	"testing"
)

// ackMessage is a DHCPACK with 16 options, as an office's server sends it.
func ackMessage(t testing.TB) *Message {
	t.Helper()
	m := &Message{
		Op: OpReply, HType: HTypeEthernet, XID: 0x12345678, CHAddr: HardwareAddr{2, 0, 0, 0, 0, 1},
		YIAddr: netip.MustParseAddr("192.0.2.77"), SIAddr: netip.MustParseAddr("192.0.2.1"),
	}
	for _, o := range []struct{ name, value string }{
		{"dhcp-message-type", "5"}, {"dhcp-server-identifier", "192.0.2.1"}, {"dhcp-lease-time", "1h"},
		{"dhcp-renewal-time", "30m"}, {"dhcp-rebinding-time", "52m30s"}, {"subnet-mask", "255.255.255.0"},
		{"broadcast-address", "192.0.2.255"}, {"routers", "192.0.2.254"}, {"domain-name-servers", "192.0.2.53,192.0.2.54"},
		{"domain-name", "office.example.com"}, {"host-name", "host-77"}, {"ntp-servers", "192.0.2.123"},
		{"interface-mtu", "1500"}, {"domain-search", "office.example.com,example.com"},
		{"classless-static-routes", "10.0.0.0/8 via 192.0.2.254"}, {"captive-portal", "https://portal.example"},
	} {
		s, ok := ByName(o.name)
		if !ok {
			t.Fatalf("no option %q", o.name)
		}
		v, err := s.Parse(o.value)
		if err != nil {
			t.Fatal(err)
		}
		m.Options.Put(s.OptionCode(), v)
	}
	return m
}

func ackBytes(t testing.TB) []byte {
	t.Helper()
	b, err := ackMessage(t).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readTen reads the ten values that every client wants.
func readTen(t testing.TB, m *Message) {
	_, err1 := SubnetMask.Get(m.Options)
	_, err2 := Routers.Get(m.Options)
	_, err3 := DNS.Get(m.Options)
	_, err4 := DomainName.Get(m.Options)
	_, err5 := Broadcast.Get(m.Options)
	_, err6 := LeaseTime.Get(m.Options)
	_, err7 := T1.Get(m.Options)
	_, err8 := T2.Get(m.Options)
	_, err9 := ServerID.Get(m.Options)
	_, err10 := MsgType.Get(m.Options)
	for _, err := range [...]error{err1, err2, err3, err4, err5, err6, err7, err8, err9, err10} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestAllocations holds the codec to its budget: one piece of memory for a
// message, one for each list or text that is read, none for writing into a
// buffer that is large enough.
func TestAllocations(t *testing.T) {
	b, buf := ackBytes(t), make([]byte, 0, 1500)
	m, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		max  float64
		f    func()
	}{
		{"parse", 1, func() { _, _ = Parse(b) }},
		{"parse and read ten values", 4, func() { m, _ := Parse(b); readTen(t, m) }},
		{"append to a reused buffer", 0, func() { buf, _ = m.Append(buf[:0]) }},
	} {
		if n := testing.AllocsPerRun(100, tc.f); n > tc.max {
			t.Errorf("%s: %v allocations, at most %v", tc.name, n, tc.max)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	data := ackBytes(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseAndReadTen(b *testing.B) {
	data := ackBytes(b)
	b.ReportAllocs()
	for b.Loop() {
		m, err := Parse(data)
		if err != nil {
			b.Fatal(err)
		}
		readTen(b, m)
	}
}

func BenchmarkAppend(b *testing.B) {
	m := ackMessage(b)
	buf := make([]byte, 0, 1500)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = m.Append(buf[:0])
	}
}
