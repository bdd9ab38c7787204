package resolv

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// A ledger is the note of what was handed to a resolver that forgets it when
// the host goes down: by which link, and what stood there before. A note of
// another boot says nothing.
type ledger struct {
	BootID string   `json:"boot_id"`
	Links  []*entry `json:"links"`           // in the order in which they came
	Found  *before  `json:"found,omitempty"` // in resolv.conf, which was nobody's (see took.go)

	saved string // as it stands on disk
}

// An entry is one link's.
type entry struct {
	part
	Index int `json:"index,omitempty"` // of the link, which systemd-resolved knows it by

	// Of systemd-resolved: what it had before us, what we gave it last and
	// before that, whether we said which link answers for all names, and
	// what else is to come back once a revert was begun.
	Before linkNames `json:"before,omitzero"`
	Ours   linkNames `json:"ours,omitzero"`
	Former linkNames `json:"former,omitzero"`
	Routed bool      `json:"routed,omitempty"`
	Revert linkModes `json:"revert,omitempty"`
}

// parts are the links as the merging functions want them.
func (l *ledger) parts() (out []part) {
	for _, e := range l.Links {
		out = append(out, e.part)
	}
	return out
}

// find returns link's entry, or nil.
func (l *ledger) find(link string) *entry {
	for _, e := range l.Links {
		if e.Link == link {
			return e
		}
	}
	return nil
}

// put sets link's entry.
func (l *ledger) put(e *entry) {
	for i, have := range l.Links {
		if have.Link == e.Link {
			l.Links[i] = e
			return
		}
	}
	l.Links = append(l.Links, e)
}

// drop removes link's entry.
func (l *ledger) drop(link string) {
	l.Links = slices.DeleteFunc(l.Links, func(e *entry) bool { return e.Link == link })
}

// A book is where a ledger is kept.
type book struct {
	resolver string // that it is about, for errors
	dir      string
	name     string
	step     steps
	dry      bool // of a rehearsal: nothing is noted
}

func (b book) path() string { return filepath.Join(b.dir, b.name) }

// read returns the ledger as it stands. What cannot be read says nothing.
func (b book) read() ledger {
	l, err := b.load()
	if err != nil {
		return ledger{BootID: atomicfile.BootID()}
	}
	return l
}

func (b book) load() (ledger, error) {
	now := atomicfile.BootID()
	text, err := atomicfile.Read(b.path())
	if errors.Is(err, os.ErrNotExist) {
		return ledger{BootID: now}, nil
	}
	var l ledger
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err != nil {
		return ledger{BootID: now}, fmt.Errorf("%s: %w", b.path(), err)
	}
	if l.BootID != now || slices.Contains(l.Links, nil) {
		l.BootID, l.Links, l.Found = now, nil, nil
	}
	l.saved = string(text)
	return l, nil
}

// save notes l down, if there is anything new in it; one without links is no
// file.
func (b book) save(l *ledger) error {
	if b.dry {
		return nil
	}
	if len(l.Links) == 0 {
		if l.saved == "" {
			return nil
		}
		l.saved = ""
		return b.step.files().Remove(b.path())
	}
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	if text = append(text, '\n'); string(text) == l.saved {
		return nil
	}
	if err := b.step.files().Replace(b.path(), text, atomicfile.Mine(0o600)); err != nil {
		return &StateError{b.resolver, err}
	}
	l.saved = string(text)
	return nil
}

// locked runs change on the ledger, while nobody else can.
func (b book) locked(change func(*ledger) error) error {
	var l ledger
	if b.dry {
		l = b.read()
		return change(&l)
	}
	load := func() (err error) {
		l, err = b.load()
		return err
	}
	return locked(b.path(), b.resolver, load, func() error { return change(&l) })
}

// littered reports whether a process that died left half a note.
func (b book) littered() bool { return atomicfile.Littered(b.path()) }

// sweep removes that.
func (b book) sweep() error {
	if b.dry || !b.littered() {
		return nil
	}
	return b.locked(func(*ledger) error { return b.step.files().Sweep(b.path()) })
}

// holds reports whether link has an entry.
func (b book) holds(link string) bool {
	l := b.read()
	return l.find(link) != nil
}

// links returns the links that have one.
func (b book) links() (out []string) {
	for _, e := range b.read().Links {
		out = append(out, e.Link)
	}
	return out
}
