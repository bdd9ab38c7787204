package socket

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// maxAccept is how much of a frame the filter passes on: all of it.
const maxAccept = 0x40000

// repliesOnly lets pass what may be a server's reply: whole IPv4 UDP datagrams
// to port 68, in frames for this host and of this link's own network. The
// socket strips the link header, so offset 0 is the IPv4 header. A load from
// beyond the end of the packet drops it.
//
// Other VLANs are other networks. The kernel hands on frames of a VLAN that
// this host has no interface for without their tag, marked as somebody else's;
// behind a switch chip (DSA) the tag is still there. VLAN 0 is only a
// priority.
func repliesOnly() []bpf.Instruction {
	const drop = 18 // the number of the last instruction
	return []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},                                                   //  0 who the frame is for
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: unix.PACKET_MULTICAST, SkipTrue: drop - 2}, //  1 0 to 2 are this host, all and a group
		bpf.LoadExtension{Num: bpf.ExtVLANTagPresent},                                         //  2 whether there is a tag
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 3},                                  //  3 no: to 7
		bpf.LoadExtension{Num: bpf.ExtVLANTag},                                                //  4 the tag
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xfff},                                       //  5 its VLAN number
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: drop - 7},                        //  6 another network (A19)
		bpf.LoadAbsolute{Off: 0, Size: 1},                                                     //  7 version, header length
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0},                                        //  8 version
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0x40, SkipTrue: drop - 10},                    //  9 not IPv4
		bpf.LoadAbsolute{Off: 9, Size: 1},                                                     // 10 protocol
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolUDP, SkipTrue: drop - 12},             // 11 not UDP
		bpf.LoadAbsolute{Off: 6, Size: 2},                                                     // 12 flags, fragment offset
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: fragmentation, SkipTrue: drop - 14},            // 13 a fragment, the first included (A19)
		bpf.LoadMemShift{Off: 0},                                                              // 14 X = header length
		bpf.LoadIndirect{Off: 2, Size: 2},                                                     // 15 UDP destination port
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: clientPort, SkipTrue: drop - 17},              // 16 not ours
		bpf.RetConstant{Val: maxAccept},                                                       // 17 accept
		bpf.RetConstant{Val: 0},                                                               // 18 drop
	}
}

// nothing lets nothing pass. A socket with this filter still counts as a
// listener, so the kernel does not answer "port unreachable" in its name.
func nothing() []bpf.Instruction {
	return []bpf.Instruction{bpf.RetConstant{Val: 0}}
}
