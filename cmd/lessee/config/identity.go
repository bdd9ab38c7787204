package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
)

// Who the client says it is, and what it sends along.

func setClientID(t *target, words []string) error {
	switch t.link.ClientID = words[0]; t.link.ClientID {
	case "mac", "duid", "none":
		return nil
	case "": // as it always was on the command line
		t.link.ClientID = "mac"
		return nil
	}
	b, err := dhcp4.ClientIdentifier.Parse(words[0])
	if err != nil {
		return fmt.Errorf("want mac, duid, none, or hexadecimal digits: %w", err)
	}
	t.link.ClientID = dhcp4.ClientID(b).String() // one way of writing, to be compared
	return nil
}

func setHostName(t *target, words []string) error {
	t.link.HostName = words[0]
	if words[0] == "" || words[0] == "none" {
		return nil
	}
	var o dhcp4.Options
	return dhcp4.HostName.Put(&o, words[0])
}

// ownName is what a host that calls itself name tells servers.
func ownName(name string) string {
	name, _, _ = strings.Cut(name, ".")
	var o dhcp4.Options
	if name == "localhost" || dhcp4.HostName.Put(&o, name) != nil {
		return ""
	}
	return name
}

func setVendorClass(t *target, words []string) error {
	t.link.Machine.VendorClass = words[0]
	if words[0] == "" {
		return nil
	}
	var o dhcp4.Options
	return dhcp4.VendorClass.Put(&o, words[0])
}

func setUserClass(t *target, words []string) error {
	for _, w := range words {
		t.link.Machine.UserClass = append(t.link.Machine.UserClass, []byte(w))
	}
	if len(words) == 0 {
		return nil
	}
	var o dhcp4.Options
	return dhcp4.UserClass.Put(&o, t.link.Machine.UserClass)
}

// setOptions reads NAME=VALUE.
func setOptions(t *target, words []string) error {
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		if !ok {
			return about(w, errors.New("want NAME=VALUE"))
		}
		code, err := parseCode(name)
		if err == nil {
			err = sendable(code)
		}
		var v []byte
		if err == nil {
			v, err = parseOption(code, value)
		}
		if err != nil {
			return about(w, err)
		}
		t.link.Machine.Options.Put(code, v)
	}
	return nil
}

// sendable refuses options that would not do what they say.
func sendable(code dhcp4.Code) error {
	switch code {
	case dhcp4.RapidCommit.Code:
		return errors.New("option 80 (rapid commit) is not supported: a lease committed that way would be dropped")
	case dhcp4.ClientIdentifier.Code:
		return errors.New("the client identifier is set by client-id, so that answers are recognized by it")
	case dhcp4.RequestedAddr.Code:
		return errors.New("an address is wished for by request-address, so that only messages that may carry the wish do")
	}
	return dhcp4.Sendable(code)
}

// parseOption reads an option's value: by its form if it is known, and as
// hexadecimal digits if it is not or if it begins with 0x.
func parseOption(code dhcp4.Code, value string) ([]byte, error) {
	if spec, known := dhcp4.ByCode(code); known && !strings.HasPrefix(value, "0x") {
		return spec.Parse(value)
	}
	return dhcp4.VendorSpecific.Parse(value)
}

// parseCode reads an option's name or number.
func parseCode(name string) (dhcp4.Code, error) {
	if spec, ok := dhcp4.ByName(name); ok {
		return spec.OptionCode(), nil
	}
	n, err := strconv.ParseUint(name, 10, 8)
	if err != nil || n == 0 || n == 255 {
		var known []string
		for _, s := range dhcp4.Specs() {
			known = append(known, s.OptionName())
		}
		return 0, fmt.Errorf("no option of that name or number (lessee options lists them)%s", meant(name, known))
	}
	return dhcp4.Code(n), nil
}

// codes sets a field that is a set of options.
func codes(field func(*target) *[]dhcp4.Code) func(*target, []string) error {
	return func(t *target, words []string) error {
		var set [256]bool
		for _, w := range words {
			c, err := parseCode(w)
			if err != nil {
				return about(w, err)
			}
			set[c] = true
		}
		for c, in := range set {
			if in {
				*field(t) = append(*field(t), dhcp4.Code(c))
			}
		}
		return nil
	}
}

// setRequest adds to what is asked for anyway; the order is the one of
// preference (RFC 2132, section 9.8).
func setRequest(t *target, words []string) error {
	t.link.Machine.Parameters = machine.DefaultParameters()
	for _, w := range words {
		c, err := parseCode(w)
		if err != nil {
			return about(w, err)
		}
		t.link.ask(c)
	}
	return nil
}

// setNoRequest takes options off the list that request, which is set before,
// has made, and off what others would add to it.
func setNoRequest(t *target, words []string) error {
	for _, w := range words {
		c, err := parseCode(w)
		if err == nil && slices.Contains([]dhcp4.Code{dhcp4.SubnetMask.Code, dhcp4.LeaseTime.Code, dhcp4.ServerID.Code}, c) {
			err = fmt.Errorf("option %d (%v) is asked for in any case: there is no lease without it", uint8(c), c)
		}
		if err != nil {
			return about(w, err)
		}
		t.link.NoRequest = append(t.link.NoRequest, c)
		t.link.Machine.Parameters = slices.DeleteFunc(t.link.Machine.Parameters, func(p dhcp4.Code) bool { return p == c })
	}
	slices.Sort(t.link.NoRequest) // one way of writing, to be compared
	t.link.NoRequest = slices.Compact(t.link.NoRequest)
	return nil
}

// ask adds to what is asked for, unless it is not to be.
func (l *Link) ask(c dhcp4.Code) {
	l.Machine.Parameters = l.Asking(l.Machine.Parameters, c)
}

// Asking returns a request list with more options at its end, but for those
// that are there already, or that are not to be asked for. The list itself is
// not changed.
func (l *Link) Asking(list []dhcp4.Code, more ...dhcp4.Code) []dhcp4.Code {
	for _, c := range more {
		if !slices.Contains(list, c) && !slices.Contains(l.NoRequest, c) {
			list = append(list[:len(list):len(list)], c)
		}
	}
	return list
}

// setMSRoutes relies on request, which is set before: a server sends option
// 249 to who asks for it.
func setMSRoutes(t *target, words []string) error {
	if t.link.Host.MSRoutes = words[0] == "true"; t.link.Host.MSRoutes {
		t.link.ask(dhcp4.MSRoutes.Code)
	}
	return nil
}
