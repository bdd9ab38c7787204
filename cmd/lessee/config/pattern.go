package config

import (
	"errors"
	"path"
	"strings"
)

// A Pattern names links: one, or all of a kind. "en*" is every link of this
// host's own namespace whose name begins so, "eth0@blue" is the one in network
// namespace blue, and "*@*" all in all namespaces that have a name. The letters
// are those of [path.Match].
type Pattern struct {
	name, netns string
	elsewhere   bool // in a namespace with a name
}

// ParsePattern reads a pattern.
func ParsePattern(text string) (Pattern, error) {
	var p Pattern
	p.name, p.netns, p.elsewhere = strings.Cut(text, "@")
	if why := BadLinkName(p.name); why != "" {
		return p, errors.New(why)
	}
	if why := BadLinkName(p.netns); p.elsewhere && why != "" {
		return p, errors.New("the namespace: " + why)
	}
	for _, part := range []string{p.name, p.netns} {
		if _, err := path.Match(part, ""); err != nil {
			return p, errors.New("a bracket or a backslash at the end means nothing")
		}
	}
	return p, nil
}

// Exact reports whether there can be one link only that the pattern names.
func (p Pattern) Exact() bool { return !strings.ContainsAny(p.name+p.netns, `*?[\`) }

// Match reports whether the pattern names link, which is NAME or NAME@NETNS.
func (p Pattern) Match(link string) bool {
	name, netns, elsewhere := strings.Cut(link, "@")
	return elsewhere == p.elsewhere && matches(p.name, name) && matches(p.netns, netns)
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// BadLinkName tells why the kernel has no link of that name; "" if it may.
func BadLinkName(name string) string {
	switch {
	case name == "" || name == "." || name == "..":
		return "not a name"
	case len(name) > 127: // alternative names; the kernel's own have 15
		return "too long for a name"
	case strings.ContainsAny(name, "/: \t\n\x00"):
		return "a character that names cannot have"
	}
	return ""
}

// String is the pattern as it was written.
func (p Pattern) String() string {
	if p.elsewhere {
		return p.name + "@" + p.netns
	}
	return p.name
}

// Namespace is the part behind the @, which may be a pattern too; "" is the
// agent's own.
func (p Pattern) Namespace() string { return p.netns }
