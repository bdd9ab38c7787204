package resolv

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// A Difference is found by a rehearsal: the very code that makes a change, with
// what would change anything taken out of it.

// Difference returns the file's change as diff -u prints it.
func (f *File) Difference(link string, c Config) ([]string, error) {
	d := &File{path: f.path, dir: f.dir, said: said{links: f.said.copied()}, dry: &before{}}
	now, err := look(f.path)
	if err == nil {
		*d.dry = now
		s, _ := d.load() // what cannot be read is set aside, and counts for nothing
		switch err = c.check(); {
		case err != nil:
		case !c.IsZero():
			err = d.set(&s, link, c)
		case s.known:
			err = d.unset(&s, link)
		}
	}
	lines := unified(f.path, now, *d.dry)
	if err != nil {
		err = fmt.Errorf("name servers of %s: %w", link, explain(err))
	}
	return lines, err
}

// Difference returns what the program would be run for, with the text on its
// standard input, as a shell would do it. It is told again what it was told
// before: somebody may have taken that away.
func (r *Resolvconf) Difference(link string, c Config) (lines []string, err error) {
	d := &Resolvconf{dir: r.dir, dry: func(stdin string, args []string) {
		line := "resolvconf " + strings.Join(args, " ")
		if stdin != "" {
			line = fmt.Sprintf(`printf '%s' | %s`, strings.ReplaceAll(stdin, "\n", `\n`), line)
		}
		lines = append(lines, line)
	}}
	switch {
	case !c.IsZero():
		err = d.Set(link, c)
	case d.Holds(link):
		err = d.Unset(link)
	}
	return lines, err
}

// Difference returns what differs as commands of resolvectl(1). That a link is
// no longer said to answer for all names takes a revert; what an operator has
// set there beside name servers and domains is set again after it, and not
// among the commands.
func (r *Resolved) Difference(link string, c Config) ([]string, error) {
	d := &Resolved{socket: r.socket, dir: r.dir, said: said{links: r.said.copied()}, dry: &rehearsal{links: map[int]linkState{}}}
	var err error
	switch {
	case !c.IsZero():
		err = d.Set(link, c)
	case d.Holds(link):
		err = d.Unset(link)
	}
	return d.dry.commands, err
}

// A rehearsal is a conversation with systemd-resolved in which it is only asked,
// and what it would be told is noted.
type rehearsal struct {
	links    map[int]linkState // as they would be, by index
	commands []string
}

// rehearse notes a method that would be called, and what would come of it.
func (t talk) rehearse(method string, index int, args []any) error {
	ifi, err := net.InterfaceByIndex(index)
	if err != nil {
		return err
	}
	s, err := t.look(index)
	if err == nil {
		modes := linkModes{}
		for name, mode := range s.modes {
			modes[name] = mode
		}
		s.modes = modes
		t.dry.change(s, method, index, ifi.Name, args)
	}
	return err
}

// change takes down a command, and what it makes of a link.
func (r *rehearsal) change(s linkState, method string, index int, link string, args []any) {
	property, words := strings.TrimPrefix(method, "SetLink"), []string(nil)
	switch property {
	case "RevertLink":
		s.linkNames = linkNames{}
	case "DNS", "DNSEx":
		property, s.Servers = "DNS", nil
		s.property(strings.TrimPrefix(method, "SetLink"), args[0])
		for _, server := range s.Servers {
			words = append(words, server.String())
		}
	case "Domains":
		s.Domains = nil
		s.property(property, args[0])
		for _, d := range s.Domains {
			words = append(words, d.String())
		}
	case "DefaultRoute":
		s.Set = no
		if args[0] == true {
			s.Set = yes
		}
		words = append(words, s.Set)
	default:
		s.property(property, args[0])
		words = append(words, s.modes[property])
	}
	s.asks = len(s.Servers) > 0
	s.Default = s.Set == yes || s.Set == "" && s.implied()
	r.links[index] = s
	if len(words) == 0 && method != "RevertLink" {
		words = append(words, "''") // which unsets it
	}
	r.commands = append(r.commands, strings.Join(append([]string{"resolvectl", commandOf(property), link}, words...), " "))
}

// commandOf is resolvectl's word for a property.
func commandOf(property string) string {
	switch property {
	case "RevertLink":
		return "revert"
	case "Domains":
		return "domain"
	case "DefaultRoute":
		return "default-route"
	case "MulticastDNS":
		return "mdns"
	case modeNegative:
		return "nta"
	}
	return strings.ToLower(property)
}

// String returns the server as resolvectl takes it.
func (s linkServer) String() string {
	text := s.Addr.String()
	if s.Port != 0 {
		text = netip.AddrPortFrom(s.Addr, s.Port).String()
	}
	if s.Name != "" {
		text += "#" + s.Name
	}
	return text
}

// String returns the domain as resolvectl takes it.
func (d linkDomain) String() string {
	name := d.Name
	if name == "" {
		name = "."
	}
	if d.Route {
		name = "~" + name
	}
	return name
}
