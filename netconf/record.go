package netconf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// A record is what was done to a link, so that it can be undone by whoever
// comes next. It is written before each change: it may name what was not done
// yet, but never lacks what was.
type record struct {
	BootID string `json:"boot_id"` // the kernel's run that Index and the rest are about
	Index  int    `json:"index"`   // of the link; another one of the same name is another link

	Address *Address `json:"address,omitempty"`
	Routes  []Route  `json:"routes,omitempty"`
	MTU     int      `json:"mtu,omitempty"`     // that was set
	OldMTU  int      `json:"old_mtu,omitempty"` // that was there before
	WasDown bool     `json:"was_down,omitempty"`
	Resolv  bool     `json:"resolv,omitempty"` // name servers were handed to the resolver
}

// empty reports whether nothing of ours is on the host.
func (r *record) empty() bool {
	return r.Address == nil && len(r.Routes) == 0 && r.MTU == 0 && !r.Resolv
}

// maxRecord bounds the file that is read.
const maxRecord = 1 << 20

func recordPath(dir, link string) string {
	return filepath.Join(dir, strings.ReplaceAll(url.PathEscape(link), ".", "%2E")+".applied.json")
}

// loadRecord returns the record at path; none, or one that cannot be read, is
// an empty one. What it says of a former run of the kernel or a former link is
// gone with them, but for the resolver's file.
func loadRecord(path string, bootID string, index int) (r record, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		return record{BootID: bootID, Index: index}, nil
	}
	if err == nil {
		defer f.Close()
		err = json.NewDecoder(io.LimitReader(f, maxRecord)).Decode(&r)
	}
	if err != nil {
		return record{BootID: bootID, Index: index}, fmt.Errorf("what was done to the host before: %s: %w", path, err)
	}
	if r.BootID != bootID || r.Index != index {
		r = record{BootID: bootID, Index: index, Resolv: r.Resolv}
	}
	return r, nil
}

// save writes the record, or removes it if there is nothing to undo.
func (r *record) save(path string) error {
	if r.empty() && !r.WasDown {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("record what was done to the host: %w", err)
		}
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		// Not synced: the kernel's state does not survive a power cut
		// either, and boot must not wait for the disk.
		err = writeFile(path, append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("record what was done to the host: %w", err)
	}
	return nil
}

// writeFile replaces a file atomically.
func writeFile(path string, b []byte) error {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o600), renameio.IgnoreUmask())
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if _, err := f.Write(b); err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), os.Rename(f.Name(), path))
}

// bootID tells one run of the kernel from another.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}
