package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/netconf/atomicfile"
)

// A record is what a script was told to configure, so that whoever comes next
// can have it undone. It is written before the script is called.
type record struct {
	BootID string       `json:"boot_id"` // the kernel's run that the rest is about
	Index  int          `json:"index"`   // of the link; another one of the same name is another link
	Style  Style        `json:"style"`
	Script string       `json:"script"`
	Lease  *lease.Lease `json:"lease"`
}

// recordPath is where the record of a link is.
func recordPath(dir, link string) string { return filepath.Join(dir, link+".script.json") }

// RenameRecord moves what is kept in the run directory of a link that has got
// another name, NAME or NAME@NETNS.
func RenameRecord(dir, old, now string) error {
	if err := os.Rename(recordPath(dir, old), recordPath(dir, now)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// loadRecord reads a record; nil says that nothing is configured. One of another
// boot or another link tells of nothing that is still there. Of a link that is
// gone, without an index, something may be: what resolvers were told.
func loadRecord(path string, index int) (*record, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var r record
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if r.BootID != atomicfile.BootID() || index != 0 && r.Index != index || r.Lease == nil {
		return nil, nil
	}
	return &r, nil
}

// save writes the record, or removes what stands there if it is nil. It is not
// synced: it ends with the boot.
func (r *record) save(path string) error {
	var files atomicfile.Files
	if r == nil {
		return files.Remove(path)
	}
	b, err := json.Marshal(r)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = files.Replace(path, b, atomicfile.Mine(0o600))
	}
	return err
}
