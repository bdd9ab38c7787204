package atomicfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAFileIsOldOrNewAndNothingIsLeftBesideIt(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.json")
	for n := 1; ; n++ {
		must(t, (&Files{}).Replace(path, []byte("old"), Mine(0o600)))
		if !dies(n, func(f *Files) { must(t, f.Replace(path, []byte("new and longer"), Mine(0o644))) }) {
			break
		}
		if b, err := Read(path); err != nil || string(b) != "old" {
			t.Fatalf("dead before step %d: %q, %v", n, b, err)
		}
	}
	info, err := os.Stat(path)
	if b, errRead := Read(path); err != nil || errRead != nil || string(b) != "new and longer" || info.Mode() != 0o644 {
		t.Errorf("%q, %v, %v, %v", b, info.Mode(), err, errRead)
	}
	must(t, (&Files{}).Link(path, "elsewhere"))
	if target, err := os.Readlink(path); err != nil || target != "elsewhere" {
		t.Errorf("%q, %v", target, err)
	}
	dies(2, func(f *Files) { must(t, f.Link(path, "nowhere")) })
	if !Littered(path) {
		t.Error("what a dead process left is not seen")
	}
	must(t, (&Files{}).Remove(path))
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left over: %v, %v", entries, err)
	}
}

// dies lets f die before its n-th step, and reports whether it came to that.
func dies(n int, f func(*Files)) (died bool) {
	defer func() { died = recover() != nil }()
	f(&Files{Step: func(string) {
		if n--; n == 0 {
			panic("dead")
		}
	}})
	return false
}

func TestFinishedIsTheNameThatAFileWouldHave(t *testing.T) {
	for name, want := range map[string]string{
		filepath.Base(unfinished("/x/a.conf")): "a.conf", "a.conf": "a.conf", ".profile": ".profile", "a.lessee": "a.lessee",
	} {
		if got := Finished(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestReadingIsBoundedAndWaitsForNobody(t *testing.T) {
	dir := t.TempDir()
	big, pipe := filepath.Join(dir, "big"), filepath.Join(dir, "pipe")
	must(t, errors.Join(os.WriteFile(big, bytes.Repeat([]byte{1}, MaxFile+1), 0o600), unix.Mkfifo(pipe, 0o600)))
	for _, path := range []string{big, pipe, dir, filepath.Join(dir, "none")} {
		if b, err := Read(path); err == nil {
			t.Errorf("%s: %d bytes", path, len(b))
		}
	}
	if _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
}

func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(dir)
	must(t, err)
	second := make(chan error)
	go func() {
		unlock, err := Lock(dir)
		if err == nil {
			unlock()
		}
		second <- err
	}()
	select {
	case err := <-second:
		t.Fatalf("both at once: %v", err)
	case <-time.After(50 * time.Millisecond): // longer than it takes to look a few times
	}
	unlock()
	must(t, <-second)
}
