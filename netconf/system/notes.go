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
type ledger[S any] struct {
	files  atomicfile.Files
	path   string
	bootID string // of the run of the kernel that it is about; "": it outlives them
	what   string // it is about
}

// A page is what a ledger says.
type page[S any] struct {
	ledger[S]
	is    S
	known bool // it says anything at all
	text  []byte
}

// written is the form on disk.
type written[S any] struct {
	BootID string `json:"boot_id,omitempty"`
	State  S      `json:"state"`
}

// read returns what is noted. What is about another run of the kernel is void.
// With an error the page is empty.
func (l ledger[S]) read() (p page[S], err error) {
	p.ledger = l
	b, err := atomicfile.Read(l.path)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	var w written[S]
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err != nil {
		return p, fmt.Errorf("%s: %w", l.path, err)
	}
	if w.BootID == l.bootID {
		p.is, p.known, p.text = w.State, true, b
	}
	return p, nil
}

// isHalfDone reports whether a process died over writing the page.
func (p *page[S]) isHalfDone() bool { return atomicfile.Littered(p.path) }

// change runs f on what is noted, while nobody else can.
func (l ledger[S]) change(f func(p *page[S]) error) error {
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
	return f(&p)
}

// save notes the page down, if there is anything new on it.
func (p *page[S]) save() error {
	b, err := json.MarshalIndent(written[S]{p.bootID, p.is}, "", "  ")
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

// forget removes the page.
func (p *page[S]) forget() error {
	if err := p.files.Remove(p.path); err != nil {
		return fmt.Errorf("what is noted of %s: %w", p.what, err)
	}
	var none S
	p.is, p.known, p.text = none, false, nil
	return nil
}
