package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/netconf"
)

// Contradictions: settings that are right by themselves and cannot both be
// meant.

// contradictions finds them in what holds for one link.
func contradictions(values []Value, l *Link) (out []Mistake) {
	byName := named(values)
	opposed := func(what string, allow, deny []netip.Prefix, why string) {
		for _, a := range allow {
			for _, d := range deny {
				// Of routes, /0 is the default route alone.
				if d.Bits() <= a.Bits() && d.Contains(a.Addr()) && (what == "server" || d.Bits() > 0 || a.Bits() == 0) {
					out = append(out, clash(byName.get("allow-"+what), byName.get("deny-"+what), fmt.Sprintf("%s is allowed and %s is denied, %s", plain(a), plain(d), why)))
				}
			}
		}
	}
	opposed("server", l.Machine.Allow, l.Machine.Deny, "so no offer from there is ever good")
	opposed("route", l.Host.Received.Allow, l.Host.Received.Deny, "which wins")
	for _, twice := range []struct {
		setting string
		code    dhcp4.Code
	}{
		{"hostname", dhcp4.HostName.Code},
		{"vendor-class", dhcp4.VendorClass.Code},
		{"user-class", dhcp4.UserClass.Code},
		{"lease-time", dhcp4.LeaseTime.Code},
	} {
		v := byName.get(twice.setting)
		set := len(v.Is) > 0 && v.Is[0] != ""
		if _, sent := l.Machine.Options.Lookup(twice.code); sent && set {
			out = append(out, clash(v, byName.get("option"), fmt.Sprintf("both say what option %d is", uint8(twice.code))))
		}
	}
	out = append(out, l.optionClashes(byName)...)
	return append(out, l.scriptClashes(byName)...)
}

// ownAlone are settings of what lessee does by itself and a script of another
// client is not told of. Such a script writes the file of resolv-conf as it
// thinks fit, and of hook-style itself nothing is to be said.
var ownAlone = [...]string{
	"metric", "resolver", "resolv-conf", "table", "source-routing", "routes", "allow-route", "deny-route", "max-routes", "widest-subnet", "ms-routes",
	"accept-hostname", "accept-time-servers", "accept-timezone",
}

// scriptClashes finds what a script that configures the host would pass over in
// silence, and a script that nobody calls.
func (l *Link) scriptClashes(values named) (out []Mistake) {
	style, script := values.get("hook-style"), values.get("hook-script")
	if l.HookStyle == "" {
		// In the defaults it may be for links that have a style.
		if script.Is[0] != "" && script.Origin.Table != "[defaults]" {
			m := clash(script, style, "without a style nobody calls the script")
			if m.Flag != "" {
				m.Example = script.Is[0] + " --hook-style udhcpc"
			}
			out = append(out, m)
		}
		return out
	}
	for _, name := range ownAlone {
		v := values.get(name)
		if slices.Equal(v.Is, v.Default) || name == "resolv-conf" && v.Is[0] != "none" {
			continue
		}
		out = append(out, clash(v, style, fmt.Sprintf("a script that was made for %s configures the host, and is not told of %s", l.HookStyle, name)))
	}
	return out
}

// optionClashes finds options of which two settings say what cannot both be.
func (l *Link) optionClashes(values named) (out []Mistake) {
	add := func(a, b string, c dhcp4.Code, format string) {
		out = append(out, clash(values.get(a).of(c), values.get(b).of(c), fmt.Sprintf(format, uint8(c), c)))
	}
	for _, s := range l.Policy.Supersede {
		for _, how := range []lease.How{lease.Default, lease.Prepend, lease.Append} {
			if _, both := listOf(&l.Policy, how).Lookup(s.Code); both {
				add("supersede", string(how), s.Code, "of option %d (%v), which is superseded, nothing else counts")
			}
		}
	}
	for _, c := range values.get("no-request").codes() {
		wanted := map[string]bool{
			"request":             slices.Contains(values.get("request").codes(), c),
			"require":             slices.Contains(values.get("require").codes(), c),
			"ms-routes":           l.Host.MSRoutes && c == dhcp4.MSRoutes.Code,
			"mtu":                 l.Host.MTU && c == dhcp4.InterfaceMTU.Code && values.get("mtu").Origin != Origin{},
			"accept-hostname":     l.Host.HostName == netconf.AcceptAlways && c == dhcp4.HostName.Code && !slices.Contains(l.Machine.Parameters, dhcp4.FQDN.Code),
			"accept-time-servers": l.Host.TimeServers == netconf.AcceptAlways && c == dhcp4.NTPServers.Code,
			"accept-timezone":     l.Host.TimeZone == netconf.AcceptAlways && c == dhcp4.TZDatabase.Code,
		}
		for _, setting := range slices.Sorted(maps.Keys(wanted)) {
			if wanted[setting] {
				add(setting, "no-request", c, "option %d (%v) is wanted, and not asked for")
			}
		}
	}
	return out
}

