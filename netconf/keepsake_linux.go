package netconf

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const rtaNHID = 30 // RTA_NH_ID of linux/rtnetlink.h

// belongings lists what others have on the link, of a family, that goes with
// the link's last address or when it is set down: routes that somebody made,
// and permanent neighbours. Routes by nexthop objects (ip-nexthop(8)) stay.
func (k *netlinkKernel) belongings(family int) (out []keepsake, err error) {
	err = dump(func() error {
		neighbours, err := k.messages(family, unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, k.isPermanent)
		if err != nil {
			return err
		}
		routes, err := k.messages(family, unix.RTM_GETROUTE, unix.RTM_NEWROUTE, k.isTheirRoute)
		out = neighbours
		for _, byRouter := range []bool{false, true} { // these need the others
			for _, r := range routes {
				if (nl.DeserializeRtMsg(r.Message).Scope == unix.RT_SCOPE_UNIVERSE) == byRouter {
					out = append(out, r)
				}
			}
		}
		return err
	})
	return out, err
}

// messages are those of a list of the kernel's that are wanted.
func (k *netlinkKernel) messages(family, get, kind int, wanted func([]byte) bool) (out []keepsake, err error) {
	req := nl.NewNetlinkRequest(get, unix.NLM_F_DUMP)
	req.AddData(&nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(family)}}) // as long as a neighbour's header
	err = k.each(req, func(m []byte) bool {
		if len(m) >= unix.SizeofRtMsg && m[0] == uint8(family) && wanted(m) {
			out = append(out, keepsake{uint16(kind), slices.Clone(m)})
		}
		return len(out) < maxKeepsakes
	})
	return out, err
}

// isTheirRoute reports whether a route is by this link, and one that somebody
// made: not the kernel, and not we. Ours, and those like them, go with their
// source.
func (k *netlinkKernel) isTheirRoute(m []byte) bool {
	h, b := nl.DeserializeRtMsg(m), m[unix.SizeofRtMsg:]
	byLink := number32(attribute(b, unix.RTA_OIF)) == k.index() || slices.Contains(hops(attribute(b, unix.RTA_MULTIPATH)), k.index())
	ours := h.Protocol == protoDHCP && attribute(b, unix.RTA_PREFSRC) != nil
	made := !ours && h.Protocol != unix.RTPROT_KERNEL && h.Protocol != unix.RTPROT_REDIRECT && h.Protocol != unix.RTPROT_RA
	return byLink && made && h.Table != tableLocal && h.Flags&unix.RTM_F_CLONED == 0 && attribute(b, rtaNHID) == nil
}

// hops are the links of a route that has several.
func hops(b []byte) (links []int) {
	for len(b) >= unix.SizeofRtNexthop {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtNexthop || n > len(b) {
			break
		}
		links = append(links, number32(b[4:]))
		b = b[min(len(b), (n+3)&^3):]
	}
	return links
}

// isPermanent reports whether a neighbour is on this link, and somebody's.
func (k *netlinkKernel) isPermanent(m []byte) bool {
	const index, state, kind = 4, 8, 11 // in struct ndmsg
	return number32(m[index:]) == k.index() && binary.NativeEndian.Uint16(m[state:])&unix.NUD_PERMANENT != 0 && m[kind] == unix.RTN_UNICAST
}

// restore makes it anew; EEXIST if it is there. Of a route by several links the
// part by ours may be dead, and that comes to life with a new route only.
func (k *netlinkKernel) restore(s keepsake) error {
	m := slices.Clone(s.Message)
	if s.Kind == unix.RTM_NEWROUTE && len(m) >= unix.SizeofRtMsg {
		const at = 8 // rtm_flags; all but this one are the kernel's to say
		binary.NativeEndian.PutUint32(m[at:], binary.NativeEndian.Uint32(m[at:])&unix.RTNH_F_ONLINK)
		if attribute(m[unix.SizeofRtMsg:], unix.RTA_MULTIPATH) != nil {
			if err := k.replay(unix.RTM_DELROUTE, 0, m); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
	}
	return k.replay(int(s.Kind), unix.NLM_F_CREATE|unix.NLM_F_EXCL, m)
}

func (k *netlinkKernel) replay(kind, flags int, m []byte) error {
	req := nl.NewNetlinkRequest(kind, flags|unix.NLM_F_ACK)
	req.AddRawData(m)
	_, err := k.execute(req)
	return err
}

// number32 is a number in the host's order; 0 without one.
func number32(b []byte) int {
	if len(b) < 4 {
		return 0
	}
	return int(int32(binary.NativeEndian.Uint32(b)))
}
