package netconf

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
)

// The kinds of what is told once, and again only after it was over.
const (
	toldRecord    = "record"
	toldResolver  = "resolver"
	toldManaged   = "managed"
	toldAddress   = "address"
	toldMTU       = "mtu"
	toldRefused   = "refused"
	toldSource    = "source routing"
	toldContested = "contested"
)

// news reports whether text is not what was told of this kind before. Renewals
// come for years, and what was wrong the first time mostly stays so.
func (h *Host) news(kind, text string) bool {
	if h.told == nil {
		h.told = map[string]string{}
	}
	is := h.told[kind] != text
	h.told[kind] = text
	return is
}

// trouble tells of a failure that is no reason to have no address; nil ends
// it.
func (h *Host) trouble(kind, what string, err error) {
	if err == nil {
		h.news(kind, "")
		return
	}
	if !h.news(kind, "failed") {
		return
	}
	h.cfg.Log.Warn(what, "link", h.link, "error", err)
	if h.cfg.Trouble != nil {
		h.cfg.Trouble(fmt.Errorf("%s: %s: %w", h.link, what, err))
	}
}

// save writes the record, if it says anything new. Where that is not possible
// it is kept in memory, and the next change tries again: the kernel's own marks
// tell most of it to whoever comes after us.
func (h *Host) save() {
	if h.dry != nil {
		return
	}
	h.trouble(toldRecord, "what is done to the host cannot be written down", h.write())
}

func (h *Host) write() error {
	b, err := h.record.text()
	sum := fingerprint(b)
	if err != nil || h.isWritten && sum == h.written {
		return err
	}
	if b == nil {
		err = errors.Join(h.remove(h.path), h.remove(unfinished(h.path)))
	} else {
		err = h.replace(h.path, b)
	}
	h.isWritten, h.written = err == nil, sum
	return err
}

// fingerprint stands for a text in memory.
func fingerprint(text []byte) (sum [16]byte) {
	h := fnv.New128a()
	_, _ = h.Write(text) // never fails
	h.Sum(sum[:0])
	return sum
}

// unfinished is the name under which a new file is written. It is always the
// same, so that processes that die leave one at most.
func unfinished(path string) string { return path + ".new" }

// replace puts a new file in the place of what stands at path, in one step. It
// is not synced: the kernel's state does not survive a power cut either, and
// boot must not wait for the disk.
func (h *Host) replace(path string, b []byte) (err error) {
	tmp := unfinished(path)
	h.step("write " + tmp)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), h.remove(tmp)); err != nil {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		h.step("rename " + tmp)
		err = os.Rename(tmp, path)
	}
	if err != nil {
		err = errors.Join(err, h.remove(tmp))
	}
	return err
}

// remove removes a file, if there is one. On a disk that is read-only that
// there is none is no error.
func (h *Host) remove(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	h.step("remove " + path)
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (h *Host) step(what string) {
	if h.cfg.step != nil {
		h.cfg.step(what)
	}
}
