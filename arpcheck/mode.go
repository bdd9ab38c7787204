package arpcheck

import "fmt"

// A Mode says how long an address is checked before it is used.
type Mode int

// The modes.
const (
	// Fast is the default: 3 probes within a window of 200 ms, an answer
	// the moment a conflict is heard. Shorter than RFC 5227 allows; the
	// package documentation says what that gives up.
	Fast Mode = iota
	// RFC5227 keeps the times of that RFC to the letter: 4 to 7 s.
	RFC5227
	// Off sends no probes: every address passes for free at once. The
	// address is still announced and watched, as in mode Fast.
	Off
)

var modeNames = [...]string{Fast: "fast", RFC5227: "rfc5227", Off: "off"}

// ParseMode returns the mode called name: "fast", "rfc5227" or "off".
func ParseMode(name string) (Mode, error) {
	i, err := index(modeNames[:], "conflict check mode", name)
	return Mode(i), err
}

// String returns the name that [ParseMode] accepts.
func (m Mode) String() string { return nameOf(modeNames[:], "Mode", int(m)) }

// MarshalText writes the mode by its name. It fails on a value that is none
// of the modes.
func (m Mode) MarshalText() ([]byte, error) { return marshal(modeNames[:], m.String()) }

// UnmarshalText reads what [Mode.MarshalText] writes.
func (m *Mode) UnmarshalText(text []byte) error {
	v, err := ParseMode(string(text))
	if err == nil {
		*m = v
	}
	return err
}

// A Defence says what happens when another host is heard to use an address
// that is in use here (RFC 5227, section 2.4).
type Defence int

// The ways to defend an address.
const (
	// DefendOnce is the default: the first conflict is answered with one
	// announcement; a second one within DEFEND_INTERVAL is given in to
	// (RFC 5227, section 2.4, (b)).
	DefendOnce Defence = iota
	// DefendNever gives in to the first conflict (section 2.4, (a)).
	DefendNever
	// DefendAlways never gives in, but sends no more than one announcement
	// in each DEFEND_INTERVAL (section 2.4, (c)). For hosts that must not
	// lose a well-known address.
	DefendAlways
)

var defenceNames = [...]string{DefendOnce: "once", DefendNever: "never", DefendAlways: "always"}

// ParseDefence returns the defence called name: "once", "never" or "always".
func ParseDefence(name string) (Defence, error) {
	i, err := index(defenceNames[:], "address defence", name)
	return Defence(i), err
}

// String returns the name that [ParseDefence] accepts.
func (d Defence) String() string { return nameOf(defenceNames[:], "Defence", int(d)) }

// MarshalText writes the defence by its name. It fails on a value that is
// none of the defences.
func (d Defence) MarshalText() ([]byte, error) { return marshal(defenceNames[:], d.String()) }

// UnmarshalText reads what [Defence.MarshalText] writes.
func (d *Defence) UnmarshalText(text []byte) error {
	v, err := ParseDefence(string(text))
	if err == nil {
		*d = v
	}
	return err
}

func index(names []string, what, name string) (int, error) {
	for i, n := range names {
		if n == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q (known: %q)", what, name, names)
}

func nameOf(names []string, kind string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}

func marshal(names []string, name string) ([]byte, error) {
	if _, err := index(names, "value", name); err != nil {
		return nil, err
	}
	return []byte(name), nil
}
