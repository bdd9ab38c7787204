package difftest

import (
	"net/netip"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee/client/dhcp4"
)

// ack is a DHCPACK of 383 bytes with 16 options.
func ack(t testing.TB) []byte {
	t.Helper()
	m := &dhcp4.Message{
		Op: dhcp4.OpReply, HType: dhcp4.HTypeEthernet, XID: 0x12345678, CHAddr: dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1},
		YIAddr: netip.MustParseAddr("192.0.2.77"), SIAddr: netip.MustParseAddr("192.0.2.1"),
	}
	for _, o := range []struct{ name, value string }{
		{"dhcp-message-type", "5"}, {"dhcp-server-identifier", "192.0.2.1"}, {"dhcp-lease-time", "1h"},
		{"dhcp-renewal-time", "30m"}, {"dhcp-rebinding-time", "52m30s"}, {"subnet-mask", "255.255.255.0"},
		{"broadcast-address", "192.0.2.255"}, {"routers", "192.0.2.254"}, {"domain-name-servers", "192.0.2.53,192.0.2.54"},
		{"domain-name", "office.example.com"}, {"host-name", "host-77"}, {"ntp-servers", "192.0.2.123"},
		{"interface-mtu", "1500"}, {"domain-search", "office.example.com"},
		{"classless-static-routes", "10.0.0.0/8 via 192.0.2.254"}, {"tftp-server-name", "tftp.boot.office"},
	} {
		s, ok := dhcp4.ByName(o.name)
		if !ok {
			t.Fatalf("no option %q", o.name)
		}
		v, err := s.Parse(o.value)
		if err != nil {
			t.Fatal(err)
		}
		m.Options.Put(s.OptionCode(), v)
	}
	b, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != 383 || len(m.Options) != 16 {
		t.Fatalf("%d bytes and %d options, want 383 and 16", len(b), len(m.Options))
	}
	return b
}

func oursReadsTen(t testing.TB, b []byte) {
	m, err := dhcp4.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	o := m.Options
	mask, err1 := dhcp4.SubnetMask.Get(o)
	routers, err2 := dhcp4.Routers.Get(o)
	dns, err3 := dhcp4.DNS.Get(o)
	domain, err4 := dhcp4.DomainName.Get(o)
	broadcast, err5 := dhcp4.Broadcast.Get(o)
	length, err6 := dhcp4.LeaseTime.Get(o)
	t1, err7 := dhcp4.T1.Get(o)
	t2, err8 := dhcp4.T2.Get(o)
	server, err9 := dhcp4.ServerID.Get(o)
	for _, err := range [...]error{err1, err2, err3, err4, err5, err6, err7, err8, err9} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if mask != 24 || len(routers) != 1 || len(dns) != 2 || domain == "" || !broadcast.IsValid() ||
		length != 3600 || t1 != 1800 || t2 != 3150 || !server.IsValid() || m.Type() != dhcp4.ACK {
		t.Fatal("wrong values")
	}
}

func theirsReadsTen(t testing.TB, b []byte) {
	m, err := dhcpv4.FromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	ones, _ := m.SubnetMask().Size()
	if ones != 24 || len(m.Router()) != 1 || len(m.DNS()) != 2 || m.DomainName() == "" || m.BroadcastAddress() == nil ||
		m.IPAddressLeaseTime(0) != time.Hour || m.IPAddressRenewalTime(0) != 30*time.Minute ||
		m.IPAddressRebindingTime(0) != 3150*time.Second || m.ServerIdentifier() == nil || m.MessageType() != dhcpv4.MessageTypeAck {
		t.Fatal("wrong values")
	}
}

func BenchmarkParseAndReadTen(b *testing.B) {
	data := ack(b)
	for name, f := range map[string]func(testing.TB, []byte){"lessee": oursReadsTen, "insomniacslk": theirsReadsTen} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f(b, data)
			}
		})
	}
}

func BenchmarkAppendToReusedBuffer(b *testing.B) {
	m, err := dhcp4.Parse(ack(b))
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 1500)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = m.Append(buf[:0])
	}
}

// TestCodecKeepsItsBudget compares both codecs in turn, in one run. A round is
// short, so that of many some are not disturbed: the ratio of the fastest ones
// is about the codecs, whatever else the machine does.
func TestCodecKeepsItsBudget(t *testing.T) {
	data := ack(t)
	if n := testing.AllocsPerRun(100, func() { oursReadsTen(t, data) }); n > 4 {
		t.Errorf("parsing and reading ten values makes %v allocations, at most 4", n)
	}
	const calls = 50
	round := func(f func(testing.TB, []byte)) time.Duration {
		start := time.Now()
		for range calls {
			f(t, data)
		}
		return time.Since(start)
	}
	ours, theirs := time.Hour, time.Hour
	for range 2000 {
		ours, theirs = min(ours, round(oursReadsTen)), min(theirs, round(theirsReadsTen))
	}
	ratio := float64(theirs) / float64(ours)
	t.Logf("%.1f times as fast: %v and %v", ratio, ours/calls, theirs/calls)
	if ratio < 4 {
		t.Errorf("%.1f times as fast as insomniacslk/dhcp, want 4", ratio)
	}
}
