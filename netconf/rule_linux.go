package netconf

import (
	"net/netip"

	"github.com/vishvananda/netlink"
)

// rules lists all IPv4 rules.
func (c *calls) rules() (out []kernelRule, err error) {
	var list []netlink.Rule
	err = dump(func() (err error) {
		list, err = c.ruleList(netlink.FAMILY_V4)
		return err
	})
	for _, r := range list {
		from := prefixOf(r.Src)
		out = append(out, kernelRule{
			Rule:  Rule{From: from.Addr(), Table: r.Table, Priority: r.Priority},
			proto: int(r.Protocol),
			plain: from.IsValid() && from.IsSingleIP() && r.Dst == nil && r.Mark == 0 && r.Mask == nil && r.Tos == 0 && r.TunID == 0 &&
				r.IifName == "" && r.OifName == "" && !r.Invert && r.Dport == nil && r.Sport == nil && r.IPProto == 0 && r.UIDRange == nil &&
				r.Goto < 0 && r.SuppressPrefixlen < 0 && r.SuppressIfgroup < 0,
		})
	}
	return out, err
}

func rule(r Rule) *netlink.Rule {
	out := netlink.NewRule()
	out.Src, out.Table, out.Priority, out.Protocol = ipNet(netip.PrefixFrom(r.From, 32)), r.Table, r.Priority, protoDHCP
	return out
}

func (c *calls) addRule(r Rule) error { return c.ruleAdd(rule(r)) }
func (c *calls) delRule(r Rule) error { return c.ruleDel(rule(r)) }

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
