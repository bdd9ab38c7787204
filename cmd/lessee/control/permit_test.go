package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWhoMayChangeSomething(t *testing.T) {
	for _, tc := range []struct {
		peer, owner uint32
		may         bool
		needed      []string
	}{
		{0, 0, true, nil},
		{0, 990, true, nil},
		{990, 990, true, nil},
		{1000, 990, false, []string{"root or user 990", "user 1000"}},
		{1000, 0, false, []string{"only root", "user 1000"}},
		{65534, 0, false, []string{"only root", "user 65534"}}, // whoever has no name in our user namespace
	} {
		needed := mayChange(Peer{UID: tc.peer}, tc.owner)
		if (needed == "") != tc.may {
			t.Errorf("%+v: %q", tc, needed)
		}
		for _, text := range tc.needed {
			if !strings.Contains(needed, text) {
				t.Errorf("%+v: %q does not say %q", tc, needed, text)
			}
		}
	}
}

// reading are the methods that do not change anything, for this test by name:
// whoever adds a method decides here as well.
const reading = " List Status Explain Monitor Metrics "

func TestWhichMethodsChangeSomething(t *testing.T) {
	for name, m := range methods {
		if m.reads != strings.Contains(reading, " "+name+" ") {
			t.Errorf("%s: reads %v", name, m.reads)
		}
	}
}

func TestThePeerIsWhoTheKernelSays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialHand(t, path)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := Peer{int32(os.Getpid()), uint32(os.Geteuid()), uint32(os.Getegid()), true}
	if p, err := peerOf(c); err != nil || p != want {
		t.Errorf("%+v, %v", p, err)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if _, err := peerOf(a); err == nil {
		t.Error("a pipe has a peer")
	}
}

// asStranger makes the test binary be a peer of another user, who has the
// socket's group.
const asStranger = "LESSEE_CONTROL_TEST_AS_STRANGER"

// beStranger tries to read and to change, and prints what became of it.
func beStranger(path string) int {
	c, err := Dial(path)
	if err != nil {
		fmt.Printf("dial: %v, %v\n", errors.Is(err, fs.ErrPermission), err)
		return 0
	}
	defer c.Close()
	list, err := c.List(context.Background())
	fmt.Printf("list: %d, %v\n", len(list), err)
	_, err = c.Do(context.Background(), "eth0", Renew)
	fmt.Printf("renew: %v, %v\n", errors.Is(err, ErrNotPermitted), err)
	_, err = c.Status(context.Background(), "eth0")
	fmt.Printf("status: %v\n", err)
	return 0
}

// openDir is a directory that everybody can reach.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lessee-control-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// As root another user can be had. As an ordinary user there is only one: then
// it is the agent that runs as another, and all but that is the same.
func TestAnotherUserMayReadAndNotChange(t *testing.T) {
	const stranger, group = 65534, 65533
	root := os.Geteuid() == 0
	path, socketGroup := filepath.Join(openDir(t), "agent.socket"), ""
	if root {
		socketGroup = fmt.Sprint(group)
	}
	l, err := Listen(path, socketGroup)
	if err != nil {
		t.Fatal(err)
	}
	f, refused := &fake{}, &tray{}
	s, err := newServer(f, Config{Refused: refused.add})
	if err != nil {
		t.Fatal(err)
	}
	if !root {
		s.owner++
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.serve(ctx, l) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	run := func(groups ...uint32) string {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), asStranger+"="+path)
		if root {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger, Groups: groups}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	out := run(group)
	for _, text := range []string{"list: 1, <nil>\n", "renew: true, not permitted: only root", "status: <nil>\n"} {
		if !strings.Contains(out, text) {
			t.Errorf("it does not say %q:\n%s", text, out)
		}
	}
	if did := strings.Join(f.done(), ", "); did != "List, Status eth0" || refused.count(NotPermitted) != 1 {
		t.Errorf("the agent did %s; refused %v", did, refused.all())
	}
	if root {
		if out := run(); !strings.HasPrefix(out, "dial: true, ") {
			t.Errorf("who is not of the group: %s", out)
		}
	}
}
