package resolv

import (
	"errors"
	"fmt"
)

// Adopt takes over what a process has noted of files in another directory than
// s.StateDir, such as one at boot that could not rely on that. What is noted of
// a file that is not as that process left it, because it is on another file
// system, say, is about nothing that is here, and dropped. On error all of it
// stays where it is.
func (s Setup) Adopt(dir string) error {
	var errs []error
	for _, path := range others("", dir) {
		if err := s.file(path).adopt(NewFile(path, dir)); err != nil {
			errs = append(errs, fmt.Errorf("what is noted of %s in %s: %w", path, dir, err))
		}
	}
	return errors.Join(errs...)
}

// adopt moves a note: the new one is there before the old one goes, and until
// then the old one counts.
func (f *File) adopt(from *File) error {
	from.Step = f.Step
	return f.locked(func(ours *state) error {
		return from.locked(func(theirs *state) error {
			now, err := look(f.path)
			if err != nil && !errors.Is(err, ErrNoFile) {
				return err
			}
			if theirs.isOurs(now) {
				if err := f.save(ours.follow(theirs)); err != nil {
					return err
				}
			}
			return from.forget()
		})
	})
}

// follow is what is known if o comes after s. Who found a text of ours there
// and did not know of it has nothing noted that could come back (see
// [File.Set]); s may.
func (s *state) follow(o *state) *state {
	both := *o
	both.saved = s.saved
	if s.known && o.Before.Kind == absent {
		both.Before = s.Before
	}
	return &both
}
