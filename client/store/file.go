package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// maxSize bounds a file; a lease with every option is far smaller.
const maxSize = 256 << 10

// envelope is a file: content, and proof that nothing happened to it.
type envelope struct {
	Version int             `json:"lessee"` // 1
	Sum     string          `json:"crc64"`  // of Content without white space
	Content json.RawMessage `json:"content"`
}

// write replaces the file at path by v, atomically and durably.
func write(path string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(envelope{1, sum(body), body}, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := renameio.WriteFile(path, append(b, '\n'), 0o600, renameio.WithTempDir(dir), renameio.IgnoreUmask()); err != nil {
		return err
	}
	return syncDir(dir) // or a power cut may bring the old file back
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sum finds what disks and editors do to a file. It is no proof against
// forgery: whoever can write here is root.
func sum(b []byte) string {
	return fmt.Sprintf("%016x", crc64.Checksum(b, crc64.MakeTable(crc64.ECMA)))
}

// read reads what write wrote. A file that is anything else is set aside.
func read(path string, v any) error {
	foreign, err := look(path, v)
	if foreign != nil {
		return fmt.Errorf("%s: %w: %w", path, foreign, setAside(path))
	}
	return err
}

// look reads what write wrote, and tells why a file is anything else.
func look(path string, v any) (foreign, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return errors.New("a symbolic link"), nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, err
	}
	return decode(b, v), nil
}

// decode checks and reads a file's bytes.
func decode(b []byte, v any) error {
	if len(b) > maxSize {
		return fmt.Errorf("longer than %d bytes", maxSize)
	}
	var e envelope
	if err := json.Unmarshal(b, &e); err != nil {
		return err
	}
	var body bytes.Buffer
	if err := json.Compact(&body, e.Content); err != nil {
		return err
	}
	switch {
	case e.Version != 1:
		return fmt.Errorf("version %d, want 1", e.Version)
	case sum(body.Bytes()) != e.Sum:
		return errors.New("the checksum is wrong")
	}
	return json.Unmarshal(body.Bytes(), v)
}

// setAside gives a file another name, of which there are nine; the last one is
// used again and again. It returns ErrBroken, or why the file is still there.
func setAside(path string) error {
	for n := 1; n <= 9; n++ {
		aside := fmt.Sprintf("%s.broken-%d", path, n)
		if _, err := os.Lstat(aside); err == nil && n < 9 {
			continue
		}
		if err := os.Rename(path, aside); err != nil {
			return err
		}
		return ErrBroken
	}
	return ErrBroken
}
