package socket

import (
	"slices"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// aside is what the kernel tells a filter beside the packet.
type aside struct {
	packetType uint32 // PACKET_HOST, …
	tagged     uint32
	tag        uint32
}

// run runs the filter over a packet. The virtual machine knows no extensions,
// so each is replaced by a load of what it would give.
func run(t *testing.T, packet []byte, about aside) bool {
	t.Helper()
	program := repliesOnly()
	for i, in := range program {
		ext, ok := in.(bpf.LoadExtension)
		if !ok {
			continue
		}
		value, ok := map[bpf.Extension]uint32{
			bpf.ExtType: about.packetType, bpf.ExtVLANTagPresent: about.tagged, bpf.ExtVLANTag: about.tag,
		}[ext.Num]
		if !ok {
			t.Fatalf("instruction %d loads extension %d", i, ext.Num)
		}
		program[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: value}
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(packet)
	if err != nil {
		t.Fatal(err)
	}
	if n > 0 && n < len(packet) {
		t.Errorf("the filter cuts the packet at %d of %d bytes", n, len(packet))
	}
	return n > 0
}

func TestFilterLetsOnlyRepliesPass(t *testing.T) {
	payload := make([]byte, 300)
	good := fromServer(payload, nil, nil)
	change := func(f func(ip []byte)) []byte { return fromServer(payload, f, nil) }
	for _, tc := range []struct {
		name   string
		packet []byte
		about  aside
		want   bool
	}{
		{"for this host", good, aside{packetType: unix.PACKET_HOST}, true},
		{"for all", good, aside{packetType: unix.PACKET_BROADCAST}, true},
		{"for a group", good, aside{packetType: unix.PACKET_MULTICAST}, true},
		{"for another host", good, aside{packetType: unix.PACKET_OTHERHOST}, false},
		{"our own", good, aside{packetType: unix.PACKET_OUTGOING}, false},
		{"A19 of a VLAN", good, aside{tagged: 1, tag: 100}, false},
		{"A19 of a VLAN, with priority", good, aside{tagged: 1, tag: 7<<13 | 100}, false},
		{"VLAN 0: only a priority", good, aside{tagged: 1, tag: 7 << 13}, true},
		{"a stale tag that is not there", good, aside{tagged: 0, tag: 100}, true},
		{"IPv4 options", withOptions(good), aside{}, true},
		{"IPv6", change(func(ip []byte) { ip[0] = 0x65 }), aside{}, false},
		{"TCP", change(func(ip []byte) { ip[9] = unix.IPPROTO_TCP }), aside{}, false},
		{"ICMP", change(func(ip []byte) { ip[9] = unix.IPPROTO_ICMP }), aside{}, false},
		{"A19 first fragment", change(func(ip []byte) { ip[6] = 0x20 }), aside{}, false},
		{"A19 middle fragment", change(func(ip []byte) { ip[6], ip[7] = 0x20, 1 }), aside{}, false},
		{"A19 last fragment", change(func(ip []byte) { ip[6], ip[7] = 0x1f, 0 }), aside{}, false},
		{"do not fragment", change(func(ip []byte) { ip[6] = 0x40 }), aside{}, true},
		{"port 69", change(func(ip []byte) { ip[23] = 69 }), aside{}, false},
		{"port 68 + 256", change(func(ip []byte) { ip[22] = 1 }), aside{}, false},
		{"a request: from 68 to 67", change(func(ip []byte) { ip[21], ip[23] = 68, 67 }), aside{}, false},
		{"a port where there are options", optionsHideThePort(good), aside{}, false},
		{"nothing", nil, aside{}, false},
		{"cut before the port", good[:23:23], aside{}, false},
		{"cut after the port: for the parser to tell", good[:24:24], aside{}, true},
	} {
		if got := run(t, tc.packet, tc.about); got != tc.want {
			t.Errorf("%s: passes: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// optionsHideThePort has 68 where the port of a packet without options is, and
// another where it really is.
func optionsHideThePort(good []byte) []byte {
	ip := withOptions(good)
	ip[23], ip[27] = clientPort, 69
	return ip
}

func TestFilterOfTheUDPSocketLetsNothingPass(t *testing.T) {
	vm, err := bpf.NewVM(slices.Clone(nothing()))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := vm.Run(fromServer(nil, nil, nil)); n != 0 || err != nil {
		t.Errorf("%d bytes pass, %v", n, err)
	}
}
