package resolv

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// state is what is known of the file: its content before us, and ours.
type state struct {
	Path   string  `json:"path"`
	Before before  `json:"before"`
	Wrote  content `json:"wrote"`         // the last text of ours
	Was    content `json:"was,omitempty"` // the one before, which may still stand there
	Links  []part  `json:"links"`         // in the order in which they came

	known bool   // there is a state at all
	saved string // as it stands on disk
}

// part is one link's say.
type part struct {
	Link   string `json:"link"`
	Config Config `json:"config"`
}

func (s *state) part(link string) int {
	return slices.IndexFunc(s.Links, func(p part) bool { return p.Link == link })
}

func (s *state) give(link string, c Config) {
	if i := s.part(link); i >= 0 {
		s.Links[i].Config = c
		return
	}
	s.Links = append(s.Links, part{link, c})
}

// take removes link's part, and reports whether it had one.
func (s *state) take(link string) bool {
	i := s.part(link)
	if i >= 0 {
		s.Links = slices.Delete(s.Links, i, i+1)
	}
	return i >= 0
}

// isOurs reports whether what stands at the path is a text of ours: the last
// one, the one before it, or what a process that died left of one on its way
// to the other.
func (s *state) isOurs(now before) bool {
	if !s.known || now.Kind != file {
		return false
	}
	ways := [][2]content{{s.Wrote, ""}, {s.Wrote, s.Before.Text}, {s.Before.Text, s.Wrote}}
	if s.Was != "" {
		ways = append(ways, [][2]content{{s.Was, ""}, {s.Wrote, s.Was}, {s.Before.Text, s.Was}}...)
	}
	return slices.ContainsFunc(ways, func(w [2]content) bool { return now.Text == overlay(w[0], w[1]) }) &&
		now.Text != s.Before.Text
}

// overlay is what stands in a file when new was written over old and the end
// of old is not cut off yet.
func overlay(new, old content) content {
	if len(old) > len(new) {
		return new + old[len(new):]
	}
	return new
}

// statePath is where the state of the file at path is kept. The usual file has
// the short name.
func statePath(dir, path string) string {
	if path == "/etc/resolv.conf" {
		return filepath.Join(dir, "resolv.json")
	}
	return filepath.Join(dir, "resolv-"+strings.ReplaceAll(url.PathEscape(path), ".", "%2E")+".json")
}

// load reads the state. Without one, or with one that cannot be read, it
// returns an empty one.
func (f *File) load() (state, error) {
	s, err := loadState(statePath(f.dir, f.path))
	if err == nil && s.known && s.Path != f.path {
		err = fmt.Errorf("it is about %s", s.Path)
	}
	if err != nil || !s.known {
		return state{Path: f.path}, err
	}
	return s, nil
}

func loadState(path string) (s state, err error) {
	b, err := atomicfile.Read(path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return state{}, fmt.Errorf("%s: %w", path, err)
	}
	s.known, s.saved = true, string(b)
	return s, nil
}

// save notes s down, if there is anything new in it.
func (f *File) save(s *state) error {
	if f.dry != nil {
		return nil
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if b = append(b, '\n'); string(b) == s.saved {
		return nil
	}
	if err := f.files().Replace(statePath(f.dir, f.path), b, atomicfile.Mine(0o600)); err != nil {
		return &StateError{f.path, err}
	}
	s.known, s.saved = true, string(b)
	return nil
}

// forget removes the state, and what processes that died left beside it.
func (f *File) forget() error {
	if f.dry != nil {
		return nil
	}
	return errors.Join(f.files().Remove(statePath(f.dir, f.path)), f.sweep())
}

// locked runs change on the state, while no other File can.
func (f *File) locked(change func(*state) error) error {
	var s state
	load := func() (err error) {
		s, err = f.load()
		return err
	}
	return locked(statePath(f.dir, f.path), f.path, load, func() error { return change(&s) })
}
