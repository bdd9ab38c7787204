package arpcheck

import (
	"bytes"
	"net"
	"net/netip"
	"time"

	"github.com/mdlayher/arp"
)

// A machine decides what to do about one address, and does none of it: the
// driver feeds it with what happened, carries out what it says, and steps it
// with a timeout once its deadline has passed. It reads no clock.
type machine interface {
	// Step takes one input that happened at now and returns what is to be
	// done.
	Step(now time.Time, in input) []output
	// Deadline is the instant of the next timeout; zero: none.
	Deadline() time.Time
}

// An input is something that happened. The set is closed.
type input interface{ input() }

type (
	// timeout: the deadline has passed.
	timeout struct{}
	// received: packet was heard, in a frame from the hardware address from.
	received struct {
		packet *arp.Packet
		from   net.HardwareAddr
	}
	// lost: the packet of the last send did not leave the host.
	lost struct{ err error }
	// announced: the address was announced, by somebody else in this host.
	announced struct{}
)

func (timeout) input()   {}
func (received) input()  {}
func (lost) input()      {}
func (announced) input() {}

// An output is something to be done. The set is closed.
type output interface{ output() }

type (
	// send: broadcast packet on the link.
	send struct{ packet *arp.Packet }
	// verdict: the machine is through. A holder means that the address is
	// another host's; an err that the question could not be put.
	verdict struct {
		holder net.HardwareAddr
		err    error
	}
)

func (send) output()    {}
func (verdict) output() {}

// A subject is what a machine is about.
type subject struct {
	addr netip.Addr
	mac  net.HardwareAddr // of the link
	// own tells whether a hardware address is one of this host (K6). It is
	// asked only about packets that would be a conflict otherwise, since
	// it may have to ask the kernel.
	own func(net.HardwareAddr) bool
}

// foreign tells whether in comes from another host. Both addresses count: a
// packet of ours may come back through a device that put its own address on
// the frame, and programs of this host may speak for others, as VRRP does.
func (s subject) foreign(in received) bool {
	sender := in.packet.SenderHardwareAddr
	return !isNobody(sender) &&
		!bytes.Equal(sender, s.mac) && !bytes.Equal(in.from, s.mac) &&
		!s.own(sender) && !s.own(in.from)
}
