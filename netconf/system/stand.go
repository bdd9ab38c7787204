package system

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// A stand is what stands at a path, so that it can be put back.
type stand struct {
	Kind   string           `json:"kind"`
	Text   []byte           `json:"text,omitempty"` // of a file
	Owner  atomicfile.Owner `json:"owner,omitzero"`
	Target string           `json:"target,omitempty"` // of a symbolic link
}

// The kinds of what stands at a path.
const (
	isAbsent = "absent"
	isFile   = "file"
	isLink   = "link"
)

func (s *stand) equal(o *stand) bool {
	return o != nil && s.Kind == o.Kind && s.Target == o.Target && s.Owner == o.Owner && bytes.Equal(s.Text, o.Text)
}

// isZone reports whether s, which stands at /etc/localtime, is a link to the
// zone.
func (s *stand) isZone(zone string) bool {
	target := s.Target
	if s.Kind == isLink && !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(localtime), target)
	}
	return s.Kind == isLink && filepath.Clean(target) == zoneinfo+"/"+zone
}

// look reads what stands at a path.
func look(path string) (*stand, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return &stand{Kind: isAbsent}, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		return &stand{Kind: isLink, Target: target}, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is neither a file nor a link to one", path)
	}
	s := &stand{Kind: isFile, Owner: atomicfile.Owner{Perm: info.Mode().Perm()}}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Owner.UID, s.Owner.GID = int(st.Uid), int(st.Gid)
	}
	s.Text, err = atomicfile.Read(path)
	return s, err
}

// putBack puts s where it stood; nil is nothing that is known.
func (s *stand) putBack(files *atomicfile.Files, path string) error {
	switch {
	case s == nil:
		return nil
	case s.Kind == isLink:
		return files.Link(path, s.Target)
	case s.Kind == isFile:
		return files.Replace(path, s.Text, s.Owner)
	}
	return files.Remove(path)
}
