package store

import (
	"encoding/json"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/lease"
)

// A Former is what is remembered of who got a lease. Whoever extends it or gives
// it back must use the same client identifier (RFC 2131, section 4.2).
type Former struct {
	Lease    lease.Lease // on the clock of now
	ClientID dhcp4.ClientID
	Settings json.RawMessage // see [Link]; nil if there are none
}

// LoadFormer returns it for a link whose lease is still valid, whatever hardware
// and client identifier the link has by now. A file that is broken says nothing
// here; [Link.Load] tells of it.
func LoadFormer(dir, link string, now func() time.Time) (f Former, known bool) {
	s := &Link{dir: dir, name: link, now: now, clocks: kernels}
	var c content
	foreign, err := look(s.path(), &c)
	if foreign != nil || err != nil || insane(c.Lease, c.Saved) != "" {
		return Former{}, false
	}
	l, why := s.current(c)
	if why != "" {
		return Former{}, false
	}
	f = Former{Lease: l, Settings: c.Settings}
	if c.ClientID != "" {
		if f.ClientID, err = dhcp4.ClientIdentifier.Parse(c.ClientID); err != nil {
			return Former{}, false
		}
	}
	return f, true
}
