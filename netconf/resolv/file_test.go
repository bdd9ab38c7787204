package resolv

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const operators = "# mine\nnameserver 203.0.113.53\noptions rotate\n"

func servers(addrs ...string) (c Config) {
	for _, a := range addrs {
		c.Servers = append(c.Servers, netip.MustParseAddr(a))
	}
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return string(b)
}

func TestWhatStoodThereComesBack(t *testing.T) {
	for name, prepare := range map[string]func(path string) error{
		"a file":        func(p string) error { return os.WriteFile(p, []byte(operators), 0o640) },
		"nothing":       func(string) error { return nil },
		"a link":        func(p string) error { return os.Symlink("elsewhere", p) },
		"dangling":      func(p string) error { return os.Symlink("/nowhere/at/all", p) },
		"an empty file": func(p string) error { return os.WriteFile(p, nil, 0o600) },
		"a labelled file": func(p string) error {
			return errors.Join(os.WriteFile(p, []byte(operators), 0o640), labelled(p))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "resolv.conf")
			must(t, prepare(path))
			before := describe(t, path)
			c := servers("192.0.2.53")
			c.Domain, c.Search = "example.com", []string{"a.example", "example.com"}
			must(t, NewFile(path, dir).Set("eth0", c))
			want := header + "search a.example example.com\nnameserver 192.0.2.53\n"
			if got := read(t, path); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if strings.Contains(before, seLabel) != strings.Contains(describe(t, path), seLabel) {
				t.Errorf("before %s, and now %s", before, describe(t, path))
			}
			must(t, NewFile(path, dir).Unset("eth0")) // another process
			if after := describe(t, path); after != before {
				t.Errorf("before %s, after %s", before, after)
			}
		})
	}
}

// describe is what stands at a path.
func describe(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return "nothing"
	}
	must(t, err)
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		must(t, err)
		return "a link to " + target
	}
	text := info.Mode().String() + " " + read(t, path)
	for _, name := range []string{seLabel, accessList} {
		value := make([]byte, 1<<10)
		if n, err := unix.Lgetxattr(path, name, value); err == nil {
			text += fmt.Sprintf(" %s=%q", name, value[:n])
		}
	}
	return text
}

const (
	seLabel    = "security.selinux"
	accessList = "system.posix_acl_access"
)

// labelled is an operator's file that not everybody may read, and that a
// security policy has a word for.
func labelled(path string) error {
	// In a user namespace nobody may give labels; access lists anybody may.
	errLabel := unix.Setxattr(path, seLabel, []byte("system_u:object_r:net_conf_t:s0\x00"), 0)
	if errors.Is(errLabel, unix.EPERM) {
		errLabel = nil
	}
	const list = "\x02\x00\x00\x00" + "\x01\x00\x06\x00\xff\xff\xff\xff" + // owner: rw-
		"\x02\x00\x04\x00\x0c\x00\x00\x00" + "\x04\x00\x00\x00\xff\xff\xff\xff" + // user 12: r--, group: ---
		"\x10\x00\x04\x00\xff\xff\xff\xff" + "\x20\x00\x00\x00\xff\xff\xff\xff" // mask: r--, others: ---
	return errors.Join(errLabel, unix.Setxattr(path, accessList, []byte(list), 0))
}

func TestTwoLinksShareTheFileInEitherOrderOfLeaving(t *testing.T) {
	for _, order := range [][2]string{{"eth0", "eth1"}, {"eth1", "eth0"}} {
		dir := t.TempDir()
		path := filepath.Join(dir, "resolv.conf")
		must(t, os.WriteFile(path, []byte(operators), 0o644))
		f := NewFile(path, dir)
		must(t, f.Set("eth0", servers("192.0.2.53", "192.0.2.54")))
		must(t, f.Set("eth1", servers("198.51.100.53", "192.0.2.53")))
		if got, want := read(t, path), header+"nameserver 192.0.2.53\nnameserver 192.0.2.54\nnameserver 198.51.100.53\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		must(t, f.Unset(order[0]))
		if got := read(t, path); got == operators {
			t.Error("restored too early")
		}
		must(t, f.Unset(order[1]))
		if got := read(t, path); got != operators {
			t.Errorf("not restored: %q", got)
		}
	}
}

func TestAFileThatSomebodyChangedAfterUsIsLeft(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "resolv.conf")
	f := NewFile(path, dir)
	must(t, f.Set("eth0", servers("192.0.2.53")))
	must(t, os.WriteFile(path, []byte("nameserver 10.0.0.1\n"), 0o644))
	var managed *ManagedError
	if err := f.Unset("eth0"); !errors.As(err, &managed) {
		t.Errorf("Unset: %v", err)
	}
	if got := read(t, path); got != "nameserver 10.0.0.1\n" {
		t.Errorf("overwritten: %q", got)
	}
	must(t, f.Unset("eth0"))
}

func TestOtherToolsFilesAreLeftToThem(t *testing.T) {
	for name, prepare := range map[string]func(path string) error{
		"systemd-resolved's link": func(p string) error { return os.Symlink("/run/systemd/resolve/stub-resolv.conf", p) },
		"a link to a link to somebody's": func(p string) error {
			dir := filepath.Dir(p)
			return errors.Join(os.Symlink("further", p), os.Symlink("run.conf", dir+"/further"), os.WriteFile(dir+"/run.conf", []byte("# Generated by NetworkManager\n"), 0o644))
		},
		"NetworkManager's file": func(p string) error { return os.WriteFile(p, []byte("# Generated by NetworkManager\n"), 0o644) },
		"resolvconf's file":     func(p string) error { return os.WriteFile(p, []byte("# generated by resolvconf(8)\n"), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			state := t.TempDir()
			path := filepath.Join(t.TempDir(), "resolv.conf")
			must(t, prepare(path))
			before := describe(t, path)
			var managed *ManagedError
			if err := NewFile(path, state).Set("eth0", servers("192.0.2.53")); !errors.As(err, &managed) {
				t.Errorf("Set: %v", err)
			}
			must(t, NewFile(path, state).Unset("eth0"))
			if after := describe(t, path); after != before {
				t.Errorf("before %s, after %s", before, after)
			}
		})
	}
}
