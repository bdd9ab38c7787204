package netconf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/lease"
)

// Withdraw undoes everything that was applied, also by a process that died
// over it. What is gone already is no error. What cannot be undone is an error,
// and the record goes on to name it.
func (h *Host) Withdraw(_ context.Context, _ lease.Lease) error {
	errs := []error{h.withdraw()}
	h.withdrawNames()
	h.withdrawSystem()
	h.save()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("take the lease off %s: %w", h.link, explain(err))
	}
	return nil
}

// withdraw takes everything from the kernel.
func (h *Host) withdraw() error {
	switch _, err := h.kernel.now(); {
	case errors.Is(err, ErrNoLink):
		h.record.WasDown = false // nobody will ask for Down
	case err != nil:
		return fmt.Errorf("look at the link: %w", err)
	}
	var v view
	routes, err := h.look(&v, nil)
	if err != nil && gone(err) == nil { // with the link, all but rules
		return h.withdrawRules()
	}
	if err != nil {
		return err
	}
	v.sort(h, routes, nil)
	errs := []error{h.putBack(), h.giveBack(false)}
	left := h.record.blank()
	left.Rules, err = h.deleteRules(v.allRules)
	errs = append(errs, err)
	for _, r := range slices.Backward(v.routes) {
		if err := gone(h.did(h.kernel.delRoute(r))); err != nil {
			errs = append(errs, fmt.Errorf("delete route %v: %w", r, err))
			left.Routes = append(left.Routes, r)
		}
	}
	for _, a := range v.ours {
		deleted, err := h.deleteAddress(v, a.Prefix)
		if errs = append(errs, err); !deleted && err != nil {
			left.Addresses = append(left.Addresses, a)
		}
	}
	errs = append(errs, h.giveBack(true), h.restoreARPFilter(), h.restoreMTU())
	left.ARPFilter, left.MTU, left.Displaced, left.Taken = h.record.ARPFilter, h.record.MTU, h.record.Displaced, h.record.Taken
	h.record = left
	return errors.Join(errs...)
}

// withdrawRules takes away what does not go with its link.
func (h *Host) withdrawRules() error {
	list, err := h.rules()
	left := h.record.blank()
	var errRules error
	left.Rules, errRules = h.deleteRules(list)
	h.record = left
	return errors.Join(err, errRules)
}

// deleteAddress deletes an address of ours, and nothing else: what the kernel
// takes along of others' is written down first and put back.
func (h *Host) deleteAddress(v view, p netip.Prefix) (deleted bool, err error) {
	d := v.displaced(p)
	if err := h.keepAt(p, d); err != nil {
		return false, err
	}
	if len(d) > 0 {
		h.record.Displaced = d
		h.save()
	}
	if err := gone(h.did(h.kernel.delAddr(p))); err != nil {
		h.record.Displaced = nil
		return false, fmt.Errorf("delete address %v: %w", p, explain(err))
	}
	return true, errors.Join(h.putBack(), h.giveBack(false))
}

// putBack puts back what went with an address of ours.
func (h *Host) putBack() error {
	for len(h.record.Displaced) > 0 {
		a := h.record.Displaced[0]
		if err := gone(h.kernel.putBack(a)); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("put back address %v: %w", a.Prefix, explain(err))
		}
		h.record.Displaced = slices.Delete(slices.Clone(h.record.Displaced), 0, 1)
	}
	return nil
}
