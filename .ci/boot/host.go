package boot

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Host adds files of this machine, under their own names: programs and
// libraries with the libraries that they need, folders with all that is in
// them.
func (i *Image) Host(names ...string) {
	for _, name := range names {
		i.fail(i.host(name))
	}
}

func (i *Image) host(name string) error {
	info, err := os.Lstat(name)
	switch {
	case err != nil:
		return err
	case i.Has(name) && !info.IsDir():
		return nil
	case info.Mode()&fs.ModeSymlink != 0:
		return i.hostLink(name)
	case info.IsDir():
		return i.hostDir(name)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file", name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	i.File(name, info.Mode().Perm(), data)
	return i.libraries(name, data)
}

// hostLink adds a symbolic link, and what it points to if that exists.
func (i *Image) hostLink(name string) error {
	target, err := os.Readlink(name)
	if err != nil {
		return err
	}
	i.Link(name, target)
	real, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && strings.HasPrefix(real, "/dev/") {
		return nil // as units that are masked
	}
	if err != nil {
		return err
	}
	return i.host(real)
}

func (i *Image) hostDir(name string) error {
	entries, err := os.ReadDir(name)
	if err != nil {
		return err
	}
	i.Dir(name, 0o755)
	for _, e := range entries {
		if err := i.host(filepath.Join(name, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// libraryDirs are where the dynamic loader looks on Debian, and where systemd
// has what it shares.
func libraryDirs() ([]string, error) {
	dirs, err := filepath.Glob("/usr/lib/*-linux-gnu*")
	return append(dirs, "/usr/lib/x86_64-linux-gnu/systemd", "/usr/lib/systemd", "/usr/lib64"), err
}

// libraries adds what the dynamic loader needs for a program or a library.
func (i *Image) libraries(name string, data []byte) error {
	if !bytes.HasPrefix(data, []byte(elf.ELFMAG)) {
		return nil
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	needed, err := f.ImportedLibraries()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if s := f.Section(".interp"); s != nil {
		loader, err := s.Data()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := i.host(string(bytes.TrimRight(loader, "\x00"))); err != nil {
			return err
		}
	}
	dirs, err := libraryDirs()
	if err != nil {
		return err
	}
	for _, lib := range needed {
		if err := i.library(lib, dirs); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (i *Image) library(lib string, dirs []string) error {
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, lib)); err == nil {
			return i.host(filepath.Join(dir, lib))
		}
	}
	return fmt.Errorf("no library %s in %v", lib, dirs)
}

// Programs adds programs that are looked for as a shell of root does.
func (i *Image) Programs(names ...string) {
	for _, name := range names {
		p, err := exec.LookPath(name)
		if err != nil {
			i.fail(fmt.Errorf("%w (the package must be installed)", err))
			continue
		}
		i.Host(p)
	}
}

// Busybox adds busybox, and its applets for those of the names that are not
// there yet.
func (i *Image) Busybox() {
	i.Programs("busybox")
	out, err := exec.Command("busybox", "--list").Output()
	i.fail(err)
	for _, applet := range strings.Fields(string(out)) {
		taken := slices.ContainsFunc([]string{"/bin/", "/sbin/"}, func(dir string) bool { return i.Has(dir + applet) })
		if !taken {
			i.Link("/bin/"+applet, "busybox")
		}
	}
}
