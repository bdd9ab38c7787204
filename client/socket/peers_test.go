package socket

import (
	"net/netip"
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
)

func nth(i int) (netip.Addr, dhcp4.HardwareAddr) {
	return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), dhcp4.HardwareAddr{2, 0, 0, 0, 0, byte(i)}
}

func TestPeersForgetWhoWasLongestSilent(t *testing.T) {
	var p peers
	for i := 1; i <= maxPeers; i++ {
		p.remember(nth(i))
	}
	p.remember(nth(1)) // speaks again
	p.remember(nth(200))
	p.remember(nth(201))
	for i, want := range map[int]bool{1: true, 2: false, 3: false, 4: true, maxPeers: true, 200: true, 201: true} {
		addr, link := nth(i)
		if got := p.lookup(addr); (got != nil) != want || want && got.String() != link.String() {
			t.Errorf("%v is at %v, want known: %v", addr, got, want)
		}
	}
}

func TestPeersKeepTheLatestPlace(t *testing.T) {
	var p peers
	addr, first := nth(1)
	_, second := nth(2)
	p.remember(addr, first)
	p.remember(addr, second)
	p.remember(addr, nil) // not known: says nothing
	p.remember(netip.Addr{}, first)
	p.remember(netip.IPv4Unspecified(), first)
	if got := p.lookup(addr); got.String() != second.String() || len(p.list) != 1 {
		t.Errorf("at %v among %d, want at %v alone", got, len(p.list), second)
	}
	if p.lookup(netip.IPv4Unspecified()) != nil || p.lookup(netip.Addr{}) != nil {
		t.Error("0.0.0.0 is nobody's address")
	}
}
