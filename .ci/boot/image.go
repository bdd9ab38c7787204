package boot

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// An Image is a root file system to be: files of this machine's packages, and
// others. It is an initramfs, so the guest has it in memory, and leaves nothing
// behind.
//
// The first error is kept, and returned by [Image.Write].
type Image struct {
	files map[string]entry // by path without the first slash
	err   error
}

// NewImage returns an image with the folders and links that every Debian
// system has, and nothing in them.
func NewImage() *Image {
	i := &Image{files: map[string]entry{}}
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} { // /usr has been merged
		i.Dir("/usr/"+name, 0o755)
		i.Link("/"+name, "usr/"+name)
	}
	for _, dir := range []string{"/dev", "/etc", "/proc", "/root", "/run", "/sys", "/var/lib", "/var/log"} {
		i.Dir(dir, 0o755)
	}
	for _, dir := range []string{"/tmp", "/var/tmp"} {
		i.Dir(dir, 0o777)
	}
	i.Link("/var/run", "/run")
	return i
}

// Nothing returns an image with nothing in it, to be laid over another one.
func Nothing() *Image { return &Image{files: map[string]entry{}} }

// merged returns the path at which a file lies, now that / has no folders of
// its own for programs and libraries.
func merged(name string) string {
	name = path.Clean("/" + name)
	for _, dir := range []string{"/bin/", "/sbin/", "/lib/", "/lib64/"} {
		if strings.HasPrefix(name, dir) {
			return "/usr" + name
		}
	}
	return name
}

// put adds an entry, and the folders it is in.
func (i *Image) put(name string, e entry) {
	name = strings.TrimPrefix(name, "/")
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, there := i.files[dir]; !there {
			i.files[dir] = entry{mode: fs.ModeDir | 0o755}
		}
	}
	i.files[name] = e
}

// Dir adds a folder.
func (i *Image) Dir(name string, perm fs.FileMode) {
	i.put(merged(name), entry{mode: fs.ModeDir | perm})
}

// File adds a file.
func (i *Image) File(name string, perm fs.FileMode, data []byte) {
	i.put(merged(name), entry{mode: perm, data: data})
}

// Link adds a symbolic link.
func (i *Image) Link(name, target string) {
	if name != "/bin" && name != "/sbin" && name != "/lib" && name != "/lib64" {
		name = merged(name)
	}
	i.put(name, entry{mode: fs.ModeSymlink, data: []byte(target)})
}

// Has reports whether there is something of that name.
func (i *Image) Has(name string) bool {
	_, ok := i.files[strings.TrimPrefix(merged(name), "/")]
	return ok
}

func (i *Image) fail(err error) {
	if i.err == nil && err != nil {
		i.err = fmt.Errorf("image: %w", err)
	}
}

// Write writes the image as an initramfs.
func (i *Image) Write(w io.Writer) error {
	if i.err != nil {
		return i.err
	}
	return writeCPIO(w, i.files)
}
