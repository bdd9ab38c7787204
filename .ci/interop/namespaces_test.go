package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
)

func TestTwoNamespacesInOneAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer(w.server, scripted())
	const dir = "/run/netns"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		must(t, unix.Mount("tmpfs", "/run", "tmpfs", 0, ""))
		must(t, os.Mkdir(dir, 0o755))
	} else {
		must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	}
	name := filepath.Join(dir, "blue")
	mount := func() {
		must(t, os.WriteFile(name, nil, 0o600))
		w.third.Must(func() error { return unix.Mount("/proc/thread-self/ns/net", name, "", unix.MS_BIND, "") })
	}
	mount()
	t.Cleanup(func() { must(t, unix.Unmount(name, unix.MNT_DETACH)) })

	// The agent learns of the second one by a reload; of one that makes no
	// sense, everybody but the links hears.
	file := filepath.Join(w.dir, "lessee.toml")
	must(t, os.WriteFile(file, []byte("[agent]\nlinks = [\"eth0\"]\n"), 0o600))
	agent := Start(t, w.client, []string{binary, "run", "--config", file, "--log-level", "debug",
		"--state-dir", w.dir, "--run-dir", w.dir, "--resolv-conf", w.resolvConf()}, "keeping links")
	one := w.reaches("eth0", "BOUND", 10*time.Second)
	must(t, os.WriteFile(file, []byte("[agent]\nlinks = [\"eth0\", \"eth0@blue\"]\nlimks = 1\n"), 0o600))
	if _, errs, code := w.ask("reload"); code == 0 || !strings.Contains(errs, "lessee.toml:3:") {
		t.Errorf("a bad configuration: exit %d, %s", code, errs)
	}
	if s, err := w.status("eth0"); err != nil || s.State != "BOUND" || s.Problem == nil || !strings.Contains(s.Problem.Text, "limks") {
		t.Errorf("after a bad configuration: %s, %+v, %v", s.State, s.Problem, err)
	}
	must(t, os.WriteFile(file, []byte("[agent]\nlinks = [\"eth0\", \"eth0@blue\"]\n"), 0o600))
	w.asked("reload")
	two := w.reaches("eth0@blue", "BOUND", 10*time.Second)
	if a := w.client.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix != one.Lease.Addr {
		t.Errorf("eth0 has %v, leased %v", a, one.Lease.Addr)
	}
	if a := w.third.AddrsOf("eth0"); len(a) != 1 || a[0].Prefix != two.Lease.Addr {
		t.Errorf("eth0@blue has %v, leased %v", a, two.Lease.Addr)
	}
	if one.Lease.Addr == two.Lease.Addr {
		t.Errorf("both have %v", one.Lease.Addr)
	}
	w.asked("renew", "eth0@blue", "--state-dir", w.dir)
	_, m := w.find(dhcp4.ACK)
	if m.YIAddr != one.Lease.Addr.Addr() && m.YIAddr != two.Lease.Addr.Addr() {
		t.Errorf("acknowledged: %v", m.YIAddr)
	}
	out := w.asked("release", "eth0@blue", "--state-dir", w.dir, "--format", "json")
	if d := decoded[document](t, out); d.Result != "released" {
		t.Errorf("%+v", d)
	}
	if a := w.third.AddrsOf("eth0"); len(a) != 0 {
		t.Errorf("eth0@blue still has %v", a)
	}
	if a := w.client.AddrsOf("eth0"); len(a) != 1 {
		t.Errorf("eth0 has %v", a)
	}

	// Without its name nobody finds it, and we must not keep it alive.
	w.asked("reacquire", "eth0@blue")
	is, err := os.Stat(name)
	must(t, err)
	if has, err := opens(agent, is); err != nil || !has {
		t.Fatalf("the agent has the namespace open: %v, %v", has, err)
	}
	must(t, unix.Unmount(name, unix.MNT_DETACH))
	must(t, os.Remove(name))
	w.reaches("eth0@blue", "ABSENT", 10*time.Second)
	if a := w.third.AddrsOf("eth0"); len(a) != 0 {
		t.Errorf("eth0 without a namespace's name still has %v", a)
	}
	eventually(t, 30*time.Second, "the namespace is let go", func() error {
		if has, err := opens(agent, is); err != nil || has {
			return fmt.Errorf("it is open: %v, %v", has, err)
		}
		return nil
	})
	mount()
	w.reaches("eth0@blue", "BOUND", 20*time.Second)
}

// opens tells whether a process has a file open.
func opens(p *Process, file os.FileInfo) (bool, error) {
	dir := fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid)
	fds, err := os.ReadDir(dir)
	for _, fd := range fds {
		if i, err := os.Stat(filepath.Join(dir, fd.Name())); err == nil && os.SameFile(i, file) {
			return true, nil
		}
	}
	return false, err
}
