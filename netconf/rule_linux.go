package netconf

import (
	"encoding/binary"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// rules lists all IPv4 rules.
func (c *calls) rules() (out []kernelRule, err error) {
	var answer [][]byte
	err = dump(func() (err error) {
		req := nl.NewNetlinkRequest(unix.RTM_GETRULE, unix.NLM_F_DUMP)
		req.AddData(&nl.RtMsg{RtMsg: unix.RtMsg{Family: unix.AF_INET}})
		answer, err = c.execute(req)
		return err
	})
	for _, m := range answer {
		if r, ok := ruleOf(m); ok {
			out = append(out, r)
		}
	}
	return out, err
}

// ruleOf reads a rule: a header like that of a route (struct fib_rule_hdr), and
// attributes. One that has more than ours have is not plain.
func ruleOf(m []byte) (out kernelRule, ok bool) {
	if len(m) < unix.SizeofRtMsg || m[0] != unix.AF_INET {
		return out, false
	}
	h := nl.DeserializeRtMsg(m)
	list, err := nl.ParseRouteAttr(m[unix.SizeofRtMsg:])
	out.Table = int(h.Table)
	out.plain = h.Type == nl.FR_ACT_TO_TBL && h.Src_len == 32 && h.Dst_len == 0 && h.Tos == 0 && h.Flags == 0
	for _, a := range list {
		number := 0
		if len(a.Value) >= 4 {
			number = int(binary.NativeEndian.Uint32(a.Value))
		}
		switch a.Attr.Type {
		case nl.FRA_SRC:
			out.From, _ = netip.AddrFromSlice(a.Value)
		case nl.FRA_PRIORITY:
			out.Priority = number
		case nl.FRA_TABLE:
			out.Table = number
		case nl.FRA_PROTOCOL:
			if len(a.Value) > 0 {
				out.proto = int(a.Value[0])
			}
		case nl.FRA_SUPPRESS_PREFIXLEN:
			out.plain = out.plain && int32(number) == -1
		default:
			out.plain = false
		}
	}
	return out, err == nil
}

// ruleRequest is a request about one of our rules.
func (c *calls) ruleRequest(kind, flags int, r Rule) error {
	req := nl.NewNetlinkRequest(kind, flags|unix.NLM_F_ACK)
	req.AddData(&nl.RtMsg{RtMsg: unix.RtMsg{Family: unix.AF_INET, Src_len: 32, Type: nl.FR_ACT_TO_TBL}})
	req.AddData(nl.NewRtAttr(nl.FRA_SRC, r.From.AsSlice()))
	req.AddData(nl.NewRtAttr(nl.FRA_PRIORITY, nl.Uint32Attr(uint32(r.Priority))))
	req.AddData(nl.NewRtAttr(nl.FRA_TABLE, nl.Uint32Attr(uint32(r.Table))))
	req.AddData(nl.NewRtAttr(nl.FRA_PROTOCOL, []byte{protoDHCP}))
	_, err := c.execute(req)
	return err
}

func (c *calls) addRule(r Rule) error {
	return c.ruleRequest(unix.RTM_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, r)
}

func (c *calls) delRule(r Rule) error { return c.ruleRequest(unix.RTM_DELRULE, 0, r) }

// rulesKernel is a kernel of rules alone, for links that are gone.
func (c *calls) rulesKernel() kernel {
	return kernel{rules: c.rules, addRule: c.addRule, delRule: c.delRule}
}

func openRules(ns *Namespace) kernel {
	if ns != nil {
		return ns.socket.rules()
	}
	return threadCalls().rulesKernel()
}
