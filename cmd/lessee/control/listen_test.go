package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// accepts checks that connections to path arrive at l.
func accepts(t *testing.T, l net.Listener, path string) {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// closeListener closes l and checks that this went well.
func closeListener(t *testing.T, l net.Listener) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheSocketIsForItsUserAndItsGroup(t *testing.T) {
	group := os.Getegid()
	if os.Geteuid() == 0 {
		group = 65533
	}
	for _, umask := range []int{0, 0o22, 0o77, 0o777} {
		dir := filepath.Join(t.TempDir(), "run", "lessee")
		path := filepath.Join(dir, "agent.socket")
		l := listenWithUmask(t, path, fmt.Sprint(group), umask)
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		st := info.Sys().(*syscall.Stat_t)
		if info.Mode() != fs.ModeSocket|0o660 || int(st.Gid) != group || int(st.Uid) != os.Geteuid() {
			t.Errorf("umask %#o: %v, user %d, group %d", umask, info.Mode(), st.Uid, st.Gid)
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("umask %#o: the directory has %v, %v", umask, info.Mode(), err)
		}
		if l.Addr().String() != path {
			t.Errorf("it says that it is at %v", l.Addr())
		}
		accepts(t, l, path)
		closeListener(t, l)
		if there(path) {
			t.Error("the socket is left")
		}
		if err := l.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
	}
}

func TestTheSocketIsNeverOpenToMoreThanItShouldBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.socket")
	defer syscall.Umask(syscall.Umask(0))
	file, err := bind(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := net.Dial("unix", path); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("it can be connected to: %v", err)
	}
}

// listenWithUmask is Listen in a process with that umask. With 0777 not even
// an ordinary user's own directories can be used.
func listenWithUmask(t *testing.T, path, group string, umask int) net.Listener {
	t.Helper()
	if umask == 0o777 {
		for _, dir := range []string{filepath.Dir(filepath.Dir(path)), filepath.Dir(path)} {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	defer syscall.Umask(syscall.Umask(umask))
	l, err := Listen(path, group)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestADirectoryThatIsThereKeepsItsMode(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(filepath.Join(dir, "agent.socket"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer closeListener(t, l)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestASocketThatIsOursNoMoreIsNotRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.socket")
	l, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	leftOver(t, path)
	closeListener(t, l)
	if !there(path) {
		t.Error("somebody else's socket was removed")
	}
	again, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	closeListener(t, again) // nothing is there: no error
}

func TestPathsAndGroupsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, strings.Repeat("x", 108-len(dir)-1))
	for _, tc := range []struct{ path, group, why string }{
		{"agent.socket", "", "absolute"},
		{"@lessee", "", "absolute"},
		{long, "", "at most 107"},
		{filepath.Join(dir, "s"), "no such group", "no such group"},
		{filepath.Join(dir, "s"), "-1", `group "-1"`},
		{filepath.Join(dir, "s"), "99999999999", "group"},
	} {
		if l, err := Listen(tc.path, tc.group); err == nil || !strings.Contains(err.Error(), tc.why) {
			t.Errorf("%s, %s: %v, %v", tc.path, tc.group, l, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("something was made: %v, %v", entries, err)
	}
	fits, err := Listen(long[:107], "root") // by its name
	if os.Geteuid() == 0 {
		if err != nil {
			t.Fatal(err)
		}
		closeListener(t, fits)
	} else if err == nil || !strings.Contains(err.Error(), "only root may, or a member of the group") {
		t.Errorf("an ordinary user gives it to root's group: %v", err)
	} else if there(long[:107]) {
		t.Error("the socket is left")
	}
}
