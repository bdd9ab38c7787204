package arpcheck

import (
	"encoding/binary"
	"net/netip"

	"github.com/mdlayher/arp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where the fields of an ARP packet are (see packetLen). The socket strips the
// link header, so offset 0 is the packet's first byte.
const (
	atHardwareType = 0
	atProtocolType = 2
	atLengths      = 4
	atOperation    = 6
	atSenderIP     = 14
	atTargetIP     = 24
)

// Jumps to the two ends of a program are written as these, and become
// distances when the program is complete.
const (
	toDrop   = 0xfe
	toAccept = 0xff
)

// preamble drops whatever is no ARP packet for Ethernet and IPv4 of the link's
// own network.
var preamble = [...]bpf.Instruction{
	// Frames of a VLAN that this host has no interface for come here too.
	// The kernel has taken their tag off, but marks them as somebody
	// else's. Other VLANs are other networks, whose hosts may well have
	// our address. What a promiscuous link overhears goes the same way.
	bpf.LoadExtension{Num: bpf.ExtType},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_OTHERHOST, SkipTrue: toDrop},

	bpf.LoadAbsolute{Off: atHardwareType, Size: 2},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: hwEthernet, SkipTrue: 1},
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: hwIEEE802, SkipTrue: toDrop},
	bpf.LoadAbsolute{Off: atProtocolType, Size: 2},
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.ETH_P_IP, SkipTrue: toDrop},
	bpf.LoadAbsolute{Off: atLengths, Size: 2},
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: hardwareLen<<8 | ipLen, SkipTrue: toDrop},
}

// probeFilter lets pass what may be a conflict while addr is probed: packets
// sent in its name, and broadcast probes for it. A probe sent to this host
// alone is a device asking whether we still are there (K15); RFC 5227, section
// 2.1.1, has probes broadcast.
func probeFilter(addr netip.Addr) []bpf.Instruction {
	return program(
		bpf.LoadAbsolute{Off: atSenderIP, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: number(addr), SkipTrue: toAccept},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: toDrop},
		bpf.LoadAbsolute{Off: atTargetIP, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number(addr), SkipTrue: toDrop},
		bpf.LoadAbsolute{Off: atOperation, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(arp.OperationRequest), SkipTrue: toDrop},
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_BROADCAST, SkipTrue: toAccept},
	)
}

// watchFilter lets pass what may be a conflict while addr is in use: packets
// sent in its name, and nothing else. Neighbours ask for addr all day long; an
// agent that sleeps should not be woken by each of them.
func watchFilter(addr netip.Addr) []bpf.Instruction {
	return program(
		bpf.LoadAbsolute{Off: atSenderIP, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: number(addr), SkipTrue: toAccept},
	)
}

// program returns the preamble, tail, and the two ends: what tail leaves
// undecided is dropped.
func program(tail ...bpf.Instruction) []bpf.Instruction {
	p := append(append([]bpf.Instruction(nil), preamble[:]...), tail...)
	for i, in := range p {
		j, ok := in.(bpf.JumpIf)
		if !ok {
			continue
		}
		switch j.SkipTrue {
		case toDrop:
			j.SkipTrue = uint8(len(p) - i - 1)
		case toAccept:
			j.SkipTrue = uint8(len(p) - i)
		}
		p[i] = j
	}
	return append(p,
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: packetLen}, // padding stays in the kernel
	)
}

func number(addr netip.Addr) uint32 {
	b := addr.As4()
	return binary.BigEndian.Uint32(b[:])
}
