package hook

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// dhclientNames are the names of options that dhclient 4.4 has otherwise than
// this program; that of 121 is in Debian's dhclient.conf, that of 249 in others.
var dhclientNames = map[dhcp4.Code]string{
	dhcp4.ClasslessRoutes.Code: "rfc3442_classless_static_routes",
	dhcp4.MSRoutes.Code:        "ms_classless_static_routes",
	dhcp4.PosixTimezone.Code:   "pcode",
	dhcp4.TZDatabase.Code:      "tcode",
	dhcp4.CaptivePortal.Code:   "default_url",
	dhcp4.CAPWAP.Code:          "capwap_ac_v4",
	dhcp4.TFTPServers.Code:     "tftp_server_address",
	dhcp4.PXELinuxConfig.Code:  "loader_configfile",
	dhcp4.PXELinuxPrefix.Code:  "loader_pathprefix",
	dhcp4.PXELinuxReboot.Code:  "loader_reboottime",
}

// dhclient is what ISC's client tells its script. Of the variables alias_* and
// medium, which come from its own configuration, there are none.
func (c *call) dhclient(e *env) {
	e.set("reason", string(c.reason))
	e.set("interface", c.link)
	if c.old != nil && c.reason != ReasonReboot && c.reason != ReasonTimeout {
		c.params(e, "old_", c.old)
	}
	if c.new != nil && c.reason.configures() {
		c.params(e, "new_", c.new)
	}
}

// params tells of one lease.
func (c *call) params(e *env, prefix string, l *lease.Lease) {
	e.set(prefix+"ip_address", l.Addr.Addr().String())
	e.set(prefix+"network_number", masked(l.Addr).String())
	e.set(prefix+"subnet_mask", netmask(l.Addr)) // also where the server sent none
	e.set(prefix+"dhcp_lease_time", strconv.FormatUint(uint64(c.seconds(l)), 10))
	e.set(prefix+"dhcp_server_identifier", one(l.Server))
	for _, o := range l.Options {
		if o.Code != dhcp4.InterfaceMTU.Code || c.mtu {
			e.set(prefix+dhclientName(o.Code), dhclientValue(o))
		}
	}
	e.set(prefix+"broadcast_address", lastOf(l.Addr).String()) // where the server sent none
	e.set(prefix+"next_server", one(l.NextServer))
	e.set(prefix+"filename", l.BootFile)
	e.set(prefix+"expiry", expiry(l))
}

// expiry is in Unix time; dhclient's for ever is the end of 32 bits.
func expiry(l *lease.Lease) string {
	if l.Infinite() {
		return "2147483647"
	}
	return strconv.FormatInt(l.Expiry.Unix(), 10)
}

func dhclientName(c dhcp4.Code) string {
	if name, ok := dhclientNames[c]; ok {
		return name
	}
	if _, ok := dhcp4.ByCode(c); !ok {
		return fmt.Sprintf("unknown_%d", uint8(c))
	}
	return strings.ReplaceAll(c.String(), "-", "_")
}

// dhclientValue writes an option's value as dhclient does.
func dhclientValue(o dhcp4.RawOption) string {
	switch o.Code {
	case dhcp4.ClasslessRoutes.Code, dhcp4.MSRoutes.Code:
		if _, err := dhcp4.ClasslessRoutes.Get(dhcp4.Options{{Code: dhcp4.ClasslessRoutes.Code, Value: o.Value}}); err != nil {
			return ""
		}
		return strings.Trim(fmt.Sprint([]byte(o.Value)), "[]") // numbers, a byte each
	case dhcp4.StaticRoutes.Code:
		static, err := dhcp4.StaticRoutes.Get(dhcp4.Options{o})
		if err != nil {
			return ""
		}
		return routes(static, " ", host)
	case dhcp4.MsgType.Code:
		if len(o.Value) == 1 {
			return strconv.Itoa(int(o.Value[0]))
		}
	case dhcp4.DomainSearch.Code:
		return rooted(value(o))
	case dhcp4.TimeOffset.Code:
		if len(o.Value) == 4 {
			return strconv.Itoa(int(int32(binary.BigEndian.Uint32(o.Value))))
		}
	case dhcp4.VendorSpecific.Code:
		return colons(o.Value)
	default:
		if _, known := dhcp4.ByCode(o.Code); known {
			return value(o)
		}
		return textOrBytes(o.Value)
	}
	return ""
}

// rooted ends each name with a dot.
func rooted(names string) string {
	if names == "" {
		return ""
	}
	return strings.ReplaceAll(names, " ", ". ") + "."
}

// textOrBytes writes what has no form as text, if that is what it may be.
func textOrBytes(b []byte) string {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return colons(b)
		}
	}
	return string(b)
}

// colons writes bytes as hexadecimal digits.
func colons(b []byte) string {
	out := make([]string, len(b))
	for i, c := range b {
		out[i] = strconv.FormatUint(uint64(c), 16)
	}
	return strings.Join(out, ":")
}
