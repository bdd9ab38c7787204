package netconf

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// A Rule is a routing rule: what an address of ours sends is looked up in a
// table of its own first.
type Rule struct {
	From     netip.Addr `json:"from"`
	Table    int        `json:"table"`
	Priority int        `json:"priority"`
}

// String returns the rule as ip-rule(8) takes it.
func (r Rule) String() string {
	return fmt.Sprintf("from %v lookup %d priority %d", r.From, r.Table, r.Priority)
}

// kernelRule is a rule that the kernel has.
type kernelRule struct {
	Rule
	plain bool // of a kind that we could have made
	proto int
}

// ownsRule reports whether a rule is ours: it is marked as ours, and either the
// record names it or its table is one that only this link of ours uses. Kernels
// before 4.17 do not keep the mark.
func (h *Host) ownsRule(r kernelRule) bool {
	named := slices.Contains(h.record.Rules, r.Rule)
	return r.plain && (r.proto == protoDHCP && (named || h.isOwnTable(r.Table)) || r.proto == 0 && named)
}

// rules lists all rules; a kernel that has none by its build has none.
func (h *Host) rules() ([]kernelRule, error) {
	list, err := h.kernel.rules()
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list rules: %w", explain(err))
	}
	return list, nil
}

// setRules makes the difference between the rules that are ours and the
// plan's.
func (a *applier) setRules() error {
	for _, r := range slices.Clone(a.after.Rules) {
		if slices.Contains(a.view.rules, r) {
			continue
		}
		err := a.did(a.kernel.addRule(r))
		if errors.Is(err, unix.EEXIST) { // somebody else's says the same
			a.after.Rules = slices.DeleteFunc(a.after.Rules, func(o Rule) bool { return o == r })
			continue
		}
		if err != nil {
			return fmt.Errorf("add rule %v: %w", r, explain(err))
		}
		a.undo = append(a.undo, func() error { return a.kernel.delRule(r) })
	}
	for _, r := range a.view.rules {
		if slices.Contains(a.after.Rules, r) {
			continue
		}
		if err := a.deleteRule(r); err != nil {
			return err
		}
		a.undo = append(a.undo, func() error { return a.kernel.addRule(r) })
	}
	return nil
}

// deleteRule deletes a rule of ours; one that is not there is no error.
func (h *Host) deleteRule(r Rule) error {
	err := h.did(h.kernel.delRule(r))
	if errors.Is(err, unix.ENOENT) || gone(err) == nil {
		return nil
	}
	return fmt.Errorf("delete rule %v: %w", r, explain(err))
}

// deleteRules deletes all rules of ours, and returns those that it could not.
func (h *Host) deleteRules(list []kernelRule) (left []Rule, err error) {
	for _, r := range list {
		if !h.ownsRule(r) {
			continue
		}
		if errRule := h.deleteRule(r.Rule); errRule != nil {
			left, err = append(left, r.Rule), errors.Join(err, errRule)
		}
	}
	return left, err
}
