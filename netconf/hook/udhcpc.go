package hook

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lessee/lessee/client/dhcp4"
)

// udhcpcNames are the names that busybox 1.35 has for options whose value is one
// that [value] can write. The others it calls by their number.
var udhcpcNames = map[dhcp4.Code]string{
	2: "timezone", 3: "router", 6: "dns", 9: "lprsrv", 12: "hostname", 13: "bootsize", 15: "domain", 16: "swapsrv",
	17: "rootpath", 23: "ipttl", 26: "mtu", 28: "broadcast", 33: "routes", 40: "nisdomain", 41: "nissrv", 42: "ntpsrv",
	44: "wins", 51: "lease", 54: "serverid", 56: "message", 60: "vendor", 66: "tftp", 67: "bootfile", 100: "tzstr",
	101: "tzdbstr", 119: "search", 121: "staticroutes", 209: "pxeconffile", 210: "pxepathprefix", 211: "reboottime",
	249: "msstaticroutes", 252: "wpad",
}

// udhcpc is what busybox's client tells its script.
func (c *call) udhcpc(e *env) {
	l := c.new
	e.set("interface", c.link)
	if c.reason == ReasonNAK || c.reason == ReasonFail {
		e.set("message", c.text)
	}
	if !c.reason.configures() || l == nil {
		return
	}
	e.set("ip", l.Addr.Addr().String())
	e.set("subnet", netmask(l.Addr)) // also where the server sent none
	e.set("mask", strconv.Itoa(l.Addr.Bits()))
	e.set("lease", strconv.FormatUint(uint64(c.seconds(l)), 10))
	e.set("serverid", one(l.Server))
	e.set("opt53", "05")
	for _, o := range l.Options {
		name, named := udhcpcNames[o.Code]
		switch v := value(o); {
		case o.Code == dhcp4.InterfaceMTU.Code && !c.mtu:
		case !named:
			e.unnamed(o)
		case o.Code == dhcp4.StaticRoutes.Code:
			e.set(name, routes(l.StaticRoutes, "/", host))
		case o.Code == dhcp4.ClasslessRoutes.Code:
			e.set(name, routes(l.ClasslessRoutes, " ", netip.Prefix.String))
		case o.Code == dhcp4.MSRoutes.Code:
			e.set(name, routes(l.MSRoutes, " ", netip.Prefix.String))
		default:
			e.set(name, v)
		}
	}
	e.set("siaddr", one(l.NextServer))
	e.set("boot_file", l.BootFile)
}

// unnamed tells of an option in hexadecimal digits.
func (e *env) unnamed(o dhcp4.RawOption) {
	switch o.Code {
	case dhcp4.SubnetMask.Code, dhcp4.MsgType.Code:
		return // told otherwise
	}
	e.set(fmt.Sprintf("opt%d", uint8(o.Code)), fmt.Sprintf("%x", o.Value))
}

// routes writes routes, destination and gateway parted by between.
func routes(list []dhcp4.Route, between string, dest func(netip.Prefix) string) string {
	var out []string
	for _, r := range list {
		out = append(out, dest(r.Dest)+between+r.Gateway.String())
	}
	return strings.Join(out, " ")
}

// host is a destination as option 33 has it, without a mask.
func host(p netip.Prefix) string { return p.Addr().String() }
