package resolv

import (
	"errors"
	"fmt"
)

// A Backend configures a resolver. Links are told apart by their names.
type Backend interface {
	// Set makes the resolver use c for link, in place of what was set for
	// it before. The error is a *ManagedError if the resolver is in other
	// hands, and a *StateError if it could not be put back later.
	Set(link string, c Config) error

	// Unset takes link's part away, and with the last one puts back what
	// stood there before the first Set.
	Unset(link string) error

	// Difference returns what Set(link, c) would change, or, if c says
	// nothing, Unset(link): each a command, or a line of a difference as
	// diff(1) has it. It changes nothing. The error is the one that they
	// would return, as far as that can be known; a *ManagedError means that
	// nothing would be done.
	Difference(link string, c Config) ([]string, error)

	// Unused tells why the encrypted resolvers of c, or the others, are not
	// asked for link although Set has handed c over; "" if they are.
	Unused(link string, c Config) (encrypted, plain string)

	// Holds reports whether there is anything for Unset to do.
	Holds(link string) bool

	// Links returns the links that have a part, in the order in which they
	// came.
	Links() []string

	// Rename gives the part of one link to another, and the other's to it.
	Rename(from, to string) error

	// String names the resolver, for people and for telling two apart.
	String() string
}

// ErrNoFile says that what stands at the path cannot be a resolv.conf.
var ErrNoFile = errors.New("is no file")

// A ManagedError says that somebody else manages the resolver.
type ManagedError struct {
	Path string
	By   string
}

// Error says who.
func (e *ManagedError) Error() string {
	return fmt.Sprintf("%s belongs to %s, which is left to do its work", e.Path, e.By)
}

// networkd is who has links of which systemd-resolved hears from nobody else.
const networkd = "systemd-networkd"

// Passing tells whether that may be over soon, without anybody's doing, as when
// a system boots: systemd-resolved is not there yet, whose file it is, or
// systemd-networkd lets go of a link.
func (e *ManagedError) Passing() bool { return e.By == networkd || resolvedSign(e.Path) != "" }

// A StateError says that what stands in the resolver's file could not be noted
// down. The file was left alone, because nobody could put it back.
type StateError struct {
	Path string // of the resolver's file
	Err  error
}

// Error says what was left alone, and why.
func (e *StateError) Error() string {
	return fmt.Sprintf("%s is left alone, because nobody could put it back: %v", e.Path, e.Err)
}

// Unwrap returns what went wrong.
func (e *StateError) Unwrap() error { return e.Err }

// None is the backend that leaves names alone.
type None struct{}

// Set does nothing.
func (None) Set(string, Config) error { return nil }

// Unset does nothing.
func (None) Unset(string) error { return nil }

// Difference returns none.
func (None) Difference(string, Config) ([]string, error) { return nil, nil }

// Unused tells that nobody is asked.
func (None) Unused(string, Config) (encrypted, plain string) {
	return leftAlone, leftAlone
}

// leftAlone is why names go to nobody.
const leftAlone = "names are left alone, as was asked for"

// Holds returns false.
func (None) Holds(string) bool { return false }

// Links returns none.
func (None) Links() []string { return nil }

// Rename does nothing.
func (None) Rename(string, string) error { return nil }

// String returns "nobody".
func (None) String() string { return "nobody" }
