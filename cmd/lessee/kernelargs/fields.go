package kernelargs

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// join is one error of several, in one line; nil if all are.
func join(errs ...error) error {
	var said []string
	for _, err := range errs {
		if err != nil && !slices.Contains(said, err.Error()) {
			said = append(said, err.Error())
		}
	}
	if said == nil {
		return nil
	}
	return errors.New(strings.Join(said, "; "))
}

// split parts fields at colons that are not in brackets, where IPv6 addresses
// are.
func split(value string) (fields []string) {
	begin, deep := 0, false
	for i := range len(value) {
		switch {
		case value[i] == '[':
			deep = true
		case value[i] == ']':
			deep = false
		case value[i] == ':' && !deep:
			fields = append(fields, value[begin:i])
			begin = i + 1
		}
	}
	return append(fields, value[begin:])
}

// isDevice reports whether the kernel may have a link of that name.
func isDevice(name string) bool {
	if name == "" || len(name) > 15 || name == "." || name == ".." || isAddress(name) {
		return false
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' || name[i] == '/' || name[i] == ':' {
			return false
		}
	}
	return true
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return err == nil
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// isHostName reports whether a name has letters, digits, hyphens and dots
// alone, and none of its labels is empty or too long.
func isHostName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' {
			return false
		}
		for i := range len(label) {
			switch c := label[i] | 0x20; {
			case 'a' <= c && c <= 'z', '0' <= label[i] && label[i] <= '9', label[i] == '-':
			default:
				return false
			}
		}
	}
	return true
}
