package lease

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// A Lease is what one DHCPACK granted, with the instants at which something
// must be done about it. It is a value: copy it freely, but do not change what
// its slices hold. The zero Lease means none.
//
// Instants are on the client's clock, which counts through suspend and does not
// follow changes of the wall clock; on disk they are wall time.
type Lease struct {
	// Addr is yiaddr with the length of the subnet mask (option 1, or the
	// address class if the server sent none: MaskDerived is then true).
	Addr        netip.Prefix `json:"address"`
	MaskDerived bool         `json:"mask_derived,omitempty"`

	// Server is the server identifier (option 54).
	Server netip.Addr `json:"server"`

	// Start is the instant at which the granted request was sent; T1, T2
	// and Expiry count from there (RFC 2131, section 4.4.1). For an
	// infinite lease T1, T2 and Expiry are zero.
	Start  time.Time `json:"start"`
	T1     time.Time `json:"t1,omitzero"`
	T2     time.Time `json:"t2,omitzero"`
	Expiry time.Time `json:"expiry,omitzero"`

	Broadcast netip.Addr   `json:"broadcast,omitzero"` // option 28; the zero Addr if absent
	Routers   []netip.Addr `json:"routers,omitempty"`  // option 3

	// The three lists of routes as they came. Which one counts is
	// decided by whoever installs them (RFC 3442).
	StaticRoutes    []dhcp4.Route `json:"static_routes,omitempty"`    // option 33
	ClasslessRoutes []dhcp4.Route `json:"classless_routes,omitempty"` // option 121
	MSRoutes        []dhcp4.Route `json:"ms_routes,omitempty"`        // option 249

	DNS      []netip.Addr `json:"dns,omitempty"`       // option 6
	Domain   string       `json:"domain,omitempty"`    // option 15
	Search   []string     `json:"search,omitempty"`    // option 119
	HostName string       `json:"host_name,omitempty"` // option 12
	FQDN     string       `json:"fqdn,omitempty"`      // option 81, without a dot at its end; need not be qualified
	TimeZone string       `json:"time_zone,omitempty"` // option 101, such as "Europe/Berlin"
	NTP      []netip.Addr `json:"ntp,omitempty"`       // option 42
	MTU      int          `json:"mtu,omitempty"`       // option 26, bytes; 0 if absent

	// Encrypted are the encrypted resolvers (option 162, RFC 9463), the
	// preferred first. Those without addresses are known by name only.
	Encrypted []dhcp4.Resolver `json:"encrypted_dns,omitempty"`

	// CaptivePortal is the URI by which the network tells who must do what
	// before it lets him out (option 114, RFC 8910): for programs of
	// users, never to be fetched with rights. "" if absent, or if the
	// server says that there is no portal.
	CaptivePortal string `json:"captive_portal,omitempty"`

	// What a host boots from over the network.
	NextServer netip.Addr `json:"next_server,omitzero"` // siaddr (RFC 2131, section 2); the zero Addr if none
	BootFile   string     `json:"boot_file,omitempty"`  // option 67, or the file field; any text

	// Options are all options of the DHCPACK, unknown ones included, in
	// the order in which they came.
	Options dhcp4.Options `json:"options,omitempty"`
}

// IsZero reports whether l means "no lease".
func (l Lease) IsZero() bool { return !l.Addr.IsValid() }

// Infinite reports whether l never expires (lease time 0xffffffff, RFC 2131,
// section 3.3).
func (l Lease) Infinite() bool { return l.Expiry.IsZero() }

// Valid reports whether l may still be used at now.
func (l Lease) Valid(now time.Time) bool {
	return !l.IsZero() && (l.Infinite() || now.Before(l.Expiry))
}

// On returns l with its instants on another clock, as far apart as they were.
// The clock is asked once: between two questions time goes by, and an hour
// would be less than 3600 s.
func (l Lease) On(clock func(time.Time) time.Time) Lease {
	if l.Start.IsZero() {
		return l
	}
	start, before := clock(l.Start), l.Start
	for _, t := range []*time.Time{&l.Start, &l.T1, &l.T2, &l.Expiry} {
		if !t.IsZero() {
			*t = start.Add(t.Sub(before))
		}
	}
	return l
}
