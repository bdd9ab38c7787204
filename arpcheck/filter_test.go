package arpcheck

import (
	"testing"

	"github.com/mdlayher/arp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A kernelFilter is a program attached to a pair of local sockets, where the
// kernel runs it as it would on a link, without privileges. There, packets
// count as sent to this host alone and carry no VLAN tag.
type kernelFilter struct{ in, out int }

func newKernelFilter(t *testing.T, program []bpf.Instruction) kernelFilter {
	t.Helper()
	raw, err := bpf.Assemble(program)
	if err != nil {
		t.Fatalf("assemble: %v", err)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("socketpair: %v", err)
	}
	t.Cleanup(func() { _ = unix.Close(fds[0]); _ = unix.Close(fds[1]) })
	code := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	if err := unix.SetsockoptSockFprog(fds[1], unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
		t.Fatalf("attach: %v", err)
	}
	return kernelFilter{fds[0], fds[1]}
}

// pass returns how many bytes of b pass.
func (k kernelFilter) pass(t *testing.T, b []byte) int {
	t.Helper()
	// A packet that the filter drops is EPERM to the sender here.
	if err := unix.Sendto(k.in, b, 0, nil); err != nil && err != unix.EPERM {
		t.Fatalf("send: %v", err)
	}
	n, _, err := unix.Recvfrom(k.out, make([]byte, 2048), 0)
	if err == unix.EAGAIN {
		return 0
	}
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	return n
}

func TestFiltersPassWhatTheMachinesNeed(t *testing.T) {
	probing, watching := newKernelFilter(t, probeFilter(addr)), newKernelFilter(t, watchFilter(addr))
	for _, c := range []struct {
		name         string
		p            *arp.Packet
		probe, watch bool
	}{
		{"reply from the holder", replyFrom(them), true, true},
		{"request of the holder", request(them, addr, other), true, true},
		{"announcement", announcement(them, addr), true, true},
		{"K15 probe to this host alone", probePacket(them, addr), false, false},
		{"probe for another address", probePacket(them, other), false, false},
		{"neighbour asking for us", request(them, other, addr), false, false},
		{"neighbours talking", makeARP(arp.OperationReply, them, other, third, nobody), false, false},
	} {
		b := append(marshalARP(t, c.p), make([]byte, 18)...)
		for _, f := range []struct {
			name string
			k    kernelFilter
			want bool
		}{{"probe", probing, c.probe}, {"watch", watching, c.watch}} {
			want := 0
			if f.want {
				want = packetLen // without the padding
			}
			if got := f.k.pass(t, b); got != want {
				t.Errorf("%s: %d bytes pass the %s filter, want %d", c.name, got, f.name, want)
			}
		}
	}
}

// A frame passes the filter for its own sender if we can read it, and no other.
func TestFilterAndParserAgreeOnGoldenFrames(t *testing.T) {
	passed := 0
	for _, g := range goldenFrames(t) {
		b := g.payload(t)
		p := new(arp.Packet)
		if p.UnmarshalBinary(b) != nil || !p.SenderIP.Is4() || len(b) < packetLen {
			continue
		}
		_, err := parse(b)
		pass := newKernelFilter(t, watchFilter(p.SenderIP)).pass(t, b) > 0
		if pass != (err == nil) {
			t.Errorf("%s %v: passes: %v, parser says %v", g.ID, g.Tags, pass, err)
		}
		if pass {
			passed++
		}
		if newKernelFilter(t, watchFilter(addr)).pass(t, b) > 0 {
			t.Errorf("%s passes the filter for %v", g.ID, addr)
		}
	}
	if passed < 60 {
		t.Errorf("%d frames passed, want at least 60", passed)
	}
}

func TestShortPacketsDoNotPass(t *testing.T) {
	b := marshalARP(t, replyFrom(them))
	k := newKernelFilter(t, probeFilter(addr))
	for n := 1; n < atSenderIP+4; n++ {
		if got := k.pass(t, b[:n]); got != 0 {
			t.Errorf("%d bytes: %d pass", n, got)
		}
	}
}

func TestFiltersDropWhatIsNoARPForEthernetAndIPv4(t *testing.T) {
	k := newKernelFilter(t, probeFilter(addr))
	for _, c := range []struct {
		name string
		at   int
		to   byte
		pass bool
	}{
		{"Ethernet", 1, 1, true}, {"IEEE 802", 1, 6, true}, {"ARCnet", 1, 7, false}, {"type 257", 0, 1, false},
		{"AppleTalk", 2, 0x80, false}, {"hardware length 8", 4, 8, false}, {"protocol length 16", 5, 16, false},
	} {
		b := append(marshalARP(t, replyFrom(them)), make([]byte, 18)...)
		b[c.at] = c.to
		if got := k.pass(t, b) > 0; got != c.pass {
			t.Errorf("%s: passes: %v, want %v", c.name, got, c.pass)
		}
	}
}
