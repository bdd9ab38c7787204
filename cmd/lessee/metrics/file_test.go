package metrics

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheFileIsForEverybodyAndInTheOldFormat(t *testing.T) {
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	path := filepath.Join(t.TempDir(), "lessee.prom")
	r, list := example()
	for range 2 { // the second time there is one already
		if err := r.WriteFile(path, list); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o644 {
		t.Errorf("mode %v", info.Mode())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if samples, err := check(string(b), true); err != nil || len(samples) < 100 {
		t.Errorf("%d samples, %v", len(samples), err)
	}
	others, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(others) != 1 {
		t.Errorf("left behind: %q, %v", others, err)
	}
}

func TestNoReaderSeesHalfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lessee.prom")
	r, list := example()
	if err := r.WriteFile(path, list); err != nil {
		t.Fatal(err)
	}
	var writer sync.WaitGroup
	done := make(chan struct{})
	writer.Go(func() {
		defer close(done)
		for i := range 50 {
			if i%10 == 0 {
				r.Link("eth9").Changed(1)
			}
			if err := r.WriteFile(path, list); err != nil {
				t.Error(err)
			}
		}
	})
	defer writer.Wait()
	for reads := 0; ; reads++ {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := check(string(b), true); err != nil || len(s) < 100 {
			t.Fatalf("%d samples, %v", len(s), err)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func TestAFileThatCannotBeWrittenIsToldOf(t *testing.T) {
	err := New(Config{}).WriteFile("/nonexistent/lessee.prom", nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
