package netconf

import (
	"fmt"
	"strings"
)

// arpFilter is the sysctl net.ipv4.conf.LINK.arp_filter that source routing
// wants: a link answers ARP for those addresses only that it would answer
// packets from.
const arpFilter = 1

// sysctlText is the sysctl as sysctl(8) takes it. Links have dots in their
// names too.
func sysctlText(link string, value int) string {
	return fmt.Sprintf("net.ipv4.conf.%s.arp_filter=%d", strings.ReplaceAll(link, ".", "/"), value)
}

// arpFilterRecord is what was done to it.
type arpFilterRecord struct {
	Set int `json:"set"`
	Old int `json:"old"` // that was there before us
}

// planARPFilter decides about it: what is to be set, if anything, and what the
// record says of it before and after.
func (h *Host) planARPFilter(want bool) (set *int, during, after *arpFilterRecord, err error) {
	rec := h.record.ARPFilter
	if !want && rec == nil {
		return nil, nil, nil, nil
	}
	now, err := h.kernel.arpFilter()
	if err != nil {
		return nil, rec, rec, fmt.Errorf("read arp_filter: %w", explain(err))
	}
	ours := rec != nil && now == rec.Set
	switch {
	case !want && ours:
		return &rec.Old, rec, nil, nil
	case !want: // somebody else's by now
		return nil, nil, nil, nil
	case ours:
		return nil, rec, rec, nil
	case now == arpFilter: // it is so without us
		return nil, nil, nil, nil
	}
	rec = &arpFilterRecord{Set: arpFilter, Old: now}
	return &rec.Set, rec, rec, nil
}

// setARPFilter makes the change that was planned.
func (a *applier) setARPFilter() error {
	if a.arpFilter == nil {
		return nil
	}
	old, err := a.kernel.arpFilter()
	if err == nil {
		err = a.did(a.kernel.setARPFilter(*a.arpFilter))
	}
	if err != nil {
		return fmt.Errorf("set arp_filter: %w", explain(err))
	}
	a.undo = append(a.undo, func() error { return a.kernel.setARPFilter(old) })
	return nil
}

// restoreARPFilter puts back what was there, unless somebody else has changed
// it since.
func (h *Host) restoreARPFilter() error {
	set, _, _, err := h.planARPFilter(false)
	if err == nil && set != nil {
		err = h.did(h.kernel.setARPFilter(*set))
	}
	if err = gone(err); err == nil {
		h.record.ARPFilter = nil
	}
	return err
}
