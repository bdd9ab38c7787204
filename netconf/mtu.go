package netconf

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// planMTU decides about the MTU: what is to be set, if anything, and what the
// record says of it before and after. A want of 0 puts back what was there.
// Where that is set again, somebody took ours away; any other value is his.
func (h *Host) planMTU(want int) (set int, during, after *mtuRecord, err error) {
	rec := h.record.MTU
	h.othersMTU = 0
	if want != 0 && want == h.badMTU { // tried before
		want = 0
		if rec != nil {
			want = rec.Set
		}
	}
	if want == 0 && rec == nil {
		return 0, nil, nil, nil
	}
	link, err := h.kernel.now()
	if err != nil {
		return 0, rec, rec, fmt.Errorf("read the MTU: %w", explain(err))
	}
	now, ours := link.mtu, rec.ours(link.mtu)
	switch {
	case want == 0 && ours:
		return rec.Old, rec, nil, nil
	case want == 0: // somebody else's by now, or never set
		return 0, nil, nil, nil
	case now == want && ours:
		after = &mtuRecord{Set: want, Old: rec.Old}
		return 0, after, after, nil
	case now == want: // it is as the lease wants it without us
		return 0, nil, nil, nil
	case rec != nil && !ours && now != rec.Old:
		h.othersMTU = now
		return 0, rec, rec, nil
	}
	during, after = &mtuRecord{Set: want, Old: now}, &mtuRecord{Set: want, Old: now}
	if ours {
		during.Former, during.Old, after.Old = now, rec.Old, rec.Old
	}
	return want, during, after, nil
}

// setMTU makes the change that was planned.
func (a *applier) setMTU() error {
	if a.mtu == 0 {
		return nil
	}
	link, err := a.kernel.now()
	if err != nil {
		return fmt.Errorf("read the MTU: %w", explain(err))
	}
	err = a.did(a.kernel.setMTU(a.mtu))
	if errors.Is(err, unix.EINVAL) { // the link cannot: that is no reason to have no address
		if a.after.MTU != nil {
			a.after.MTU, a.badMTU = a.before.MTU, a.mtu
			a.decide(a.Options())
		}
		a.cfg.Log.Warn("the link does not take the MTU", "link", a.link, "mtu", a.mtu)
		return nil
	}
	if err != nil {
		return fmt.Errorf("set the MTU to %d: %w", a.mtu, explain(err))
	}
	a.undo = append(a.undo, func() error { return a.kernel.setMTU(link.mtu) })
	return nil
}

// leaveMTU tells of an MTU that somebody else has set after us.
func (a *applier) leaveMTU() {
	a.decide(a.Options())
	text := ""
	if a.othersMTU != 0 {
		text = fmt.Sprint(a.othersMTU)
	}
	if a.news(toldMTU, text) && text != "" {
		a.cfg.Log.Warn("somebody else has set the MTU; it is left alone", "link", a.link, "mtu", text)
	}
}

// restoreMTU puts back the MTU that was there, unless somebody else has
// changed it since.
func (h *Host) restoreMTU() error {
	set, _, _, err := h.planMTU(0)
	if err == nil && set != 0 {
		err = h.did(h.kernel.setMTU(set))
	}
	if err = gone(err); err == nil {
		h.record.MTU = nil
	}
	return err
}