// named are values that are found by their names.
type named []Value

func (n named) get(name string) Value {
	return n[slices.IndexFunc(n, func(v Value) bool { return v.Name == name })] // the table of settings has it
}

// codes are the options that a value is about, in its order.
func (v Value) codes() (out []dhcp4.Code) {
	for _, w := range v.Is {
		name, _, _ := strings.Cut(w, "=")
		if c, err := parseCode(name); err == nil {
			out = append(out, c)
		}
	}
	return out
}

// of is the part of a value that is about option c, where it is about several.
func (v Value) of(c dhcp4.Code) Value {
	if i := slices.Index(v.codes(), c); i >= 0 {
		v.Is = v.Is[i : i+1]
		if v.Each != nil {
			v.Origin = v.Each[i]
		}
	}
	return v
}

// plain writes a prefix as people do.
func plain(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// clash blames the flag, for it was just written, or what stands later in the
// file, and names the other.
func clash(a, b Value, why string) Mistake {
	flagA, flagB := a.Origin.Flag != "", b.Origin.Flag != ""
	if flagB && !flagA || flagB == flagA && a.Origin.before(b.Origin) {
		a, b = b, a
	}
	m := a.mistake(fmt.Errorf("contradicts %s (%s): %s", b.Name, b.Origin, why))
	if a.Origin.Flag == "" {
		m.Example = ""
	}
	return m
}

// contradictions finds those that the file has by itself, whatever links there
// are.
func (f *File) contradictions() []Mistake {
	out := f.wishes()
	check := func(layers ...*layer) {
		var t target
		values, mistakes := resolve(linkRows, layers, nil, &t)
		if len(mistakes) == 0 {
			out = append(out, contradictions(values, &t.link)...)
		}
	}
	check(&f.defaults)
	// Of the defaults, what no pattern has replaced so far: for links that
	// it names too, they may not hold.
	rest := layer{given: maps.Clone(f.defaults.given)}
	for _, l := range f.links {
		if l.pattern.Exact() {
			check(f.layersFor(l.pattern.String())...)
			continue
		}
		check(&rest, l)
		maps.DeleteFunc(rest.given, func(name string, _ given) bool { _, ok := l.given[name]; return ok })
	}
	return out
}

// wishes finds wishes for an address that two links would have.
func (f *File) wishes() (out []Mistake) {
	const tooMany = request + `: a wish of %s, but only one can have the address; it stands in the table of one, such as [link.eth0]`
	bad := func(o Origin, format string, args ...any) {
		out = append(out, Mistake{Origin: o, Text: fmt.Sprintf(format, args...)})
	}
	if addr, o := f.defaults.wish(); addr != "" {
		bad(o, tooMany, "all links")
	}
	wished := map[string]Origin{}
	for _, l := range f.links {
		addr, o := l.wish()
		addr += "@" + l.pattern.netns // in another namespace it may be another
		other, twice := wished[addr]
		switch {
		case addr[0] == '@':
		case !l.pattern.Exact():
			bad(o, tooMany, "several links")
		case twice:
			bad(o, "%s: two links cannot have one address; %s (%s) wishes for it too", request, other.Table, other)
		}
		wished[addr] = o
	}
	return out
}

const request = "request-address"

// wish is the address that a table wishes for; "" if there is none.
func (l *layer) wish() (addr string, o Origin) {
	if g, ok := l.given[request]; ok {
		return g.words[0], g.origin
	}
	return "", Origin{}
}

// ForLinks refuses flags that cannot be meant for links, which are names and
// patterns.
func (f Flags) ForLinks(links []string) error {
	wish, ok := f[request]
	if !ok || len(wish.Values) == 0 || wish.Values[0] == "" {
		return nil
	}
	for _, text := range links {
		if p, err := ParsePattern(text); len(links) > 1 || err == nil && !p.Exact() {
			return collect([]Mistake{{Origin: Origin{Flag: wish.Flag}, Value: wish.Values[0], Example: wish.Values[0],
				Text: "a wish of several links, but only one can have the address"}}, "")
		}
	}
	return nil
}
