package resolv

import (
	"fmt"
	"net"
	"os"
)

// noTLS is why encrypted resolvers are not asked by who reads a resolv.conf.
const noTLS = "resolv.conf has no words for DNS over TLS"

// noTLSFor is that, if there are any.
func noTLSFor(c Config) string {
	if len(c.Encrypted) == 0 {
		return ""
	}
	return noTLS
}

// Unused tells that a resolv.conf names no encrypted resolvers.
func (*File) Unused(_ string, c Config) (encrypted, plain string) { return noTLSFor(c), "" }

// Unused tells that a resolv.conf names no encrypted resolvers. Debian's program
// writes none that is not a link to its own.
func (*Resolvconf) Unused(_ string, c Config) (encrypted, plain string) {
	if _, err := os.Readlink(Usual); err != nil && findProgram().kind == debians {
		plain = fmt.Sprintf("%s is no link to what %s writes", Usual, debians)
	}
	return noTLSFor(c), plain
}

// Unused tells what an operator's setting of DNSOverTLS leaves out (see
// namesOf). It asks only if there is something to leave out.
func (r *Resolved) Unused(link string, c Config) (encrypted, plain string) {
	if len(c.Encrypted) == 0 {
		return "", ""
	}
	switch mode := r.overTLS(link); mode {
	case "": // nobody knows
		return "", ""
	case "no":
		return fmt.Sprintf("systemd-resolved asks in clear there (resolvectl dnsovertls %s opportunistic, or DNSOverTLS= in resolved.conf)", link), ""
	case "yes":
		return "", "systemd-resolved is to ask by TLS alone there (DNSOverTLS), and the encrypted resolvers do"
	}
	return "", ""
}

// overTLS is whether a link's names are asked by TLS: "no", "opportunistic",
// "yes", or "" if that cannot be found out.
func (r *Resolved) overTLS(link string) string {
	ifi, err := net.InterfaceByName(link)
	if err != nil {
		return ""
	}
	t, err := r.talk()
	if err != nil {
		return ""
	}
	s, err := t.look(ifi.Index)
	_ = t.conn.Close() // it was only asked
	if err != nil {
		return ""
	}
	return s.modes[modeOverTLS]
}
