package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestReadOnlyStateDirectoryCostsAWarningAndNoLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg := scripted()
	cfg.LeaseTime, cfg.T1 = 60, 2
	w.answer(w.server, cfg)
	state := t.TempDir()
	must(t, unix.Mount("tmpfs", state, "tmpfs", unix.MS_RDONLY, ""))
	t.Cleanup(func() { must(t, unix.Unmount(state, unix.MNT_DETACH)) })
	line := []string{binary, "run", "eth0", "--config", "none", "--state-dir", state, "--run-dir", w.dir, "--resolv-conf", w.resolvConf()}
	p := Start(t, w.client, line, "keeping links")
	v := w.watch()
	a := w.address(10 * time.Second)
	w.reaches("eth0", "BOUND", time.Second)
	time.Sleep(9 * time.Second) // some renewals, each of which is to be saved
	if again := w.address(time.Second); again != a || len(v.removed()) != 0 {
		t.Errorf("%v became %v, %v", a, again, v.removed())
	}
	if n := lines(p.Log(), "level=WARN", "remember the lease"); n != 1 {
		t.Errorf("%d warnings", n)
	}
	if n := lines(w.asked("metrics"), "lessee_troubles_total", `link="eth0"`); n == 0 {
		t.Error("no trouble was counted")
	}
	must(t, exec.Command("mount", "-o", "remount,rw", state).Run())
	w.reaches("eth0", "BOUND", time.Second)
	eventually(t, 8*time.Second, "the lease is on disk when there is room", func() error {
		_, err := os.Stat(filepath.Join(state, "eth0.lease.json"))
		return err
	})
}
