package dhcp4

import (
	"strings"
)

// ClientFQDN is the value of option 81 (RFC 4702, section 2).
type ClientFQDN struct {
	Flags byte   `json:"flags"`
	Name  string `json:"name"` // without a dot at its end
	// Partial says that Name is not fully qualified.
	Partial bool `json:"partial,omitempty"`
}

// The flags of [ClientFQDN].
const (
	FQDNServerUpdates byte = 1 << iota // S: the server is to make the A record
	FQDNOverride                       // O: for servers alone
	FQDNEncoded                        // E: the name is in DNS wire form
	FQDNNoUpdates                      // N: no DNS update at all
)

var fqdn = &form[ClientFQDN]{
	parse: func(b []byte) (ClientFQDN, string) {
		if len(b) < 3 {
			return ClientFQDN{}, wantMore(b, 3)
		}
		f := ClientFQDN{Flags: b[0] & 15} // the two RCODE bytes say nothing any more
		name := b[3:]
		if f.Flags&FQDNEncoded == 0 {
			f.Name = strings.TrimSuffix(string(name), ".")
			f.Partial = !strings.HasSuffix(string(name), ".")
			if len(name) == 0 {
				return f, ""
			}
			return f, badName(f.Name)
		}
		if len(name) == 0 {
			return f, ""
		}
		var why string
		if name[len(name)-1] != 0 { // a partial name has no closing label
			f.Partial = true
			name = append(name[:len(name):len(name)], 0)
		}
		f.Name, _, why = domain(name, 0)
		return f, why
	},
	write: func(b []byte, f ClientFQDN) ([]byte, string) {
		if f.Flags&FQDNNoUpdates != 0 && f.Flags&FQDNServerUpdates != 0 {
			return b, "flags N and S exclude each other (RFC 4702, section 2.1)"
		}
		b = append(b, f.Flags, 0, 0)
		switch {
		case f.Name == "":
			return b, ""
		case f.Flags&FQDNEncoded == 0 && f.Partial:
			return append(b, f.Name...), badName(f.Name)
		case f.Flags&FQDNEncoded == 0:
			return append(append(b, f.Name...), '.'), badName(f.Name)
		}
		b, why := writeDomain(b, f.Name)
		if f.Partial {
			b = b[:len(b)-1]
		}
		return b, why
	},
	show: func(f ClientFQDN) string { return f.Name },
	scan: func(s string) (ClientFQDN, error) {
		name, full := strings.CutSuffix(s, ".")
		return ClientFQDN{FQDNEncoded | FQDNServerUpdates, name, !full && !strings.Contains(name, ".")}, nil
	},
	example: "host.example.com",
}
