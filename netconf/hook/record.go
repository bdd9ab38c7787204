package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/lessee/lessee/client/lease"
)

// A record is what a script was told to configure, so that whoever comes next
// can have it undone. It is written before the script is called.
type record struct {
	BootID string      `json:"boot_id"` // the kernel's run that the rest is about
	Index  int         `json:"index"`   // of the link; another one of the same name is another link
	Style  Style       `json:"style"`
	Script string      `json:"script"`
	Lease  lease.Lease `json:"lease"`
}

// maxRecord bounds the file that is read.
const maxRecord = 1 << 20

// recordPath is where the record of a link is.
func recordPath(dir, link string) string { return filepath.Join(dir, link+".script.json") }

// loadRecord reads a record. One of another boot or another link tells of
// nothing that is still there.
func loadRecord(path string, index int) (r record, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return record{}, nil
	}
	if err != nil {
		return record{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxRecord))
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return record{}, fmt.Errorf("read %s: %w", path, err)
	}
	if r.BootID != bootID() || r.Index != index {
		return record{}, nil
	}
	return r, nil
}

// save writes the record, or removes it if it says nothing. It is not synced: it
// ends with the boot.
func (r record) save(path string) error {
	tmp := path + ".new"
	if r.Lease.IsZero() {
		return errors.Join(remove(path), remove(tmp))
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), remove(tmp)); err != nil {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		err = errors.Join(err, remove(tmp))
	}
	return err
}

// remove removes a file, if there is one. On a disk that is read-only that
// there is none is no error.
func remove(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// bootID is the kernel's name for its present run.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}
