package config

import (
	"reflect"
	"sync"
	"time"

	"github.com/lessee/lessee/arpcheck"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/netconf"
	"github.com/lessee/lessee/netconf/hook"
)

// A Link is what holds for one link. What only the link or the host can tell
// is still open: it is filled in by who has them.
type Link struct {
	Name string // as it was asked for

	// ClientID is option 61 as it was wished for: "mac", "duid", "none",
	// or hexadecimal digits.
	ClientID string
	// HostName is option 12 as it was wished for: a name, "none", or ""
	// for the host's own; see [Link.HostNameOn].
	HostName string
	// Machine has HostName, ClientID, MaxMessageSize and Rand still open,
	// and of its Link all but Broadcast.
	Machine machine.Config

	Probe   arpcheck.Mode
	Defence arpcheck.Defence

	Host       netconf.Options
	Resolver   string // see [netconf.Config]
	ResolvConf string // a file, or "none"

	// NoRequest are options that are not asked for, whoever would.
	NoRequest []dhcp4.Code
	// Policy is what is made of the options that servers send.
	Policy lease.Policy

	HooksDir    string // "": no hooks
	HookTimeout time.Duration
	HookStyle   hook.Style
	HookScript  string

	OnStop OnStop
}

// OnStop says what becomes of a link's configuration when the agent ends.
type OnStop string

// What may become of it.
const (
	Keep     OnStop = "keep"     // it stays, and nobody is told
	Withdraw OnStop = "withdraw" // it is taken away; the lease is remembered
	Release  OnStop = "release"  // and the lease is given back
)

// Equal reports whether nothing changes for the link if it is told o instead
// of l.
func (l Link) Equal(o Link) bool { return reflect.DeepEqual(l, o) }

// HostNameOn returns what option 12 says on a host that calls itself own:
// nothing, if it has no name of its own.
func (l Link) HostNameOn(own string) string {
	switch l.HostName {
	case "none":
		return ""
	case "":
		return ownName(own)
	}
	return l.HostName
}

// LinkSettings returns the table of settings that a link has, which is not to
// be changed.
func LinkSettings() []Setting { return linkSettings() }

var linkSettings = sync.OnceValue(func() []Setting { return settings(linkRows) })

