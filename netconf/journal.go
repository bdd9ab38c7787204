package netconf

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"

	"github.com/lessee/lessee/netconf/atomicfile"
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
	toldNetworkd  = "networkd"
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
		err = h.files().Remove(h.path)
	} else if err = os.MkdirAll(filepath.Dir(h.path), 0o700); err == nil {
		err = h.files().Replace(h.path, b, atomicfile.Mine(0o600))
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

// files is how records are written: not synced, because the kernel's state does
// not survive a power cut either, and boot must not wait for the disk.
func (h *Host) files() *atomicfile.Files { return &atomicfile.Files{Step: h.cfg.step} }

func (h *Host) step(what string) {
	if h.cfg.step != nil {
		h.cfg.step(what)
	}
}
