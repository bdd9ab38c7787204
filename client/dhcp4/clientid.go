package dhcp4

import (
	"encoding/binary"
	"fmt"
)

// ClientID is a client identifier (option 61): a type byte and what it says
// (RFC 2132, section 9.14).
type ClientID []byte

// The types of client identifiers that we make.
const clientIDTypeDUID = 255 // RFC 4361, section 6.1

// HardwareClientID returns the client identifier made of a hardware type and
// address.
func HardwareClientID(h HType, a HardwareAddr) ClientID {
	return append(ClientID{byte(h)}, a...)
}

// DUIDClientID returns the client identifier of RFC 4361, section 6.1: the
// same DUID as in DHCPv6, and an IAID that tells the host's links apart.
func DUIDClientID(iaid uint32, duid []byte) ClientID {
	id := binary.BigEndian.AppendUint32(ClientID{clientIDTypeDUID}, iaid)
	return append(id, duid...)
}

// String returns "01:02:00:5e:10:00:01".
func (id ClientID) String() string { return HardwareAddr(id).String() }

var clientID = &form[ClientID]{
	parse: func(b []byte) (ClientID, string) {
		if len(b) < 2 {
			return nil, fmt.Sprintf("%d bytes, want 2 or more", len(b))
		}
		return b, ""
	},
	write:   func(b []byte, v ClientID) ([]byte, string) { return append(b, v...), "" },
	show:    ClientID.String,
	scan:    func(s string) (ClientID, error) { v, err := scanHex(s); return v, err },
	data:    func(v ClientID) any { return v.String() },
	example: "01:02:00:5e:10:00:01",
}
