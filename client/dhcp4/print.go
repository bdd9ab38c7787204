package dhcp4

import (
	"fmt"
	"net/netip"
	"strings"
)

// String returns the message in one line for logs: type, xid, the addresses
// that are set, and the options that decide most.
func (m *Message) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v xid=%#08x", m.Type(), m.XID)
	for _, f := range m.addrs() {
		if f.addr.IsValid() && !f.addr.IsUnspecified() {
			fmt.Fprintf(&b, " %s=%v", f.name, f.addr)
		}
	}
	for _, s := range [...]Spec{RequestedAddr, ServerID, LeaseTime, MessageText} {
		if v, ok := m.Options.Lookup(s.OptionCode()); ok {
			text, err := s.Format(v)
			if err != nil {
				text = err.Error()
			}
			fmt.Fprintf(&b, " %s=%q", strings.TrimPrefix(s.OptionName(), "dhcp-"), text)
		}
	}
	return b.String()
}

// Dump returns the message in many lines, each ended by a newline: the fields,
// then every option by name, with why if it is malformed.
func (m *Message) Dump() string {
	var b strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&b, "%-28s %v\n", name, value) }
	line("message", m.Type())
	line("xid", fmt.Sprintf("%#08x", m.XID))
	line("secs", m.Secs)
	if m.Flags != 0 {
		line("flags", fmt.Sprintf("%#04x", m.Flags))
	}
	if m.Hops != 0 {
		line("hops", m.Hops)
	}
	for _, f := range m.addrs() {
		if f.addr.IsValid() && !f.addr.IsUnspecified() {
			line(f.name, f.addr)
		}
	}
	line("chaddr", m.CHAddr)
	if m.SName != "" {
		line("sname", printable(m.SName))
	}
	if m.File != "" {
		line("file", printable(m.File))
	}
	for _, o := range m.Options {
		line(fmt.Sprintf("%3d %v", uint8(o.Code), o.Code), o)
	}
	for _, p := range m.Problems {
		line("problem", p)
	}
	return b.String()
}

// String returns the option's value for people; what is unknown or malformed
// is shown in hexadecimal digits.
func (r RawOption) String() string {
	s, ok := ByCode(r.Code)
	if !ok {
		return fmt.Sprintf("0x%x", r.Value)
	}
	text, err := s.Format(r.Value)
	if err != nil {
		return fmt.Sprintf("0x%x (%v)", r.Value, err)
	}
	return text
}

type namedAddr struct {
	name string
	addr netip.Addr
}

func (m *Message) addrs() [4]namedAddr {
	return [...]namedAddr{{"ciaddr", m.CIAddr}, {"yiaddr", m.YIAddr}, {"siaddr", m.SIAddr}, {"giaddr", m.GIAddr}}
}
