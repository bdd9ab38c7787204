package boot

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// An entry is one file of an image.
type entry struct {
	mode fs.FileMode // type and permissions
	data []byte      // of a file; the target of a symbolic link
}

// The kernel reads an initramfs as cpio archives of this form
// (Documentation/driver-api/early-userspace/buffer-format.rst).
const (
	cpioMagic   = "070701"
	cpioTrailer = "TRAILER!!!"
)

// File types of inodes, as stat(2) has them.
const (
	inodeDir  = 0o040000
	inodeFile = 0o100000
	inodeLink = 0o120000
)

// writeCPIO writes files as an archive, every directory before what is in it.
// All of it belongs to root, and nothing has a time: the same files are the
// same archive.
func writeCPIO(w io.Writer, files map[string]entry) error {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		if err := writeMember(w, name, inodeMode(files[name].mode), i+1, files[name].data); err != nil {
			return err
		}
	}
	return writeMember(w, cpioTrailer, 0, 0, nil)
}

// writeMember writes one header, its name and its data, both filled up to a
// multiple of four bytes.
func writeMember(w io.Writer, name string, mode uint32, inode int, data []byte) error {
	const uid, gid, links, time, major, minor, check = 0, 0, 1, 0, 0, 0, 0
	header := fmt.Sprintf("%s%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		cpioMagic, inode, mode, uid, gid, links, time, len(data), major, minor, major, minor, len(name)+1, check, name)
	for _, part := range [][]byte{[]byte(header), data} {
		if _, err := w.Write(part); err != nil {
			return err
		}
		if _, err := w.Write(make([]byte, -len(part)&3)); err != nil {
			return err
		}
	}
	return nil
}

func inodeMode(m fs.FileMode) uint32 {
	switch perm := uint32(m.Perm()); {
	case m.IsDir():
		return inodeDir | perm
	case m&fs.ModeSymlink != 0:
		return inodeLink | 0o777
	default:
		return inodeFile | perm
	}
}
