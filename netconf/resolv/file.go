package resolv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// A File is a resolv.conf (resolv.conf(5)). What stood there before is kept in
// a state directory, and put back at the end, unless somebody has changed the
// file since.
type File struct{ path, state string }

// NewFile returns the backend for the file at path, which keeps its state in
// the directory dir.
func NewFile(path, dir string) *File {
	return &File{path, filepath.Join(dir, "resolv.json")}
}

// state is what is known of the file: its content before us, and ours.
type state struct {
	Path   string `json:"path"`
	Before before `json:"before"`
	Wrote  string `json:"wrote"` // the last text of ours
	Links  []part `json:"links"` // in the order in which they came
}

// part is one link's say.
type part struct {
	Link   string `json:"link"`
	Config Config `json:"config"`
}

// before is what stood at the path.
type before struct {
	Kind   string      `json:"kind"` // absent, file, link
	Text   string      `json:"text,omitempty"`
	Mode   os.FileMode `json:"mode,omitempty"`
	UID    int         `json:"uid"`
	GID    int         `json:"gid"`
	Target string      `json:"target,omitempty"` // of a symbolic link
}

// maxFile bounds what is read of files that others write.
const maxFile = 1 << 20

// Set writes the file with c for link.
func (f *File) Set(link string, c Config) error {
	s, err := f.load()
	if err == nil {
		err = f.set(&s, link, c)
	}
	if err != nil {
		return fmt.Errorf("name servers of %s: %w", link, err)
	}
	return nil
}

func (f *File) set(s *state, link string, c Config) error {
	if s.Wrote != "" && !f.isOurs(*s) {
		// Somebody took the file over after us. What they wrote is what
		// stands before us now.
		s.Before, s.Wrote = before{}, ""
	}
	if s.Wrote == "" {
		var err error
		if s.Before, err = f.look(); err != nil {
			return err
		}
	}
	i := slices.IndexFunc(s.Links, func(p part) bool { return p.Link == link })
	if i < 0 {
		s.Links = append(s.Links, part{link, c})
	} else {
		s.Links[i].Config = c
	}
	return f.put(s)
}

// Unset takes link's part away, and with the last one puts back what was there
// before.
func (f *File) Unset(link string) error {
	s, err := f.load()
	if err != nil {
		return fmt.Errorf("name servers of %s: %w", link, err)
	}
	s.Links = slices.DeleteFunc(s.Links, func(p part) bool { return p.Link == link })
	switch {
	case s.Wrote == "":
		err = remove(f.state)
	case !f.isOurs(s):
		err = errors.Join(remove(f.state), &ManagedError{f.path, "somebody who changed it after us"})
	case len(s.Links) > 0:
		err = f.put(&s)
	default:
		err = f.restore(s.Before)
		if err == nil {
			err = remove(f.state)
		}
	}
	if err != nil {
		return fmt.Errorf("name servers of %s: %w", link, err)
	}
	return nil
}

// put writes state, then file: after a crash between the two the state names a
// text that never came to be, and the file is as it was.
func (f *File) put(s *state) error {
	text := render(s.Links)
	if text == s.Wrote {
		return f.save(*s)
	}
	old := s.Wrote
	s.Wrote = text
	if err := f.save(*s); err != nil {
		return err
	}
	if err := write(f.path, []byte(text), 0o644); err != nil {
		s.Wrote = old
		return errors.Join(err, f.save(*s))
	}
	return nil
}

// header tells whoever opens the file what it is.
const header = `# Written by lessee from DHCP leases. What stood here before comes back when
# the last lease goes ("lessee release IFACE").
`

// render is the text of the file: servers and search domains of all links,
// each once, the earliest link first. glibc reads three servers; more are
// written all the same, other resolvers read them.
func render(links []part) string {
	var b strings.Builder
	b.WriteString(header)
	var servers, search []string
	once := func(list *[]string, s string) {
		if s != "" && !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	for _, p := range links {
		for _, d := range p.Config.Search {
			once(&search, d)
		}
		once(&search, p.Config.Domain)
		for _, a := range p.Config.Servers {
			once(&servers, a.String())
		}
	}
	if len(search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(search, " "))
	}
	for _, s := range servers {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	return b.String()
}

// look reads what stands at the path, and finds out whether it is in other
// hands.
func (f *File) look() (before, error) {
	info, err := os.Lstat(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return before{Kind: "absent"}, nil
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
		b.Kind = "link"
		if b.Target, err = os.Readlink(f.path); err != nil {
			return before{}, err
		}
		target := b.Target
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(f.path), target)
		}
		if strings.HasPrefix(target, "/run/") || strings.HasPrefix(target, "/var/run/") {
			return before{}, &ManagedError{f.path, "whoever writes " + target}
		}
		return b, nil
	case !info.Mode().IsRegular():
		return before{}, fmt.Errorf("%s is no file", f.path)
	}
	b.Kind = "file"
	text, err := readFile(f.path)
	if err != nil {
		return before{}, err
	}
	b.Text = string(text)
	if who := signature(b.Text); who != "" {
		return before{}, &ManagedError{f.path, who}
	}
	return b, nil
}

// signature tells which other tool says in its header that it wrote the file.
func signature(text string) string {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		for _, who := range []string{"NetworkManager", "systemd-resolved", "resolvconf", "dhcpcd", "connman"} {
			if strings.Contains(line, who) {
				return who
			}
		}
	}
	return ""
}

// isOurs reports whether the file still is as we wrote it.
func (f *File) isOurs(s state) bool {
	b, err := readFile(f.path)
	return err == nil && bytes.Equal(b, []byte(s.Wrote))
}

// restore puts back what stood there.
func (f *File) restore(b before) error {
	switch b.Kind {
	case "absent":
		err := remove(f.path)
		if errors.Is(err, unix.EBUSY) { // mounted over: it cannot go
			return os.WriteFile(f.path, nil, 0o644)
		}
		return err
	case "link":
		return renameio.Symlink(b.Target, f.path)
	}
	if err := write(f.path, []byte(b.Text), b.Mode); err != nil {
		return err
	}
	return os.Chown(f.path, b.UID, b.GID)
}

// write replaces a file atomically. In containers the file is often a mount
// point, which cannot be replaced, and is then written in place.
func write(path string, text []byte, mode os.FileMode) error {
	err := renameio.WriteFile(path, text, mode, renameio.WithTempDir(filepath.Dir(path)), renameio.IgnoreUmask())
	if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EXDEV) {
		return os.WriteFile(path, text, mode)
	}
	return err
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (f *File) load() (s state, err error) {
	b, err := readFile(f.state)
	if errors.Is(err, os.ErrNotExist) {
		return state{Path: f.path}, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return state{Path: f.path}, fmt.Errorf("%s: %w", f.state, err)
	}
	if s.Path != f.path { // another file was meant then
		return state{Path: f.path}, nil
	}
	return s, nil
}

func (f *File) save(s state) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.state), 0o700); err != nil {
		return err
	}
	return renameio.WriteFile(f.state, append(b, '\n'), 0o600, renameio.WithTempDir(filepath.Dir(f.state)), renameio.IgnoreUmask())
}
