package resolv

import (
	"os"
	"path/filepath"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// locked runs change on what is noted in a file, while nobody else can. load
// reads it. A note that is not what we wrote is set aside for people to look
// at, and we begin anew; owner is what it is about.
func locked(path, owner string, load, change func() error) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &StateError{owner, err}
	}
	unlock, err := atomicfile.Lock(dir)
	if err != nil {
		return &StateError{owner, err}
	}
	defer unlock()
	if load() != nil {
		if err := os.Rename(path, path+".broken"); err != nil {
			return &StateError{owner, err}
		}
	}
	return change()
}
