package netconf

import (
	"fmt"
	"slices"
	"strings"
)

// A Sysctl is a parameter of the link, one of net.ipv4.conf.LINK.
type Sysctl struct {
	Name  string
	Value int
}

// String returns the parameter as sysctl(8) takes it, less the folder.
func (s Sysctl) String() string { return fmt.Sprintf("%s=%d", s.Name, s.Value) }

// sysctlLink is a link's name as sysctl(8) takes it, which has dots of its own.
func sysctlLink(name string) string { return strings.ReplaceAll(name, ".", "/") }

// arpFilter makes a link answer ARP for those addresses only that it would
// answer packets from.
const arpFilter = "arp_filter"

// sysctlNames are all that we ever touch.
var sysctlNames = []string{arpFilter}

// sysctlRecord is what was done to a parameter.
type sysctlRecord struct {
	Name string `json:"name"`
	Set  int    `json:"set"`
	Old  int    `json:"old"` // that was there before us
}

// planSysctls decides about the parameters: what is to be set, and what the
// record says of them before and after.
func (h *Host) planSysctls(want []Sysctl) (set []Sysctl, during, after []sysctlRecord, err error) {
	for _, name := range sysctlNames {
		w := slices.IndexFunc(want, func(s Sysctl) bool { return s.Name == name })
		r := slices.IndexFunc(h.record.Sysctls, func(r sysctlRecord) bool { return r.Name == name })
		if w < 0 && r < 0 {
			continue
		}
		now, err := h.kernel.sysctl(name)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("read %s: %w", name, explain(err))
		}
		ours := r >= 0 && now == h.record.Sysctls[r].Set
		switch {
		case w < 0 && ours:
			during = append(during, h.record.Sysctls[r])
			set = append(set, Sysctl{name, h.record.Sysctls[r].Old})
		case w < 0: // somebody else's by now
		case ours && now == want[w].Value:
			during, after = append(during, h.record.Sysctls[r]), append(after, h.record.Sysctls[r])
		case now == want[w].Value: // it is so without us
		default:
			rec := sysctlRecord{name, want[w].Value, now}
			during, after = append(during, rec), append(after, rec)
			set = append(set, want[w])
		}
	}
	return set, during, after, nil
}

// setSysctls makes the changes that were planned.
func (a *applier) setSysctls() error {
	for _, s := range a.sysctls {
		old, err := a.kernel.sysctl(s.Name)
		if err == nil {
			err = a.did(a.kernel.setSysctl(s.Name, s.Value))
		}
		if err != nil {
			return fmt.Errorf("set %v: %w", s, explain(err))
		}
		a.undo = append(a.undo, func() error { return a.kernel.setSysctl(s.Name, old) })
	}
	return nil
}

// restoreSysctls puts back what was there, unless somebody else has changed it
// since.
func (h *Host) restoreSysctls() error {
	set, _, _, err := h.planSysctls(nil)
	for _, s := range set {
		if err == nil {
			err = h.did(h.kernel.setSysctl(s.Name, s.Value))
		}
	}
	if err = gone(err); err == nil {
		h.record.Sysctls = nil
	}
	return err
}
