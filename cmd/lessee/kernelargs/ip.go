package kernelargs

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A method is how a link gets its address.
type method int

const (
	unknown  method = iota
	byDHCP          // for IPv4
	byNobody        // it is set otherwise, or not at all
	byOthers        // by a protocol that is not ours
)

// methods are the words for that, with what is to be said of them.
var methods = map[string]struct {
	method
	why string
}{
	"dhcp":        {byDHCP, ""},
	"on":          {byDHCP, ""},
	"any":         {byDHCP, ""},
	"all":         {byDHCP, ""}, // klibc's
	"single-dhcp": {byDHCP, ""},
	"off":         {byNobody, ""},
	"none":        {byNobody, ""},
	"static":      {byNobody, ""}, // klibc's
	"both":        {byOthers, "BOOTP and RARP are not this program's"},
	"bootp":       {byOthers, "BOOTP is not this program's"},
	"rarp":        {byOthers, "RARP is not this program's"},
	"ibft":        {byOthers, "what the firmware says (iBFT) is not this program's"},
	"dhcp6":       {byOthers, noIPv6},
	"auto6":       {byOthers, noIPv6},
	"either6":     {byOthers, noIPv6},
	"link6":       {byOthers, noIPv6},
}

const noIPv6 = "IPv6 is not this program's"

// ip reads one ip=. The error says what of it is not followed.
func (p *parser) ip(value string) error {
	fields := split(value)
	switch {
	case value == "":
		return p.by(byDHCP, "", Link{}) // the kernel's "any"
	case len(fields) == 1 && !isAddress(value):
		m, known := methods[value]
		if !known {
			p.args.Unclear = true
			return errors.New("neither a method such as dhcp, nor IFACE:dhcp, nor fields with colons")
		}
		p.args.First = p.args.First || value == "single-dhcp"
		return p.by(m.method, m.why, Link{})
	case len(fields) > 1 && methods[fields[1]].method != unknown && isDevice(fields[0]):
		return p.short(fields)
	}
	return p.long(fields)
}

// by notes what a method means for a link.
func (p *parser) by(m method, why string, l Link) error {
	if m == byDHCP {
		p.args.Links = append(p.args.Links, l)
		return nil
	}
	p.args.Refused = true
	if m == byNobody && l.Device != "" {
		p.args.Off = append(p.args.Off, l.Device)
	}
	if why != "" {
		return errors.New(why)
	}
	return nil
}

// unclear notes an ip= that makes no sense.
func (p *parser) unclear(err error) error {
	p.args.Unclear = true
	return err
}

// short reads IFACE:METHOD[:[MTU][:MAC]].
func (p *parser) short(fields []string) error {
	m := methods[fields[1]]
	l := Link{Device: fields[0]}
	err := l.mtuAndMAC(fields[2:])
	return join(p.by(m.method, m.why, l), err)
}

// mtuAndMAC reads what may follow a method in dracut's forms. The hardware
// address has colons of its own.
func (l *Link) mtuAndMAC(fields []string) (err error) {
	if len(fields) > 0 && fields[0] != "" {
		l.MTU, err = strconv.Atoi(fields[0])
		if err != nil || l.MTU < 68 || l.MTU > 65535 { // RFC 791
			l.MTU = 0
			err = errors.New("the MTU: want a number from 68 to 65535")
		}
	}
	if len(fields) > 1 && strings.Join(fields[1:], "") != "" {
		err = join(err, errors.New("the hardware address is not changed"))
	}
	return err
}

// The fields of the long form.
const (
	fieldClient = iota
	fieldServer
	fieldGateway
	fieldNetmask
	fieldHostName
	fieldDevice
	fieldMethod
	fieldMore
)

// long reads the form with all fields, of which the last ones may be missing.
func (p *parser) long(fields []string) error {
	for len(fields) < fieldMore {
		fields = append(fields, "")
	}
	m := methods[fields[fieldMethod]]
	switch {
	case fields[fieldMethod] != "" && m.method == unknown:
		return p.unclear(fmt.Errorf("the method: %q is not known", fields[fieldMethod]))
	case fields[fieldDevice] != "" && !isDevice(fields[fieldDevice]):
		return p.unclear(fmt.Errorf("the device: %q cannot be a link's name", fields[fieldDevice]))
	case m.method != byDHCP && fields[fieldClient] != "" && !isAddress(fields[fieldClient]):
		return p.unclear(fmt.Errorf("%q is neither an address nor a link with a method such as dhcp", fields[fieldClient]))
	case fields[fieldMethod] == "" && fields[fieldClient] == "":
		m.method = byDHCP // the kernel's default
	case fields[fieldMethod] == "" || m.method == byNobody && fields[fieldClient] != "":
		m.method, m.why = byNobody, "a static address is not this program's (the kernel's own autoconfiguration, klibc's ipconfig and dracut's network modules take this form)"
	}
	if m.method != byDHCP {
		if strings.HasPrefix(fields[fieldClient], "[") { // of IPv4 it says nothing
			return p.by(m.method, m.why, Link{})
		}
		return p.by(m.method, m.why, Link{Device: fields[fieldDevice]})
	}
	l := Link{Device: fields[fieldDevice]}
	err := l.hints(fields)
	return join(p.by(m.method, "", l), err)
}

// hints reads what goes with DHCP in the long form. What is wrong with them
// keeps nobody from asking a server.
func (l *Link) hints(fields []string) error {
	var errs []error
	note := func(a netip.Addr, err error) netip.Addr {
		errs = append(errs, err)
		return a
	}
	l.Addr = note(address("the client's address", fields[fieldClient]))
	server, _, _ := strings.Cut(fields[fieldServer], "/") // dracut's peer may have a length
	l.Server = note(address("the server's address", server))
	if fields[fieldGateway] != "" || fields[fieldNetmask] != "" {
		errs = append(errs, errors.New("gateway and netmask come from the server"))
	}
	if name := fields[fieldHostName]; name != "" {
		if isHostName(name) {
			l.HostName = name
		} else {
			errs = append(errs, fmt.Errorf("the host name: %q is none", name))
		}
	}
	more := fields[fieldMore:]
	if len(more) > 0 && (isNumber(more[0]) || len(more) > 6) { // a hardware address is six fields
		return join(append(errs, l.mtuAndMAC(more))...)
	}
	for i, value := range more {
		switch {
		case i < 2:
			if a := note(address("a name server", value)); a.IsValid() {
				l.NameServers = append(l.NameServers, a)
			}
		case i == 2:
			if a := note(address("a time server", value)); a.IsValid() {
				l.TimeServers = []netip.Addr{a}
			}
		case value != "":
			errs = append(errs, errors.New("nothing follows the time server"))
		}
	}
	return join(errs...)
}
