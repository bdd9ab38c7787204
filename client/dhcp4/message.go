package dhcp4

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// The places of the fields (RFC 2131, figure 1).
const (
	offCHAddr  = 28
	offSName   = 44
	offFile    = 108
	offCookie  = 236
	offOptions = 240

	lenCHAddr = 16
	lenSName  = 64
	lenFile   = 128

	// Old relays drop anything shorter than a BOOTP message (RFC 1542,
	// section 2.1).
	minLength = 300
)

// cookie is 99.130.83.99, which tells DHCP options from those of BOOTP (RFC
// 2131, section 3).
const cookie = 0x63825363

// A Message is one DHCP message. The fields are those of RFC 2131, figure 1;
// hlen is the length of CHAddr. Addresses that are the zero Addr are written
// as 0.0.0.0; Parse always gives IPv4 addresses.
type Message struct {
	Op                             Op
	HType                          HType
	Hops                           uint8
	XID                            uint32
	Secs                           uint16
	Flags                          uint16
	CIAddr, YIAddr, SIAddr, GIAddr netip.Addr
	CHAddr                         HardwareAddr

	// SName and File are empty if they carried options instead (option
	// overload).
	SName, File string

	Options Options

	// Problems are what Parse passed over: an option that runs past its
	// field, an overload that makes no sense. They are for logs.
	Problems []error
}

// Why Parse refuses a message.
var (
	ErrShort     = errors.New("shorter than the fixed fields of DHCP (240 bytes)")
	ErrOp        = errors.New("op is neither 1 nor 2")
	ErrHLen      = errors.New("hardware address longer than 16 bytes")
	ErrCookie    = errors.New("no DHCP magic cookie")
	ErrNoType    = errors.New("no message type (option 53)")
	ErrEssential = errors.New("essential option is malformed") // 51, 53 or 54
)

// parsed keeps a message and what it refers to in one piece of memory. Its
// sizes fit what servers send; more is allocated when more comes.
type parsed struct {
	msg  Message
	data [590]byte // a DHCP message that every client must accept: 576 less the headers, and some
	opts [28]RawOption
}

// Parse reads one message, the payload of a UDP datagram. It keeps no
// reference to b. Options are read in the order options field, file, sname
// (RFC 3396, section 5); several of one code are joined. A malformed option is
// found when it is read, see [Option.Get]; only a malformed 51, 53 or 54
// refuses the message.
func Parse(b []byte) (*Message, error) {
	if len(b) < offOptions {
		return nil, ErrShort
	}
	switch {
	case Op(b[0]) != OpRequest && Op(b[0]) != OpReply:
		return nil, ErrOp
	case b[2] > lenCHAddr:
		return nil, ErrHLen
	case binary.BigEndian.Uint32(b[offCookie:]) != cookie:
		return nil, ErrCookie
	}
	p := new(parsed)
	b = append(p.data[:0:len(p.data)], b...)
	m := &p.msg
	m.Op, m.HType, m.Hops = Op(b[0]), HType(b[1]), b[3]
	m.XID = binary.BigEndian.Uint32(b[4:])
	m.Secs = binary.BigEndian.Uint16(b[8:])
	m.Flags = binary.BigEndian.Uint16(b[10:])
	m.CIAddr, m.YIAddr, m.SIAddr, m.GIAddr = addrAt(b, 12), addrAt(b, 16), addrAt(b, 20), addrAt(b, 24)
	end := offCHAddr + int(b[2])
	m.CHAddr = HardwareAddr(b[offCHAddr:end:end])
	m.Options = p.opts[:0]
	m.readOptions(b)
	return m, m.essentials()
}

func addrAt(b []byte, i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }

// essentials refuses a message without which nothing can be done.
func (m *Message) essentials() error {
	if _, err := MsgType.Get(m.Options); errors.Is(err, ErrUnset) {
		return ErrNoType
	} else if err != nil {
		return fmt.Errorf("%w: %w", ErrEssential, err)
	}
	if _, err := LeaseTime.Get(m.Options); err != nil && !errors.Is(err, ErrUnset) {
		return fmt.Errorf("%w: %w", ErrEssential, err)
	}
	if _, err := ServerID.Get(m.Options); err != nil && !errors.Is(err, ErrUnset) {
		return fmt.Errorf("%w: %w", ErrEssential, err)
	}
	return nil
}

// Type returns the message type, or 0 if there is none.
func (m *Message) Type() MessageType {
	t, err := MsgType.Get(m.Options)
	if err != nil {
		return 0
	}
	return t
}

// Append appends the message as it goes on the wire to b: the message type
// first, the other options in their order, the end option, and zeros up to 300
// bytes. The error is about what has no room in the format.
func (m *Message) Append(b []byte) ([]byte, error) {
	switch {
	case len(m.CHAddr) > lenCHAddr:
		return b, fmt.Errorf("chaddr: %w", ErrHLen)
	case len(m.SName) >= lenSName:
		return b, fmt.Errorf("sname: %d bytes, at most %d fit", len(m.SName), lenSName-1)
	case len(m.File) >= lenFile:
		return b, fmt.Errorf("file: %d bytes, at most %d fit", len(m.File), lenFile-1)
	}
	for i := range m.Options {
		if c := m.Options[i].Code; c == codePad || c == codeEnd {
			return b, fmt.Errorf("option %d has no value (RFC 2132, section 3)", uint8(c))
		}
	}
	start := len(b)
	b = append(b, make([]byte, offOptions)...)
	f := b[start:]
	f[0], f[1], f[2], f[3] = byte(m.Op), byte(m.HType), byte(len(m.CHAddr)), m.Hops
	binary.BigEndian.PutUint32(f[4:], m.XID)
	binary.BigEndian.PutUint16(f[8:], m.Secs)
	binary.BigEndian.PutUint16(f[10:], m.Flags)
	for i, a := range [...]netip.Addr{m.CIAddr, m.YIAddr, m.SIAddr, m.GIAddr} {
		if a.IsValid() {
			if !a.Is4() {
				return b[:start], fmt.Errorf("address %v is not IPv4", a)
			}
			v := a.As4()
			copy(f[12+4*i:], v[:])
		}
	}
	copy(f[offCHAddr:], m.CHAddr)
	copy(f[offSName:], m.SName)
	copy(f[offFile:], m.File)
	binary.BigEndian.PutUint32(f[offCookie:], cookie)
	b = m.Options.append(b)
	b = append(b, byte(codeEnd))
	if n := minLength - (len(b) - start); n > 0 {
		b = append(b, make([]byte, n)...)
	}
	return b, nil
}
