package resolv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// A File is a resolv.conf (resolv.conf(5)). What stood there before is kept in
// a state directory, and put back at the end, unless somebody has changed the
// file since. Its methods may be called at the same time, also by several Files
// and several processes.
type File struct {
	// Step, if not nil, is called before each change to any file, with
	// what is about to be done. Tests die there.
	Step func(what string)

	path, dir string
	said      said
	dry       *before // of a rehearsal: what would stand there
}

// NewFile returns the backend for the file at path, which keeps its state in
// the directory dir.
func NewFile(path, dir string) *File { return &File{path: path, dir: dir} }

// Set writes the file with c for link. If somebody has changed the file, that
// is left alone for as long as there is nothing new to say.
func (f *File) Set(link string, c Config) error {
	err := c.check()
	if err == nil {
		err = f.locked(func(s *state) error { return f.set(s, link, c) })
	}
	if err != nil {
		return fmt.Errorf("name servers of %s: %w", link, explain(err))
	}
	f.said.note(link, c)
	return nil
}

func (f *File) set(s *state, link string, c Config) error {
	now, err := look(f.path)
	if err != nil {
		return err
	}
	switch {
	case s.isOurs(now), s.known && now == s.Before, s.known && now.Kind == absent:
		// What is to come back stays the same. Nothing of ours may
		// stand there all the same: a process died before it wrote, or
		// somebody took the file away.
	case s.known && f.said.before(link, c):
		return &ManagedError{f.path, "somebody who changed it after us"}
	case now.manager(f.path) != "":
		return &ManagedError{f.path, now.manager(f.path)}
	case strings.HasPrefix(string(now.Text), header):
		// Ours, but nothing is known of it any more. Whatever stood
		// there once, it was not this.
		s.Before = before{Kind: absent}
	default:
		s.Before = now
	}
	s.give(link, c)
	return f.put(s, now)
}

// Unset takes link's part away, and with the last one puts back what was there
// before.
func (f *File) Unset(link string) error {
	f.said.forget(link)
	if s, _ := f.load(); !s.known && !f.littered() {
		return nil
	}
	err := f.locked(func(s *state) error { return f.unset(s, link) })
	if err != nil {
		return fmt.Errorf("name servers of %s: %w", link, err)
	}
	return nil
}

func (f *File) unset(s *state, link string) error {
	now, err := look(f.path)
	if err != nil && !errors.Is(err, ErrNoFile) {
		return err
	}
	foreign := !s.isOurs(now) && now != s.Before && now.Kind != absent
	var left error
	if s.take(link) && foreign {
		left = &ManagedError{f.path, "somebody who changed it after us"}
	}
	switch {
	case len(s.Links) > 0 && !foreign:
		return f.put(s, now)
	case len(s.Links) > 0:
		return errors.Join(left, f.save(s))
	case !s.isOurs(now):
		return errors.Join(left, f.forget())
	}
	// Noted first, so that the servers of this link do not come back with
	// another one's Set, should we die here. Putting back is worth trying
	// without that, too: a disk that is full has room for it.
	errSave := f.save(s)
	if err := f.restore(s.Before); err != nil {
		return errors.Join(err, errSave)
	}
	return f.forget()
}

// put notes the file's new text down, and writes it. After a crash between the
// two the state names a text that never came to be, and the one that still
// stands.
func (f *File) put(s *state, now before) error {
	text := content(render(s.Links))
	if s.isOurs(now) {
		if now.Text == text {
			s.Wrote = text
			return f.save(s)
		}
		s.Was = now.Text
	} else {
		s.Was = ""
	}
	s.Wrote = text
	if err := f.save(s); err != nil {
		return err
	}
	return f.write([]byte(text), atomicfile.Mine(0o644))
}

// Holds reports whether link has a part in the file, or a process that died
// left something for Unset to finish.
func (f *File) Holds(link string) bool {
	s, err := f.load()
	if err != nil || !s.known {
		return false
	}
	now, err := look(f.path)
	return s.part(link) >= 0 || len(s.Links) == 0 || err == nil && s.isOurs(now) && now.Text != s.Wrote
}

// String names the file.
func (f *File) String() string { return "file " + f.path }

// Links returns the links that have a part in the file, in the order in which
// they came.
func (f *File) Links() (out []string) {
	s, err := f.load()
	if err != nil {
		return nil
	}
	for _, p := range s.Links {
		out = append(out, p.Link)
	}
	return out
}

// Rename gives the part of one link to another, and the other way round. The
// file stays as it is.
func (f *File) Rename(from, to string) error {
	f.said.forget(from, to)
	if s, _ := f.load(); s.part(from) < 0 && s.part(to) < 0 {
		return nil
	}
	return f.locked(func(s *state) error {
		i, j := s.part(from), s.part(to)
		if i >= 0 {
			s.Links[i].Link = to
		}
		if j >= 0 {
			s.Links[j].Link = from
		}
		return f.save(s)
	})
}

// others returns the paths of other files with state in dir: those that an
// earlier process was told to write.
func others(path, dir string) (paths []string) {
	entries, _ := os.ReadDir(dir) // what cannot be read tells nothing
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "resolv") || !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		s, err := loadState(filepath.Join(dir, e.Name()))
		if err == nil && s.Path != path && s.Path != "" {
			paths = append(paths, s.Path)
		}
	}
	return paths
}
