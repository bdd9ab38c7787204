package arpcheck

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/mdlayher/arp"
	"golang.org/x/sys/unix"
)

// Numbers of RFC 826 and of the IANA registry of ARP parameters.
const (
	hwEthernet = 1 // Ethernet
	hwIEEE802  = 6 // IEEE 802 networks, in practice another name for Ethernet

	hardwareLen = 6
	ipLen       = 4

	// packetLen is the length of an ARP packet for such addresses:
	//
	//	 0  2 bytes: hardware type
	//	 2  2 bytes: protocol type
	//	 4  1 byte:  length of hardware addresses
	//	 5  1 byte:  length of protocol addresses
	//	 6  2 bytes: operation
	//	 8  6 bytes: sender hardware address
	//	14  4 bytes: sender IP address
	//	18  6 bytes: target hardware address
	//	24  4 bytes: target IP address
	packetLen = 28
)

// Why a frame is no ARP packet for us.
var (
	errShort     = errors.New("short")
	errHardware  = errors.New("not for Ethernet")
	errProtocol  = errors.New("not for IPv4")
	errOperation = errors.New("neither request nor reply")
)

// parse reads an ARP packet from b, which may be padded. The kernel's filter
// has checked the same fields; but it was written by us too, and nobody should
// have to trust it to read this package safely. arp.Packet checks none of them.
func parse(b []byte) (*arp.Packet, error) {
	if len(b) < packetLen {
		return nil, fmt.Errorf("ARP packet of %d bytes: %w", len(b), errShort)
	}
	p := new(arp.Packet)
	if err := p.UnmarshalBinary(b); err != nil {
		return nil, fmt.Errorf("ARP packet of %d bytes: %w", len(b), err)
	}
	switch {
	// Linux takes either type for the other (RFC 1390 asks for it).
	case p.HardwareType != hwEthernet && p.HardwareType != hwIEEE802, p.HardwareAddrLength != hardwareLen:
		return nil, fmt.Errorf("ARP packet of hardware type %d, length %d: %w", p.HardwareType, p.HardwareAddrLength, errHardware)
	case p.ProtocolType != unix.ETH_P_IP, p.IPLength != ipLen:
		return nil, fmt.Errorf("ARP packet of protocol %#04x, length %d: %w", p.ProtocolType, p.IPLength, errProtocol)
	case p.Operation != arp.OperationRequest && p.Operation != arp.OperationReply:
		return nil, fmt.Errorf("ARP packet with operation %d: %w", p.Operation, errOperation)
	}
	return p, nil
}

// request returns an ARP request from mac for target. With sender 0.0.0.0 it
// is a probe (K4), with sender equal to target an announcement (K9). Both
// leave the target hardware address zero (RFC 5227, sections 1.1 and 2.3).
func request(mac net.HardwareAddr, sender, target netip.Addr) *arp.Packet {
	return &arp.Packet{
		HardwareType:       hwEthernet,
		ProtocolType:       unix.ETH_P_IP,
		HardwareAddrLength: hardwareLen,
		IPLength:           ipLen,
		Operation:          arp.OperationRequest,
		SenderHardwareAddr: mac,
		SenderIP:           sender,
		TargetHardwareAddr: make(net.HardwareAddr, hardwareLen),
		TargetIP:           target,
	}
}

func probePacket(mac net.HardwareAddr, addr netip.Addr) *arp.Packet {
	return request(mac, netip.IPv4Unspecified(), addr)
}

func announcement(mac net.HardwareAddr, addr netip.Addr) *arp.Packet {
	return request(mac, addr, addr)
}

// isProbe tells whether p asks if somebody holds its target address, without
// claiming an address itself.
func isProbe(p *arp.Packet) bool {
	return p.Operation == arp.OperationRequest && p.SenderIP.IsUnspecified()
}

// isAnnouncement tells whether p claims an address and asks for nothing: a
// gratuitous ARP, as a request (RFC 5227) or as a reply (RFC 5944, section 4.6).
func isAnnouncement(p *arp.Packet) bool {
	return !p.SenderIP.IsUnspecified() && p.SenderIP == p.TargetIP
}

// isNobody tells whether mac is all zero. No host has that address; some
// devices ask with it to see whether an address still answers.
func isNobody(mac net.HardwareAddr) bool {
	for _, b := range mac {
		if b != 0 {
			return false
		}
	}
	return true
}
