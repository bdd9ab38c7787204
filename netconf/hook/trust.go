package hook

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Untrusted tells why the program at path must not be run by user uid; nil says
// that it may. It has to be an executable regular file, owned by root or uid,
// and neither it nor the folder that it is in may be writable by group or
// others. Of a symbolic link that holds for what it leads to.
func Untrusted(path string, uid int) error {
	real, err := filepath.EvalSymlinks(path)
	if _, there := os.Lstat(path); err != nil && there == nil {
		err = fmt.Errorf("%s leads nowhere: %w", path, err)
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", path)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable (chmod +x %s)", path, path)
	}
	if err := foreign(path, info, uid); err != nil {
		return err
	}
	return untrustedFolder(filepath.Dir(real), uid)
}

// untrustedFolder tells why nothing in a folder must be run.
func untrustedFolder(path string, uid int) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", path)
	}
	return foreign(path, info, uid)
}

// foreign tells who else may change what is at path.
func foreign(path string, info fs.FileInfo, uid int) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return fmt.Errorf("%s: its owner is not known", path)
	case st.Uid != 0 && int(st.Uid) != uid:
		return fmt.Errorf("%s belongs to user %d (chown root %s)", path, st.Uid, path)
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%s is writable by others than its owner (chmod go-w %s)", path, path)
	}
	return nil
}

// isLeftover reports whether a name is one of those that editors and package
// managers leave, which nobody wonders about.
func isLeftover(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || strings.Contains(name, ".dpkg-")
}

// isName reports whether run-parts(8) would run a program of that name.
func isName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return name != ""
}
