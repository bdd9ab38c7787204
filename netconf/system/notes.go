package system

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// Place is where things are noted down.
type Place struct {
	RunDir   string // what ends with the boot
	StateDir string // what does not
	BootID   string // tells one run of the kernel from another

	// Step, if not nil, is called before each change to the host, with what
	// is about to be done. Tests die there.
	Step func(what string)

	// Dry, if not nil, is called in the place of each change to the host,
	// with what would be done, as a command or in words. Nothing is noted.
	Dry func(what string)
}

// files is the way to change the host's files.
func (p Place) files(sync bool) *atomicfile.Files {
	return &atomicfile.Files{Sync: sync, Step: p.Step, Dry: p.Dry}
}

// notes is the way to change what is noted, which nobody wants to hear of.
func (p Place) notes(sync bool) *atomicfile.Files {
	f := p.files(sync)
	if f.Dry != nil {
		f.Dry = func(string) {}
	}
	return f
}

func (p Place) step(what string) {
	if p.Step != nil {
		p.Step(what)
	}
}

// A NoteError says that what stood on the host could not be noted down. It was
// left alone, because nobody could put it back.
type NoteError struct {
	What string
	Err  error
}

// Error says what was left alone, and why.
func (e *NoteError) Error() string {
	return fmt.Sprintf("%s is left alone, because nobody could put it back: %v", e.What, e.Err)
}

// Unwrap returns what went wrong.
func (e *NoteError) Unwrap() error { return e.Err }

// A ledger is a file in which is noted what was done to one thing, by all links
// and all processes.
type ledger struct {
	files  *atomicfile.Files
	path   string
	bootID string // of the run of the kernel that it is about; "": it outlives them
	what   string // it is about
}

// notes are what is noted: who says what, and what became of it.
type notes struct {
	BootID string `json:"boot_id,omitempty"`
	Links  links  `json:"links,omitempty"`

	// Of a name or a zone.
	Set  string `json:"set,omitempty"`  // by us, the last one
	Was  string `json:"was,omitempty"`  // by us, the one before it, which may still be there
	Done bool   `json:"done,omitempty"` // Set has been there

	// What stood before us.
	Name      string `json:"name,omitempty"`
	Localtime *stand `json:"localtime,omitempty"`
	Timezone  *stand `json:"timezone,omitempty"`

	// Of time servers.
	Untold []string `json:"untold,omitempty"` // the programs whose files change, and that have yet to read them
	Made   []string `json:"made,omitempty"`   // folders, the outer ones first
}

// begun reports whether a process may have died before it was done.
func (n *notes) begun() bool { return n.Set != "" && !n.Done || len(n.Untold) > 0 }

// A page is what a ledger says.
type page struct {
	*ledger
	notes
	known bool // it says anything at all
	text  []byte
}

// read returns what is noted. What is about another run of the kernel is void.
// With an error the page is empty.
func (l *ledger) read() (p *page, err error) {
	p = &page{ledger: l}
	b, err := atomicfile.Read(l.path)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &p.notes)
	}
	if err == nil && p.BootID == l.bootID {
		p.known, p.text = true, b
		return p, nil
	}
	p = &page{ledger: l}
	if err != nil {
		err = fmt.Errorf("%s: %w", l.path, err)
	}
	return p, err
}

// holds reports whether there is anything to undo for a link; whatever link it
// is about, if a process died over it.
func (l *ledger) holds(link string) bool {
	p, err := l.read()
	return err != nil || atomicfile.Littered(l.path) || p.known && (len(p.Links) == 0 || p.begun() || p.Links.has(link))
}

// links are those of which anything is noted.
func (l *ledger) links() []string {
	p, _ := l.read() // without it there are none
	return p.Links.names()
}

// change runs f on what is noted, while nobody else can.
func (l *ledger) change(f func(p *page) error) error {
	if l.files.Dry != nil {
		p, err := l.read()
		return errors.Join(err, f(p))
	}
	dir := filepath.Dir(l.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &NoteError{l.what, err}
	}
	unlock, err := atomicfile.Lock(dir)
	if err != nil {
		return &NoteError{l.what, err}
	}
	defer unlock()
	p, err := l.read()
	if err != nil {
		// Not what we wrote. It is set aside for people to look at, and
		// we begin anew.
		if err := os.Rename(l.path, l.path+".broken"); err != nil {
			return &NoteError{l.what, err}
		}
	}
	return f(p)
}

// unset takes a link's say away, and lets settle do what follows from that.
func (l *ledger) unset(link string, settle func(*page) error) error {
	if !l.holds(link) {
		return nil
	}
	return l.change(func(p *page) error {
		p.Links.take(link)
		return settle(p)
	})
}

// rename gives the say of one link to another, and the other's to it, and lets
// settle do what follows from that.
func (l *ledger) rename(from, to string, settle func(*page) error) error {
	if p, err := l.read(); err == nil && !p.Links.has(from) && !p.Links.has(to) {
		return nil
	}
	return l.change(func(p *page) error {
		p.Links = p.Links.rename(from, to)
		return settle(p)
	})
}

// save notes the page down, if there is anything new on it.
func (p *page) save() error {
	p.BootID = p.bootID
	b, err := json.MarshalIndent(&p.notes, "", "  ")
	if err != nil {
		return err
	}
	if b = append(b, '\n'); bytes.Equal(b, p.text) {
		return p.files.Sweep(p.path)
	}
	if err := p.files.Replace(p.path, b, atomicfile.Mine(0o600)); err != nil {
		return &NoteError{p.what, err}
	}
	p.known, p.text = true, b
	return nil
}

// revert notes that nothing came of what was going to be done, so that nobody
// need undo it: it is as it was before, ours or not.
func (p *page) revert(before notes, ours bool) error {
	if !ours {
		before = notes{BootID: before.BootID, Links: before.Links}
	}
	p.notes = before
	return p.save()
}

// forget removes the page.
func (p *page) forget() error {
	if err := p.files.Remove(p.path); err != nil {
		return fmt.Errorf("what is noted of %s: %w", p.what, err)
	}
	return nil
}
