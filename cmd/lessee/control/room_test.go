package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// leftOver makes a socket at path as an agent leaves it that is killed.
func leftOver(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatAKilledAgentLeftIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.socket")
	leftOver(t, path)
	l, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer closeListener(t, l)
	accepts(t, l, path)
}

func TestSomebodyWhoAnswersIsNamedAndLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.socket")
	agent, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer closeListener(t, agent)
	foreign := filepath.Join(t.TempDir(), "foreign.socket") // somebody without our lock
	other, err := net.Listen("unix", foreign)
	if err != nil {
		t.Fatal(err)
	}
	defer closeListener(t, other)
	for _, p := range []string{path, foreign} {
		_, err := Listen(p, "")
		for _, text := range []string{fmt.Sprintf("process %d", os.Getpid()), p, "choose another path"} {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%v does not say %q", err, text)
			}
		}
	}
	if c, err := agent.Accept(); err != nil { // the question
		t.Error(err)
	} else if err := c.Close(); err != nil {
		t.Error(err)
	}
	accepts(t, agent, path)
}

func TestAnAgentThatIsAboutToListenIsNotDisturbed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.socket")
	lock, err := lockPath(path)
	if err != nil {
		t.Fatal(err)
	}
	leftOver(t, path) // which the other one is about to replace
	if _, err := Listen(path, ""); err == nil || !strings.Contains(err.Error(), "another agent is about to listen") {
		t.Errorf("%v", err)
	}
	if !there(path) {
		t.Error("the socket was removed")
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	closeListener(t, l)
}

func TestOfManyThatStartAtOnceOneGetsTheSocket(t *testing.T) {
	for range 50 {
		path := filepath.Join(t.TempDir(), "agent.socket")
		leftOver(t, path)
		var mu sync.Mutex
		var got []net.Listener
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				l, err := Listen(path, "")
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					got = append(got, l)
				}
			})
		}
		all.Wait()
		if len(got) != 1 {
			t.Fatalf("%d have got it", len(got))
		}
		accepts(t, got[0], path)
		closeListener(t, got[0])
	}
}

func TestWhatIsNoSocketIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	target, link, file := filepath.Join(dir, "target"), filepath.Join(dir, "link"), filepath.Join(dir, "file")
	dangling, folder := filepath.Join(dir, "dangling"), filepath.Join(dir, "folder")
	leftOver(t, target)
	for _, err := range []error{
		os.Symlink(target, link), os.Symlink(filepath.Join(dir, "nowhere"), dangling),
		os.WriteFile(file, []byte("precious"), 0o600), os.Mkdir(folder, 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, why := range map[string]string{link: "symbolic link", dangling: "symbolic link", file: "no socket", folder: "no socket"} {
		if l, err := Listen(path, ""); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, %v", path, l, err)
		}
		if !there(path) {
			t.Errorf("%s is gone", path)
		}
	}
	if there(filepath.Join(dir, "nowhere")) || !there(target) {
		t.Error("a symbolic link was followed")
	}
	if err := os.Symlink(target, filepath.Join(dir, "a.lock")); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(filepath.Join(dir, "a"), ""); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a lock that is a symbolic link: %v", err)
	}
}
