package resolv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// before is what stood, or stands, at a path.
type before struct {
	Kind   string      `json:"kind"`
	Text   content     `json:"text,omitempty"`
	Mode   os.FileMode `json:"mode,omitempty"`
	UID    int         `json:"uid"`
	GID    int         `json:"gid"`
	Target string      `json:"target,omitempty"` // of a symbolic link
}

// The kinds of what stands at a path.
const (
	absent = "absent"
	file   = "file"
	link   = "link"
)

// look reads what stands at the path.
func look(path string) (before, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return before{Kind: absent}, nil
	}
	if err != nil {
		return before{}, err
	}
	b := before{Mode: info.Mode().Perm()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		b.UID, b.GID = int(st.Uid), int(st.Gid)
	}
	switch {
	case info.Mode()&os.ModeSymlink != 0:
		b.Kind = link
		b.Target, err = os.Readlink(path)
		return b, err
	case !info.Mode().IsRegular():
		return before{}, fmt.Errorf("%s %w", path, ErrNoFile)
	}
	b.Kind = file
	text, err := atomicfile.Read(path)
	b.Text = content(text)
	return b, err
}

// manager names the other hands that b, which stands at path, is in.
func (b before) manager(path string) string {
	switch b.Kind {
	case file:
		return signature(string(b.Text))
	case link:
		target := b.Target
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		if end, err := filepath.EvalSymlinks(path); err == nil { // one may lead to another
			target = end
		}
		if strings.HasPrefix(target, "/run/") || strings.HasPrefix(target, "/var/run/") {
			return "whoever writes " + target
		}
		return signedBy(path)
	}
	return ""
}

// steps hears of each change before it is made; nil hears nothing.
type steps func(what string)

func (s steps) step(format string, path string) {
	if s != nil {
		s(fmt.Sprintf(format, path))
	}
}

// files is how notes, and what they are about, are written: both outlive a power
// cut.
func (s steps) files() *atomicfile.Files { return &atomicfile.Files{Sync: true, Step: s} }

func (f *File) step(format string, path string) { steps(f.Step).step(format, path) }

func (f *File) files() *atomicfile.Files { return steps(f.Step).files() }

// sweep removes what a process that died left beside the resolver's file. In a
// directory that cannot be written there is none.
func (f *File) sweep() error {
	err := f.files().Sweep(f.path)
	if isUnwritable(err) {
		return nil
	}
	return err
}

// littered reports whether there is something to sweep.
func (f *File) littered() bool {
	return atomicfile.Littered(statePath(f.dir, f.path)) || atomicfile.Littered(f.path)
}

// isUnwritable tells whether err says that a directory takes no new file.
func isUnwritable(err error) bool {
	return slices.ContainsFunc([]error{unix.EROFS, unix.EACCES, unix.EPERM}, func(e error) bool { return errors.Is(err, e) })
}

// explain says what helps.
func explain(err error) error {
	if errors.Is(err, unix.EROFS) || errors.Is(err, unix.EPERM) || errors.Is(err, ErrNoFile) {
		return fmt.Errorf("%w (--resolv-conf names another file, or none)", err)
	}
	return err
}

// write replaces the resolver's file. In containers that is often a mount
// point, or the only file in its directory that may be written; then it is
// written in place.
func (f *File) write(text []byte, whose atomicfile.Owner) error {
	if f.dry != nil {
		*f.dry = before{Kind: file, Text: content(text)}
		return nil
	}
	err := f.files().Replace(f.path, text, whose)
	if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EXDEV) || isUnwritable(err) {
		if f.overwrite(text) == nil {
			return nil
		}
	}
	return err
}

// overwrite writes a file in place: over the old text first, and then cut off
// (see overlay). Readers never find it empty. For the old text there is room also
// where there is none for the new one.
func (f *File) overwrite(text []byte) error {
	old, err := atomicfile.Read(f.path)
	if err != nil {
		return err
	}
	o, err := os.OpenFile(f.path, os.O_WRONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	f.step("overwrite %s", f.path)
	if _, err = o.Write(text); err != nil {
		_, errBack := o.WriteAt(old, 0)
		return errors.Join(err, errBack, o.Truncate(int64(len(old))), o.Close())
	}
	f.step("cut off %s", f.path)
	return errors.Join(o.Truncate(int64(len(text))), o.Close())
}

// restore puts back what stood there.
func (f *File) restore(b before) error {
	if f.dry != nil {
		*f.dry = b
		return nil
	}
	switch b.Kind {
	case absent:
		err := f.files().Remove(f.path)
		if errors.Is(err, unix.EBUSY) || isUnwritable(err) { // it cannot go
			return f.overwrite(nil)
		}
		return err
	case link:
		return f.files().Link(f.path, b.Target)
	}
	return f.write([]byte(b.Text), atomicfile.Owner{Perm: b.Mode, UID: b.UID, GID: b.GID})
}
