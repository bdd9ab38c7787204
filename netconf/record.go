package netconf

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/netconf/atomicfile"
)

// A record is what was done to a link, so that it can be undone by whoever
// comes next. It is written before each change: it may name what was not done
// yet, but never lacks what was. The kernel says which of it is there.
type record struct {
	BootID    string `json:"boot_id"` // the kernel's run that the rest is about
	Index     int    `json:"index"`   // of the link; another one of the same name is another link
	Namespace string `json:"namespace,omitempty"`

	Addresses []Address        `json:"addresses,omitempty"`
	Routes    []Route          `json:"routes,omitempty"`
	Rules     []Rule           `json:"rules,omitempty"`
	ARPFilter *arpFilterRecord `json:"arp_filter,omitempty"`
	MTU       *mtuRecord       `json:"mtu,omitempty"`
	WasDown   bool             `json:"was_down,omitempty"`
	Displaced []kernelAddr     `json:"displaced,omitempty"` // others', which go with one of ours and must be put back
	Taken     []keepsake       `json:"taken,omitempty"`     // so too
}

// mtuRecord is what was done to the MTU.
type mtuRecord struct {
	Set    int `json:"set"`
	Former int `json:"former,omitempty"` // that was set before, and may still be there
	Old    int `json:"old"`              // that was there before us
}

// ours reports whether an MTU is one that we have set.
func (m *mtuRecord) ours(now int) bool {
	return m != nil && (now == m.Set || m.Former != 0 && now == m.Former)
}

// empty reports whether nothing of ours is on the host, but perhaps that the
// link is up.
func (r *record) empty() bool {
	return len(r.Addresses) == 0 && len(r.Routes) == 0 && len(r.Rules) == 0 && r.ARPFilter == nil && r.MTU == nil && len(r.Displaced) == 0 && len(r.Taken) == 0
}

// blank is a record of the same link without anything done.
func (r *record) blank() record {
	return record{BootID: r.BootID, Index: r.Index, Namespace: r.Namespace, WasDown: r.WasDown}
}

// maxRecord bounds the file that is read.
const maxRecord = 1 << 20

const recordSuffix = ".applied.json"

// keyOf tells links of all namespaces apart.
func keyOf(link, namespace string) string {
	if namespace == "" {
		return link
	}
	return link + "@" + namespace
}

// recordPath is where the record of a link is; its name says whose it is.
func recordPath(dir, key string) string {
	return filepath.Join(dir, strings.ReplaceAll(url.PathEscape(key), ".", "%2E")+recordSuffix)
}

// readRecord returns the record at path, and os.ErrNotExist without one.
func readRecord(path string) (r record, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return r, err
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, maxRecord)).Decode(&r); err != nil {
		return record{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// loadRecord returns the record at path; none, or one that cannot be read, is
// an empty one. What it says of a former run of the kernel or a former link is
// gone with them.
func loadRecord(path string, now record) (record, error) {
	r, err := readRecord(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return now, nil
	case err != nil:
		return now, fmt.Errorf("what was done to the host before: %w", err)
	case r.BootID != now.BootID || r.Index != now.Index || r.Namespace != now.Namespace:
		return now, nil
	}
	return r, nil
}

// text is what stands in the file; nothing if there is nothing to undo.
func (r *record) text() ([]byte, error) {
	if r.empty() && !r.WasDown {
		return nil, nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	return append(b, '\n'), err
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
