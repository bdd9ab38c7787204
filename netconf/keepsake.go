package netconf

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// A keepsake is a route or a permanent neighbour of somebody else's that the
// kernel takes away along with something of ours: with a link's last IPv4
// address all routes by that link go, and all neighbours, and with IFF_UP too.
// It is in the kernel's own words; the message that tells of it makes it anew.
type keepsake struct {
	Kind    uint16 `json:"kind"` // of message: RTM_NEWROUTE or RTM_NEWNEIGH
	Message []byte `json:"message"`
}

// maxKeepsakes bounds how many are kept. Who has more has a routing daemon,
// which sees to its routes itself.
const maxKeepsakes = 1000

// keepAt writes down what goes with an address, and with those that it takes
// along, if no other is left on the link then.
func (h *Host) keepAt(p netip.Prefix, along []kernelAddr) error {
	list, err := h.kernel.addrs()
	if err != nil {
		return fmt.Errorf("list addresses: %w", explain(err))
	}
	stays := func(a kernelAddr) bool {
		same := func(o kernelAddr) bool { return o.Prefix == a.Prefix }
		return a.Prefix.Addr().Is4() && a.Prefix != p && !slices.ContainsFunc(along, same)
	}
	if slices.ContainsFunc(list, stays) {
		return nil
	}
	return h.keep(unix.AF_INET)
}

// keep writes down what is going to be taken along.
func (h *Host) keep(families ...int) error {
	all := slices.Clone(h.record.Taken)
	for _, family := range families {
		list, err := h.kernel.belongings(family)
		if err != nil {
			return fmt.Errorf("list what others have on the link: %w", explain(err))
		}
		all = append(all, list...)
	}
	h.record.Taken = all
	h.save()
	return nil
}

// giveBack puts back what was taken along. What cannot be there yet, because
// its router is not reached, waits for another time, unless this is the last:
// then it was only there because of what we had configured.
func (h *Host) giveBack(last bool) error {
	var wait []keepsake
	var errs []error
	for _, k := range h.record.Taken {
		err := gone(h.kernel.restore(k))
		switch {
		case err == nil, errors.Is(err, unix.EEXIST):
			continue
		case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENETDOWN):
			if last {
				h.cfg.Log.Warn("somebody's route went with the address and cannot be there without it", "link", h.link, "error", err)
				continue
			}
		default:
			errs = append(errs, fmt.Errorf("put back what went with the address: %w", explain(err)))
		}
		wait = append(wait, k)
	}
	h.record.Taken = wait
	return errors.Join(errs...)
}