// The settings of a link. Where two rows write one field, the order counts.
var linkRows = []row{
	{Setting{Name: "client-id", Group: Identity, Default: one("mac"), Example: "duid",
		Usage: "option 61: `mac` (hardware type and address), duid (RFC 4361), none, or hexadecimal digits"}, setClientID},
	{Setting{Name: "hostname", Group: Identity, Default: one(""), Example: "host-1",
		Usage: "option 12: `NAME`, or none; default: this host's name"}, setHostName},
	{Setting{Name: "vendor-class", Group: Identity, Default: one(""), Example: "phone",
		Usage: "option 60: `TEXT`"}, setVendorClass},
	{Setting{Name: "user-class", Kind: List, Group: Identity, Example: "lab",
		Usage: "option 77: `TEXT`; may be repeated"}, setUserClass},
	{Setting{Name: "option", Kind: List, Group: Identity, Example: "vendor-class-identifier=me",
		Usage: "send `NAME=VALUE` too, by the option's name or number (lessee options lists them); may be repeated"}, setOptions},
	{Setting{Name: "request", Kind: List, Commas: true, Group: Identity, Example: "tftp-server-name",
		Usage: "ask for option `NAME` too; may be repeated"}, setRequest},
	{Setting{Name: "no-request", Kind: List, Commas: true, Group: Identity, Example: "ntp-servers",
		Usage: "do not ask for option `NAME`; may be repeated"}, setNoRequest},
	{Setting{Name: "broadcast", Kind: Bool, Group: Identity, Default: one("false"), Example: "true",
		Usage: "ask servers to broadcast their answers"}, yes(func(t *target) *bool { return &t.link.Machine.Link.Broadcast })},

	{Setting{Name: "request-address", Group: Choice, Default: one(""), Example: "192.0.2.1",
		Usage: "wish for `ADDRESS` (option 50)"}, setRequestAddr},
	{Setting{Name: "lease-time", Kind: Duration, Group: Choice, Default: one(""), Words: []string{"infinite"}, Example: "1h",
		Usage: "wish for a lease of `TIME` (option 51), such as 1h or infinite"}, setLeaseTime},
	{Setting{Name: "require", In: []string{"", override}, Kind: List, Commas: true, Group: Choice, Example: "routers",
		Usage: "refuse offers, and the confirmation of a remembered lease, without option `NAME`; what extends a lease is taken without it too, and the log tells; may be repeated"}, codes(func(t *target) *[]dhcp4.Code { return &t.link.Machine.Require })},
	{Setting{Name: "allow-server", Kind: List, Commas: true, Group: Choice, Example: "192.0.2.1",
		Usage: "take offers from server `ADDRESS` (or prefix) only; may be repeated"}, setAllow},
	{Setting{Name: "deny-server", Kind: List, Commas: true, Group: Choice, Example: "192.0.2.1",
		Usage: "take no offers from server `ADDRESS` (or prefix); may be repeated"}, setDeny},

	{Setting{Name: "probe", Group: Getting, Default: one("fast"), Words: []string{"fast", "rfc5227", "off"}, Example: "fast",
		Usage: "how to check the address: `fast` (200 ms), rfc5227 (4 to 7 s), or off"}, setProbe},
	{Setting{Name: "offer-wait", Kind: Duration, Group: Getting, Default: one("auto"), Words: []string{"auto"}, Example: "500ms",
		Usage: "collect offers for `TIME`; 0 takes the first one; auto: 0 for a first lease, up to 500ms where there is a former one to weigh by"}, setOfferWait},
	{Setting{Name: "initial-delay", Kind: Duration, Group: Getting, Default: one("0s"), Example: "10s",
		Usage: "wait for a random part of `TIME` first (RFC 2131 suggests up to 10s)"}, duration(func(t *target) *time.Duration { return &t.link.Machine.InitialDelay })},
	{Setting{Name: "no-server", Group: Getting, Default: one("use"), Words: []string{"use", "fail"}, Example: "use",
		Usage: "with a remembered lease that no server confirms: `use` or fail"}, setNoServer},

	{Setting{Name: "metric", Kind: Number, Group: Host, Default: one("auto"), Words: []string{"auto"}, Example: "100",
		Usage: "of all routes: `NUMBER`, or auto"}, setMetric},
	{Setting{Name: "resolver", Group: Host, Default: one("auto"), Words: []string{"auto", "resolved", "resolvconf", "file", "none"}, Example: "resolved",
		Usage: "who is told of name servers: `auto` looks at the host, resolved (systemd-resolved), resolvconf (openresolv, or Debian's), file, or none"}, text(func(t *target) *string { return &t.link.Resolver })},
	{Setting{Name: "resolv-conf", Kind: Path, Group: Host, Default: one("/etc/resolv.conf"), Words: []string{"none"}, Example: "/etc/resolv.conf",
		Usage: "the `FILE` that auto looks at, and that is written where it is nobody else's; none leaves name servers alone"}, text(func(t *target) *string { return &t.link.ResolvConf })},
	{Setting{Name: "table", Kind: Number, Group: Host, Default: one("auto"), Words: []string{"auto", "main"}, Example: "100",
		Usage: "of all routes: `NUMBER`, main, or auto: that of the VRF that the link belongs to, else main"}, setTable},
	{Setting{Name: "source-routing", Group: Host, Default: one("auto"), Words: []string{"auto", "on", "off"}, Example: "on",
		Usage: "what the link's address sends leaves by the link: on, off, or `auto`: where another link has an address of the same subnet"}, setSourceRouting},
	{Setting{Name: "routes", Group: Host, Default: one("all"), Words: []string{"all", "default", "none"}, Example: "default",
		Usage: "which routes of a server to follow: `all`, default (only a default route: what a VPN wants), or none"}, setRoutes},
	{Setting{Name: "allow-route", Kind: List, Commas: true, Group: Host, Example: "169.254.169.254",
		Usage: "follow routes to destinations within `PREFIX` whatever --routes says; 0.0.0.0/0 is the default route alone; may be repeated"}, setAllowRoute},
	{Setting{Name: "deny-route", Kind: List, Commas: true, Group: Host, Example: "10.8.0.0/16",
		Usage: "follow no route that overlaps `PREFIX`, not even to the link's own subnet; 0.0.0.0/0 is the default route alone; may be repeated"}, setDenyRoute},
	{Setting{Name: "max-routes", Kind: Number, Group: Host, Default: one("256"), Example: "64",
		Usage: "follow at most `NUMBER` routes beside the default route"}, positive(func(t *target) *int { return &t.link.Host.Received.Max })},
	{Setting{Name: "widest-subnet", Kind: Number, Group: Host, Default: one("8"), Example: "16",
		Usage: "the link's own subnet gets no route if its prefix is shorter than `LENGTH`"}, setWidest},
	{Setting{Name: "ms-routes", Kind: Bool, Group: Host, Default: one("false"), Example: "true",
		Usage: "follow option 249 where option 121 is missing"}, setMSRoutes},
	{Setting{Name: "mtu", Kind: Bool, Group: Host, Default: one("true"), Example: "false",
		Usage: "set the link's MTU to what the server says (--no-mtu leaves it alone)"}, yes(func(t *target) *bool { return &t.link.Host.MTU })},

	{Setting{Name: "accept-hostname", Group: Host, Default: one("auto"), Words: []string{"auto", "always", "never"}, Example: "never",
		Usage: "call the host as the server says: `auto` (if it has no name of its own), always, or never"}, setAcceptHostName},
	{Setting{Name: "accept-time-servers", Group: Host, Default: one("never"), Words: []string{"always", "never"}, Example: "always",
		Usage: "hand the server's time servers to chrony, systemd-timesyncd and ntpsec: `never`, or always"}, setAcceptTimeServers},
	{Setting{Name: "accept-timezone", Group: Host, Default: one("never"), Words: []string{"always", "never"}, Example: "always",
		Usage: "set the host's time zone as the server says: `never`, or always"}, setAcceptTimeZone},
	{Setting{Name: "hooks-dir", Kind: Path, Group: Host, Default: one("/etc/lessee/hooks.d"), Words: []string{"none"}, Example: "/etc/lessee/hooks.d",
		Usage: "run the programs in `DIR` on events, with the event as JSON on standard input; none runs none"}, setHooksDir},
	{Setting{Name: "hook-timeout", Kind: Duration, Group: Host, Default: one("30s"), Example: "30s",
		Usage: "a hook or script is killed after `TIME`"}, setHookTimeout},
	{Setting{Name: "hook-style", Group: Host, Default: one("none"), Words: []string{"none", "udhcpc", "dhclient"}, Example: "udhcpc",
		Usage: "have a script of udhcpc's or dhclient's configure the host instead of lessee: `STYLE`"}, setHookStyle},
	{Setting{Name: "hook-script", Kind: Path, Group: Host, Default: one(""), Example: "/etc/udhcpc/default.script",
		Usage: "with --hook-style, the script is `FILE`; default: /etc/udhcpc/default.script or /sbin/dhclient-script"}, setHookScript},

	{Setting{Name: "supersede", In: one(override), Kind: Table, Group: Override, Example: "domain-name-servers=192.0.2.1",
		Usage: "use `NAME=VALUE` whatever the server sends; without a value, as if it had not sent the option; may be repeated"}, setPolicy(lease.Supersede)},
	{Setting{Name: "default", In: one(override), Kind: Table, Group: Override, Example: "domain-name=example.org",
		Usage: "use `NAME=VALUE` if the server does not send the option; may be repeated"}, setPolicy(lease.Default)},
	{Setting{Name: "prepend", In: one(override), Kind: Table, Group: Override, Example: "domain-name-servers=192.0.2.1",
		Usage: "put `NAME=VALUE` before what the server sends; may be repeated"}, setPolicy(lease.Prepend)},
	{Setting{Name: "append", In: one(override), Kind: Table, Group: Override, Example: "domain-search=example.org",
		Usage: "put `NAME=VALUE` after what the server sends; may be repeated"}, setPolicy(lease.Append)},

	{Setting{Name: "carrier-delay", Kind: Duration, Group: Keeping, Default: one("3s"), Example: "3s",
		Usage: "a carrier that is back within `TIME` was never lost"}, duration(func(t *target) *time.Duration { return &t.link.Machine.CarrierDelay })},
	{Setting{Name: "defence", Group: Keeping, Default: one("once"), Words: []string{"once", "never", "always"}, Example: "once",
		Usage: "of the address against another host that uses it (RFC 5227, section 2.4): `once`, never, or always"}, setDefence},
	{Setting{Name: "on-stop", Group: Keeping, Default: one("keep"), Words: []string{"keep", "withdraw", "release"}, Example: "keep",
		Usage: "when the agent ends, `keep` address and lease, withdraw the address, or release the lease too"}, setOnStop},
}

// override is the table, below a link's, of what is made of options.
const override = "override"

func one(word string) []string { return []string{word} }
