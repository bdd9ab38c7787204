// Package resolv hands the name servers of leases to whatever resolves names
// on this host. A [Backend] is one way to do that; [File] writes resolv.conf.
//
// What stood in the file before is kept in a state directory, noted down before
// the file is touched, and so is every text of ours. A process may die at any
// instruction: the next one compares what stands in the file with what is noted,
// and finishes what was begun.
//
//	noted: before, ours ──► file: ours ──► … ──► noted: no links ──► file: before ──► nothing noted
package resolv

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Config is what one link's lease says of names.
type Config struct {
	Servers []netip.Addr `json:"servers,omitempty"` // option 6, the preferred first
	Domain  string       `json:"domain,omitempty"`  // option 15
	Search  []string     `json:"search,omitempty"`  // option 119
}

// IsZero reports whether c says nothing.
func (c Config) IsZero() bool { return len(c.Servers) == 0 && c.Domain == "" && len(c.Search) == 0 }

// Equal reports whether c and o say the same.
func (c Config) Equal(o Config) bool {
	return slices.Equal(c.Servers, o.Servers) && c.Domain == o.Domain && slices.Equal(c.Search, o.Search)
}

// A Backend configures a resolver. Links are told apart by their names.
type Backend interface {
	// Set makes the resolver use c for link, in place of what was set for
	// it before. The error is a *ManagedError if the resolver is in other
	// hands, and a *StateError if it could not be put back later.
	Set(link string, c Config) error

	// Unset takes link's part away, and with the last one puts back what
	// stood there before the first Set.
	Unset(link string) error

	// Holds reports whether there is anything for Unset to do.
	Holds(link string) bool

	// Rename gives the part of one link to another, and the other's to it.
	Rename(from, to string) error
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

// Holds returns false.
func (None) Holds(string) bool { return false }

// Rename does nothing.
func (None) Rename(string, string) error { return nil }
