package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/lessee/lessee/client/lease"
)

// shellQuote writes s so that a POSIX shell reads exactly s: between single
// quotes nothing is special but the single quote itself. NUL cannot be in a
// shell's variable and is left out.
func shellQuote(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// writeEnv prints NAME='VALUE' lines for eval. Names are ours, never a
// server's.
func writeEnv(w io.Writer, pairs [][2]string) error {
	for _, p := range pairs {
		if _, err := fmt.Fprintf(w, "%s=%s\n", p[0], shellQuote(p[1])); err != nil {
			return err
		}
	}
	return nil
}

// envOf is a document as shell variables.
func envOf(d document) [][2]string {
	out := [][2]string{{"LESSEE_LINK", d.Link}, {"LESSEE_RESULT", d.Result}}
	if len(d.Links) > 0 {
		out = append(out, envOfLinks(d.Links)...)
	}
	add := func(name, value string) { out = append(out, [2]string{"LESSEE_" + name, value}) }
	if d.Error != nil {
		add("EXIT", fmt.Sprint(d.Error.Exit))
		add("CAUSE", d.Error.Cause)
		add("ERROR", d.Error.Text)
	}
	if l := d.Lease; l != nil && !l.IsZero() {
		envOfLease(l, add)
		for _, o := range d.Overrides {
			add(fmt.Sprintf("SENT_%d", o.Code), o.Sent)
		}
	}
	for i, o := range d.Offers {
		add(fmt.Sprintf("OFFER_%d", i), o.Address+" "+o.Server)
	}
	return out
}

// envOfLinks are several links as shell variables: LESSEE_LINKS are those that
// are bound, and LESSEE_0_LINK, LESSEE_0_ADDRESS and so on are about the first
// of all.
func envOfLinks(links []document) (out [][2]string) {
	var bound []string
	for _, d := range links {
		if d.Error == nil {
			bound = append(bound, d.Link)
		}
	}
	out = append(out, [2]string{"LESSEE_LINKS", words(bound)})
	for i, d := range links {
		for _, v := range envOf(d) {
			out = append(out, [2]string{fmt.Sprintf("LESSEE_%d_%s", i, strings.TrimPrefix(v[0], "LESSEE_")), v[1]})
		}
	}
	return out
}

// envOfLease adds what a lease says, and every option of it by its number. What
// any lease may say is there of each, empty if it does not, so that nothing stays
// of one that was read before.
func envOfLease(l *lease.Lease, add func(name, value string)) {
	add("ADDRESS", l.Addr.Addr().String())
	add("PREFIX_LENGTH", fmt.Sprint(l.Addr.Bits()))
	add("SERVER", known(l.Server))
	expiry, seconds := "", "" // for ever
	if !l.Expiry.IsZero() {
		expiry, seconds = fmt.Sprint(l.Expiry.Unix()), fmt.Sprint(int64(l.Expiry.Sub(l.Start)/time.Second))
	}
	add("EXPIRY", expiry)
	add("LEASE_SECONDS", seconds)
	add("ROUTERS", words(l.Routers))
	add("DNS", words(l.DNS))
	add("DOMAIN", l.Domain)
	add("SEARCH", words(l.Search))
	add("HOSTNAME", l.HostName)
	add("FQDN", l.FQDN)
	add("NTP", words(l.NTP))
	add("TIME_ZONE", l.TimeZone)
	mtu := ""
	if l.MTU != 0 {
		mtu = fmt.Sprint(l.MTU)
	}
	add("MTU", mtu)
	add("CAPTIVE_PORTAL", l.CaptivePortal)
	add("NEXT_SERVER", known(l.NextServer))
	add("BOOT_FILE", l.BootFile)
	for _, o := range l.Options {
		add(fmt.Sprintf("OPTION_%d", uint8(o.Code)), o.String())
	}
}

// known is an address, if there is one.
func known(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
