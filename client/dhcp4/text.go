package dhcp4

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes s safe for a terminal and a log line: control bytes and what
// is not UTF-8 are escaped.
func printable(s string) string {
	clean := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	if strings.IndexFunc(s, clean) < 0 {
		return s
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// freeText is text for people. Trailing NULs are lost, one within is a fault
// (RFC 2132, section 2).
var freeText = &form[string]{
	parse: func(b []byte) (string, string) {
		b = bytes.TrimRight(b, "\x00")
		switch {
		case len(b) == 0:
			return "", "empty"
		case bytes.IndexByte(b, 0) >= 0:
			return "", "a NUL within the text"
		}
		return string(b), ""
	},
	write:   func(b []byte, v string) ([]byte, string) { return append(b, v...), "" },
	show:    func(v string) string { return v },
	scan:    func(s string) (string, error) { return s, nil },
	data:    func(v string) any { return printable(v) },
	example: "text",
}

// hostName is a host or domain name that is safe to hand on: to a file, an
// environment, a log.
var hostName = &form[string]{
	parse: func(b []byte) (string, string) {
		s, why := freeText.parse(b)
		if why != "" {
			return "", why
		}
		s = strings.TrimSuffix(s, ".")
		return s, badName(s)
	},
	write:   freeText.write,
	show:    freeText.show,
	scan:    freeText.scan,
	example: "host.example",
}

// zoneName is the name of a time zone, as the TZ database writes them: parts of
// letters, digits and a few signs between slashes, none of which leads out of a
// folder (RFC 4833, section 3). Whether there is such a zone, the host knows.
var zoneName = &form[string]{
	parse: func(b []byte) (string, string) {
		s, why := freeText.parse(b)
		if why == "" {
			why = badZone(s)
		}
		if why != "" {
			return "", why
		}
		return s, ""
	},
	write:   freeText.write,
	show:    freeText.show,
	scan:    freeText.scan,
	example: "Europe/Berlin",
}

func badZone(s string) string {
	if len(s) > 255 {
		return fmt.Sprintf("a name of %d bytes", len(s))
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || part[0] == '.' || part[0] == '-' {
			return "a time zone with an empty part, or one that begins with a dot or a hyphen"
		}
		for i := range len(part) {
			switch c := part[i]; {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '+':
			default:
				return fmt.Sprintf("%q in a time zone", c)
			}
		}
	}
	return ""
}

// badName tells what is wrong with a name: labels of letters, digits, hyphens
// and underscores, at most 63 bytes each and 255 in all (RFC 1035, section
// 2.3.4; the underscore is used in practice). What else a name may hold has
// been a way into shells and files.
func badName(s string) string {
	if len(s) == 0 || len(s) > 253 { // 255 on the wire
		return fmt.Sprintf("a name of %d bytes", len(s))
	}
	for label := range strings.SplitSeq(s, ".") {
		if why := badLabel(label); why != "" {
			return why
		}
	}
	return ""
}

func badLabel[S string | []byte](label S) string {
	if len(label) == 0 || len(label) > 63 {
		return fmt.Sprintf("a label of %d bytes in a name", len(label))
	}
	for i := range len(label) {
		switch c := label[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_':
		case c == '-' && i > 0: // a leading one looks like a flag to programs
		default:
			return fmt.Sprintf("%q in a name", c)
		}
	}
	return ""
}
