package kernelargs

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Parse reads a command line as /proc/cmdline has it. It takes any text.
func Parse(line string) *Args {
	p := &parser{args: &Args{}}
	for _, w := range words(line) {
		p.word(w)
	}
	if p.noBootIF {
		p.args.BootIF = ""
	}
	return p.args
}

// A parser reads words one after the other.
type parser struct {
	args     *Args
	noBootIF bool
}

// word reads one word. To know another one, add a case.
func (p *parser) word(w word) {
	key, value, hasValue := w.parts()
	var err error
	switch key {
	case "ip", "nfsaddrs":
		if hasValue {
			err = p.ip(value)
		}
	case "BOOTIF":
		p.args.BootIF, err = hardware(value)
	case "rd.bootif":
		p.noBootIF, err = off(value, hasValue)
	case "rd.neednet":
		p.args.NoNet, err = off(value, hasValue)
	case "rd.peerdns":
		p.args.NoPeerDNS, err = off(value, hasValue)
	case "nameserver":
		var a netip.Addr
		if a, err = address("the name server", value); a.IsValid() {
			p.args.NameServers = append(p.args.NameServers, a)
		}
	case "rd.net.timeout.dhcp":
		p.args.Timeout, err = seconds(value)
	case "rd.net.timeout.carrier":
		p.args.Carrier, err = seconds(value)
	case "rd.net.dhcp.retry":
		p.args.Retry, err = count(value)
	case "rd.net.dhcp.vendor-class":
		p.args.VendorClass, err = text(value)
	case "rd.route":
		err = errors.New("static routes are not this program's (dracut's own network modules add them, or ip route add in a script that runs after it)")
	case "ifname", "bond", "team", "bridge", "vlan", "bootdev":
		err = errors.New("links are made and named by others (dracut's own network modules, or ip link in a script); one that appears takes part")
	}
	if err != nil {
		p.args.Notices = append(p.args.Notices, Notice{w.number, w.column, w.text, err.Error()})
	}
}

// off reads a switch, and tells whether it is off.
func off(value string, hasValue bool) (bool, error) {
	switch value {
	case "0", "no", "off":
		return true, nil
	case "1", "yes", "on":
		return false, nil
	}
	if !hasValue {
		return false, nil
	}
	return false, errors.New("want 0 or 1")
}

// The longest wait and the most tries. More is a slip of the keyboard.
const (
	maxSeconds = 24 * 60 * 60
	maxCount   = 1000
)

func seconds(value string) (time.Duration, error) {
	n, err := number(value, maxSeconds)
	return time.Duration(n) * time.Second, err
}

func count(value string) (int, error) { return number(value, maxCount) }

func number(value string, most int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("want a number from 1 to %d", most)
	}
	return n, nil
}

// text reads what is sent to servers.
func text(value string) (string, error) {
	if value == "" || len(value) > 255 {
		return "", errors.New("want a text of 1 to 255 bytes")
	}
	return value, nil
}

// address reads an IPv4 address of a host; empty is none.
func address(what, value string) (netip.Addr, error) {
	if value == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(strings.Trim(value, "[]"))
	switch {
	case err != nil:
		return netip.Addr{}, fmt.Errorf("%s: %q is no address", what, value)
	case !a.Is4():
		return netip.Addr{}, fmt.Errorf("%s: IPv6 is not this program's", what)
	case a.IsUnspecified(): // as good as nothing
		return netip.Addr{}, nil
	case a.As4()[0] == 0 || a.As4()[0] >= 224:
		return netip.Addr{}, fmt.Errorf("%s: %v is not the address of a host", what, a)
	}
	return a, nil
}

// hardware reads an address of six bytes, with colons or hyphens, after the
// type of the hardware as PXELINUX writes it, or without.
func hardware(value string) (string, error) {
	parts := strings.FieldsFunc(strings.ToLower(value), func(r rune) bool { return r == ':' || r == '-' })
	if len(parts) == 7 {
		parts = parts[1:]
	}
	bad := len(parts) != 6
	for _, part := range parts {
		if _, err := strconv.ParseUint(part, 16, 8); err != nil || len(part) != 2 {
			bad = true
		}
	}
	if bad {
		return "", errors.New("want a hardware address such as 01-52-54-00-12-34-56")
	}
	return strings.Join(parts, ":"), nil
}
