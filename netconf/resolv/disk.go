package resolv

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
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

// nobody stands for an owner that need not be set.
const nobody = -1

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
	text, err := readFile(path)
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
		if strings.HasPrefix(target, "/run/") || strings.HasPrefix(target, "/var/run/") {
			return "whoever writes " + target
		}
	}
	return ""
}

// maxFile bounds what is read of files that others write.
const maxFile = 1 << 20

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s: more than %d bytes", path, maxFile)
	}
	return b, err
}

// steps hears of each change before it is made; nil hears nothing.
type steps func(what string)

func (s steps) step(format string, path string) {
	if s != nil {
		s(fmt.Sprintf(format, path))
	}
}

func (f *File) step(format string, path string) { steps(f.Step).step(format, path) }

func (f *File) replace(path string, text []byte, like before) error {
	return steps(f.Step).replace(path, text, like)
}

// unfinished is the name under which a new file is written. It is always the
// same, so that processes that die leave one at most.
func unfinished(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lessee")
}

// sweep removes what a process that died left beside the resolver's file. In a
// directory that cannot be written there is none.
func (f *File) sweep() error {
	err := remove(unfinished(f.path))
	if isUnwritable(err) {
		return nil
	}
	return err
}

// littered reports whether there is something to sweep.
func (f *File) littered() bool {
	for _, path := range []string{statePath(f.dir, f.path), f.path} {
		if _, err := os.Lstat(unfinished(path)); err == nil {
			return true
		}
	}
	return false
}

// isUnwritable tells whether err says that a directory takes no new file.
func isUnwritable(err error) bool {
	return slices.ContainsFunc([]error{unix.EROFS, unix.EACCES, unix.EPERM}, func(e error) bool { return errors.Is(err, e) })
}

// explain says what helps.
func explain(err error) error {
	if errors.Is(err, unix.EROFS) {
		return fmt.Errorf("%w (--resolv-conf names another file, or none)", err)
	}
	return err
}

// replace puts a new file in the place of what stands at path, in one step.
func (s steps) replace(path string, text []byte, like before) (err error) {
	tmp := unfinished(path)
	s.step("write %s", tmp)
	if err := remove(tmp); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, remove(tmp))
		}
	}()
	n, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = n.Write(text)
	if err == nil {
		err = n.Chmod(like.Mode)
	}
	if owner, mine := [2]int{like.UID, like.GID}, [2]int{os.Geteuid(), os.Getegid()}; err == nil && owner != mine {
		err = n.Chown(like.UID, like.GID)
	}
	if err == nil {
		err = n.Sync()
	}
	if err = errors.Join(err, n.Close()); err != nil {
		return err
	}
	s.step("rename %s", tmp)
	return os.Rename(tmp, path)
}

// write replaces the resolver's file. In containers that is often a mount
// point, or the only file in its directory that may be written; then it is
// written in place.
func (f *File) write(text []byte, like before) error {
	if f.dry != nil {
		*f.dry = before{Kind: file, Text: content(text)}
		return nil
	}
	err := f.replace(f.path, text, like)
	if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EXDEV) || isUnwritable(err) {
		if f.overwrite(text) == nil {
			return nil
		}
	}
	return err
}

// overwrite writes a file in place: over the old text first, and then cut off
// (see overlay). Readers never find it empty.
func (f *File) overwrite(text []byte) error {
	o, err := os.OpenFile(f.path, os.O_WRONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	f.step("overwrite %s", f.path)
	_, err = o.Write(text)
	if err == nil {
		f.step("cut off %s", f.path)
		err = o.Truncate(int64(len(text)))
	}
	return errors.Join(err, o.Close())
}

// restore puts back what stood there.
func (f *File) restore(b before) error {
	if f.dry != nil {
		*f.dry = b
		return nil
	}
	switch b.Kind {
	case absent:
		f.step("remove %s", f.path)
		err := remove(f.path)
		if errors.Is(err, unix.EBUSY) || isUnwritable(err) { // it cannot go
			return f.overwrite(nil)
		}
		return err
	case link:
		tmp := unfinished(f.path)
		f.step("link %s", tmp)
		if err := errors.Join(remove(tmp), os.Symlink(b.Target, tmp)); err != nil {
			return err
		}
		f.step("rename %s", tmp)
		return os.Rename(tmp, f.path)
	}
	return f.write([]byte(b.Text), b)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
