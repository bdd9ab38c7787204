package dhcp4

import (
	"fmt"
	"strings"
)

// Op is the first byte of a message: who speaks.
type Op uint8

// The ops of RFC 2131, section 2.
const (
	OpRequest Op = 1 // a client
	OpReply   Op = 2 // a server
)

// HType is a hardware type as IANA's ARP parameters number it.
type HType uint8

// The hardware types that a DHCP client may meet.
const (
	HTypeEthernet   HType = 1
	HTypeIEEE802    HType = 6
	HTypeFireWire   HType = 24 // RFC 2855
	HTypeInfiniBand HType = 32 // RFC 4390
)

// HardwareAddr is a link-layer address of 0 to 16 bytes.
type HardwareAddr []byte

// String returns the address as "02:00:5e:10:00:01".
func (a HardwareAddr) String() string {
	var b strings.Builder
	for i, c := range a {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02x", c)
	}
	return b.String()
}

// FlagBroadcast asks the server to broadcast its answer (RFC 2131, section
// 4.1).
const FlagBroadcast uint16 = 0x8000

// MessageType is the value of option 53 (RFC 2132, section 9.6).
type MessageType uint8

// The message types of RFC 2132, and FORCERENEW of RFC 3203. The zero
// MessageType is none.
const (
	_ MessageType = iota
	Discover
	Offer
	Request
	Decline
	ACK
	NAK
	Release
	Inform
	ForceRenew
)

var messageTypeNames = [...]string{
	Discover: "DHCPDISCOVER", Offer: "DHCPOFFER", Request: "DHCPREQUEST", Decline: "DHCPDECLINE",
	ACK: "DHCPACK", NAK: "DHCPNAK", Release: "DHCPRELEASE", Inform: "DHCPINFORM", ForceRenew: "DHCPFORCERENEW",
}

// String returns the RFC's name, such as "DHCPDISCOVER".
func (t MessageType) String() string {
	if t > 0 && int(t) < len(messageTypeNames) {
		return messageTypeNames[t]
	}
	return fmt.Sprintf("message type %d", uint8(t))
}

// Code is the number of an option.
type Code uint8

// The two codes that have no length byte (RFC 2132, section 2).
const (
	codePad Code = 0
	codeEnd Code = 255
)

// String returns the option's name, such as "routers", or "option-224".
func (c Code) String() string {
	if s, ok := ByCode(c); ok {
		return s.OptionName()
	}
	return fmt.Sprintf("option-%d", uint8(c))
}
