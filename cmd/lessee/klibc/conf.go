package klibc

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// infinite is how the wire, and ipconfig, say that a lease never ends.
const infinite = 1<<32 - 1

// Conf returns the file's text for a link that holds l since uptime, which is
// counted from the kernel's start.
func Conf(link string, l lease.Lease, uptime time.Duration) []byte {
	var b strings.Builder
	for _, v := range [][2]string{
		{"DEVICE", link},
		{"PROTO", "dhcp"},
		{"IPV4ADDR", address(l.Addr.Addr())},
		{"IPV4BROADCAST", address(broadcast(l))},
		{"IPV4NETMASK", address(netmask(l.Addr))},
		{"IPV4GATEWAY", address(gateway(l))},
		{"IPV4DNS0", address(nth(l.DNS, 0))},
		{"IPV4DNS1", address(nth(l.DNS, 1))},
		{"HOSTNAME", l.HostName},
		{"DNSDOMAIN", l.Domain},
		{"NISDOMAIN", text(dhcp4.NISDomain, l.Options)},
		{"ROOTSERVER", address(rootServer(l))},
		{"ROOTPATH", text(dhcp4.RootPath, l.Options)},
		{"filename", l.BootFile},
		{"UPTIME", strconv.FormatInt(int64(uptime/time.Second), 10)},
		{"DHCPLEASETIME", strconv.FormatInt(seconds(l), 10)},
		{"DOMAINSEARCH", search(l.Search)},
	} {
		fmt.Fprintf(&b, "%s=%s\n", v[0], quote(v[1]))
	}
	return []byte(b.String())
}

// maxValue bounds a value: more than any option can hold, or a name.
const maxValue = 4096

// quote writes a value so that a POSIX shell reads exactly that; one that
// nobody can mean becomes empty.
func quote(s string) string {
	if len(s) > maxValue || strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) {
		s = ""
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func address(a netip.Addr) string {
	if !a.Is4() {
		return "0.0.0.0"
	}
	return a.String()
}

func nth(list []netip.Addr, n int) netip.Addr {
	if n >= len(list) {
		return netip.Addr{}
	}
	return list[n]
}

// text reads an option; absent and malformed both are empty.
func text(o dhcp4.Option[string], from dhcp4.Options) string {
	v, err := o.Get(from)
	if err != nil {
		return ""
	}
	return v
}

func netmask(p netip.Prefix) netip.Addr {
	if !p.IsValid() {
		return netip.Addr{}
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(uint64(infinite)<<(32-p.Bits())))
	return netip.AddrFrom4(b)
}

// broadcast is what the server says, or the last address of the subnet.
func broadcast(l lease.Lease) netip.Addr {
	if l.Broadcast.Is4() || !l.Addr.Addr().Is4() {
		return l.Broadcast
	}
	addr, mask := l.Addr.Addr().As4(), netmask(l.Addr).As4()
	for i := range addr {
		addr[i] |= ^mask[i]
	}
	return netip.AddrFrom4(addr)
}

// gateway is that of the default route (RFC 3442: option 121 counts, where it
// is there).
func gateway(l lease.Lease) netip.Addr {
	if l.ClasslessRoutes == nil {
		return nth(l.Routers, 0)
	}
	for _, r := range l.ClasslessRoutes {
		if r.Dest.Bits() == 0 {
			return r.Gateway
		}
	}
	return netip.Addr{}
}

// rootServer is siaddr, as servers fill it in for hosts that boot from them.
func rootServer(l lease.Lease) netip.Addr {
	if l.NextServer.IsValid() {
		return l.NextServer
	}
	return l.Server
}

func seconds(l lease.Lease) int64 {
	if l.Infinite() {
		return infinite
	}
	return int64(l.Expiry.Sub(l.Start) / time.Second)
}

// search is the list as resolvers want it, with names in full.
func search(names []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(name)
		if !strings.HasSuffix(name, ".") {
			b.WriteByte('.')
		}
	}
	return b.String()
}
