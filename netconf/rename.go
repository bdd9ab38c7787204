package netconf

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/netconf/atomicfile"
	"github.com/lessee/lessee/netconf/resolv"
)

// Rename tells the Host that the kernel has given its link another name. The
// index stays, and so does everything that was applied.
func (h *Host) Rename(link string) error {
	err := h.moveTo(link, h.record.Index)
	h.link, h.isWritten = link, false
	h.decide(h.Options().beside(h.cfg, h.key()))
	h.path = recordPath(h.cfg.runDir(), h.key())
	h.save()
	return err
}

// Rename moves what was written down of a link to its new name: the record in
// the run directory and the part in the resolver's state. Where another link
// had the new name, each gets the other's; so renaming all links that changed
// names, in any order, ends well. What has been moved already stays, and what
// is another link's, by its index, too.
func Rename(cfg Config, index int, from, to string) error {
	h := &Host{link: from, cfg: cfg, resolv: resolv.None{}}
	return h.moveTo(to, index)
}

func (h *Host) moveTo(to string, index int) error {
	oldKey, newKey := h.key(), keyOf(to, h.cfg.Namespace.Name())
	oldPath, newPath := recordPath(h.cfg.runDir(), oldKey), recordPath(h.cfg.runDir(), newKey)
	boot := atomicfile.BootID()
	old, errOld := readRecord(oldPath)
	target, errTarget := readRecord(newPath)
	foreign := errOld == nil && (old.Index != index || old.BootID != boot)
	switch {
	case oldKey == newKey, errTarget == nil && target.Index == index && target.BootID == boot:
		return nil // it is there
	case foreign, errOld != nil && h.record.empty():
		return nil // there is nothing
	}
	// The record last: as long as it has the old name, whoever comes after
	// us does all of this again.
	errs := []error{h.resolv.Rename(oldKey, newKey), h.cfg.names().Rename(oldKey, newKey, h.resolv), renameSystem(h.cfg, oldKey, newKey)}
	if errOld == nil {
		flags := uint(0)
		if errTarget == nil && target.BootID == boot {
			flags = unix.RENAME_EXCHANGE
		}
		h.step("move " + oldPath)
		errs = append(errs, unix.Renameat2(unix.AT_FDCWD, oldPath, unix.AT_FDCWD, newPath, flags))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("rename %s to %s: %w", h.link, to, err)
	}
	return nil
}

// findFormerName looks for a record of this very link under another name: it
// may have been renamed while nobody looked.
func (h *Host) findFormerName(now record) {
	r, err := readRecord(h.path)
	if err == nil && (r.BootID != now.BootID || r.Index == now.Index) || err != nil && !errors.Is(err, os.ErrNotExist) {
		return
	}
	for link, r := range records(h.cfg) {
		if r.Index == now.Index && r.BootID == now.BootID {
			if err := Rename(h.cfg, now.Index, link, h.link); err != nil {
				h.cfg.Log.Warn("what was done before is not known", "link", h.link, "error", err)
			}
			return
		}
	}
}

// records reads all records of links in cfg's namespace that can be read.
func records(cfg Config) map[string]record {
	out := map[string]record{}
	entries, _ := os.ReadDir(cfg.runDir()) // without it there are none
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), recordSuffix)
		key, err := url.PathUnescape(name)
		if !ok || err != nil {
			continue
		}
		ns := cfg.Namespace.Name()
		if r, err := readRecord(filepath.Join(cfg.runDir(), e.Name())); err == nil && r.Namespace == ns {
			out[strings.TrimSuffix(key, keyOf("", ns))] = r
		}
	}
	return out
}

// Remains returns the names of links in cfg's namespace of which something is
// written down: what was done to them by this or an earlier process. A link
// among them that does not exist any more is one for [Forget]; the others are
// opened as always.
func Remains(cfg Config) (links []string) {
	for link, r := range records(cfg) {
		if r.BootID == atomicfile.BootID() {
			links = append(links, link)
		}
	}
	for _, key := range cfg.names().Links() {
		if link, ns, _ := strings.Cut(key, "@"); ns == cfg.Namespace.Name() {
			links = append(links, link)
		}
	}
	for _, key := range systemLinks(cfg) {
		if link, ns, _ := strings.Cut(key, "@"); ns == cfg.Namespace.Name() {
			links = append(links, link)
		}
	}
	slices.Sort(links)
	return slices.Compact(links)
}

// Forget undoes what was done for a link that does not exist any more: what
// resolvers were told, its say in the host as a whole, and rules, are all that
// did not go with it.
func Forget(link string, cfg Config) error {
	h := &Host{link: link, cfg: cfg}
	errs := append(cfg.names().Unset(h.key(), resolv.None{}), forgetSystem(cfg, h.key()))
	if r, err := readRecord(recordPath(cfg.runDir(), h.key())); err == nil && r.BootID == atomicfile.BootID() && len(r.Rules) > 0 {
		h.record, h.kernel = r, openRules(cfg.Namespace)
		errs = append(errs, h.withdrawRules())
	}
	path := recordPath(cfg.runDir(), h.key())
	errs = append(errs, h.files().Remove(path))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("forget %s: %w", link, err)
	}
	return nil
}
