package klibc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Path is where the file of a link is in a folder, which is /run for everybody
// who reads such files.
func Path(dir, link string) string { return filepath.Join(dir, "net-"+link+".conf") }

// Write puts the file of a link there. Whoever reads sees all of it or nothing.
func Write(dir, link string, text []byte) error {
	if err := renameio.WriteFile(Path(dir, link), text, 0o644, renameio.WithTempDir(dir), renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("write what scripts read of %s: %w", link, err)
	}
	return nil
}

// Remove takes the file of a link away, for it tells that the link is
// configured. One that is not there is no error.
func Remove(dir, link string) error {
	if err := os.Remove(Path(dir, link)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take away what scripts read of %s: %w", link, err)
	}
	return nil
}
