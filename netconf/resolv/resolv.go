// Package resolv hands the name servers of leases to whatever resolves names
// on this host. A [Backend] is one way to do that; [File] writes resolv.conf.
package resolv

import (
	"fmt"
	"net/netip"
)

// Config is what one link's lease says of names.
type Config struct {
	Servers []netip.Addr `json:"servers,omitempty"` // option 6, the preferred first
	Domain  string       `json:"domain,omitempty"`  // option 15
	Search  []string     `json:"search,omitempty"`  // option 119
}

// IsZero reports whether c says nothing.
func (c Config) IsZero() bool { return len(c.Servers) == 0 && c.Domain == "" && len(c.Search) == 0 }

// A Backend configures a resolver. Links are told apart by their names.
type Backend interface {
	// Set makes the resolver use c for link, in place of what was set for
	// it before. The error is a *ManagedError if the resolver is in other
	// hands.
	Set(link string, c Config) error

	// Unset takes link's part away, and with the last one puts back what
	// stood there before the first Set.
	Unset(link string) error
}

// A ManagedError says that somebody else manages the resolver.
type ManagedError struct {
	Path string
	By   string
}

// Error says who.
func (e *ManagedError) Error() string {
	return fmt.Sprintf("%s belongs to %s, which is left to do its work", e.Path, e.By)
}

// None is the backend that leaves names alone.
type None struct{}

// Set does nothing.
func (None) Set(string, Config) error { return nil }

// Unset does nothing.
func (None) Unset(string) error { return nil }
