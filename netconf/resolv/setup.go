package resolv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lessee/lessee/netconf/atomicfile"
	"github.com/lessee/lessee/netconf/dbus"
)

// Setup says which resolver is meant, and where is noted down what is done to
// it.
type Setup struct {
	Resolver string // auto, resolved, resolvconf, file or none; "": auto
	Path     string // of resolv.conf; "" or "none" leaves names alone, whatever Resolver says
	StateDir string // for what outlives a boot
	RunDir   string // for what ends with it; "": StateDir

	// Step, if not nil, is called before each change. Tests die there.
	Step func(what string)
}

// Usual is where resolv.conf is. Any other file is one that somebody asked for.
const Usual = "/etc/resolv.conf"

// Choose returns the backend for link, and why it is that one. For "auto" it
// looks at the host: who writes the usual resolv.conf, and whether he is there.
func (s Setup) Choose(link string) (b Backend, why string) {
	switch {
	case s.Path == "" || s.Path == "none" || s.Resolver == "none":
		return None{}, leftAlone
	case s.Resolver == "resolved":
		return s.resolved(), "it was asked for"
	case s.Resolver == "resolvconf":
		return s.resolvconf(), "it was asked for"
	case s.Resolver == "file":
		return s.file(s.Path), "it was asked for"
	case s.Path != Usual:
		return s.file(s.Path), "the file was asked for"
	}
	return s.look(link)
}

// look is the choice of "auto".
func (s Setup) look(link string) (Backend, string) {
	why := s.Path + " is in no other hands"
	if now, err := look(s.Path); err == nil && now.manager(s.Path) != "" { // Set will tell
		why = "nobody else can be told, and " + s.Path + " belongs to " + now.manager(s.Path)
	}
	if sign := resolvedSign(s.Path); sign != "" {
		r := s.resolved()
		err := error(nil)
		if !r.Holds(link) { // else it answered before, and does again some day
			err = r.answers()
		}
		if err == nil {
			return r, sign
		}
		why = fmt.Sprintf("%s, but systemd-resolved does not answer: %v", sign, err)
	}
	if signedBy(s.Path) == "resolvconf" {
		if p := findProgram(); p.path != "" && p.kind != systemds {
			return s.resolvconf(), fmt.Sprintf("%s manages %s", p.kind, s.Path)
		}
	}
	return s.file(s.Path), why
}

// resolvedSign tells by what resolv.conf is systemd-resolved's; "" if it is
// not.
func resolvedSign(path string) string {
	if target, err := os.Readlink(path); err == nil {
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		if strings.HasPrefix(target, "/run/systemd/resolve/") {
			return fmt.Sprintf("%s is a link to %s", path, target)
		}
	}
	text, err := atomicfile.Read(path)
	if err != nil || strings.HasPrefix(string(text), header) { // a lease may name anything
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "nameserver" && slices.Contains(stubs(), f[1]) {
			return fmt.Sprintf("%s names %s", path, f[1])
		}
	}
	return ""
}

// stubs are the addresses at which systemd-resolved answers (the second one as
// a mere proxy).
func stubs() []string {
	return []string{"127.0.0.53", "127.0.0.54"}
}

// signedBy tells which tool says that it wrote the file, following links.
func signedBy(path string) string {
	text, err := atomicfile.Read(path)
	if err != nil {
		return ""
	}
	return signature(string(text))
}

func (s Setup) runDir() string {
	if s.RunDir == "" {
		return s.StateDir
	}
	return s.RunDir
}

func (s Setup) resolved() *Resolved {
	r := NewResolved(dbus.SystemBus(), s.runDir())
	r.Step = s.Step
	return r
}

func (s Setup) resolvconf() *Resolvconf {
	r := NewResolvconf(s.runDir())
	r.Step = s.Step
	return r
}

func (s Setup) file(path string) *File {
	f := NewFile(path, s.StateDir)
	f.Step = s.Step
	return f
}

// All returns the backends that may hold something of ours, of this process's
// or an earlier one's: the file, other files that were written once, and those
// of which something is noted down.
func (s Setup) All() (out []Backend) {
	if s.Path != "" && s.Path != "none" {
		out = append(out, s.file(s.Path))
	}
	for _, path := range others(s.Path, s.StateDir) {
		out = append(out, s.file(path))
	}
	for _, b := range []interface {
		Backend
		book() book
	}{s.resolved(), s.resolvconf()} {
		if len(b.Links()) > 0 || b.book().littered() {
			out = append(out, b)
		}
	}
	return out
}

// Holds reports whether any backend has something of link's to undo.
func (s Setup) Holds(link string) bool {
	return slices.ContainsFunc(s.All(), func(b Backend) bool { return b.Holds(link) })
}

// Links returns the links that have a part in any backend, each once.
func (s Setup) Links() (out []string) {
	for _, b := range s.All() {
		out = append(out, b.Links()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Unset takes link's part from every backend but one, and returns what went
// wrong, backend by backend.
func (s Setup) Unset(link string, but Backend) (errs []error) {
	for _, b := range s.All() {
		if b.String() == but.String() {
			continue
		}
		if err := b.Unset(link); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Rename gives the part of one link to another, and the other way round, in
// every backend but one.
func (s Setup) Rename(from, to string, but Backend) error {
	var errs []error
	for _, b := range s.All() {
		if b.String() != but.String() {
			errs = append(errs, b.Rename(from, to))
		}
	}
	return errors.Join(errs...)
}
