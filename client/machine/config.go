package machine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// Link is what the machine must know of the link it works for.
type Link struct {
	HType  dhcp4.HType
	CHAddr dhcp4.HardwareAddr // up to 16 bytes; empty where the link's standard says so (RFC 4390)

	// Broadcast asks servers to broadcast their answers, for links that
	// take no unicast before they have an address (RFC 2131, section 4.1).
	Broadcast bool
}

// AutoOfferWait as [Config].OfferWait takes the first acceptable offer at once
// unless there is something to weigh it by: when a former server or address is
// known, it waits up to half a second for that server's offer. A first lease
// then costs no waiting, and a host on a network with several servers stays
// with its own.
const AutoOfferWait time.Duration = -1

// Config says who the client is, what it wishes, and how it chooses. The zero
// value of each field but Link and Rand is usable.
type Config struct {
	Link Link

	// ClientID is option 61; empty sends none. It must not be empty on
	// links without a chaddr.
	ClientID dhcp4.ClientID

	HostName       string         // option 12; not sent along with option 81 (RFC 4702, section 3.1)
	VendorClass    string         // option 60
	UserClass      [][]byte       // option 77 (RFC 3004)
	RequestAddr    netip.Addr     // wished address: option 50 in DHCPDISCOVER
	LeaseTime      dhcp4.Lifetime // wished lease time in seconds: option 51; 0 wishes none
	MaxMessageSize uint16         // option 57, bytes; below 576 counts as 576
	Options        dhcp4.Options  // further options, sent in DHCPDISCOVER, DHCPREQUEST and DHCPINFORM
	Parameters     []dhcp4.Code   // option 55, 1 and 121 always first; nil asks for [DefaultParameters]

	// OfferWait is how long offers are collected from the first one on:
	// 0 takes the first acceptable offer, [AutoOfferWait] decides by what
	// there is to weigh.
	OfferWait time.Duration
	Require   []dhcp4.Code   // an offer without one of these loses; what extends a lease may lack them
	Allow     []netip.Prefix // if not empty, only servers within count
	Deny      []netip.Prefix // servers within do not count

	// InitialDelay bounds the random wait before the first message of an
	// acquisition, which is no shorter than a tenth of it. RFC 2131,
	// section 4.4.1 suggests 1 to 10 s, from the days when a building's
	// hosts booted as one: 10 s keeps to that. 0 sends at once.
	InitialDelay time.Duration

	// NoServerFail refuses to use a remembered lease that no server
	// confirmed (RFC 2131, section 3.2, item 5 leaves the choice open).
	NoServerFail bool

	// NoServerAfter is how long to wait for any server before a
	// remembered lease is used unconfirmed; 0 means 8 s.
	NoServerAfter time.Duration

	// CarrierDelay is how long the carrier must be lost until it counts:
	// shorter losses change nothing. 0 counts every one.
	CarrierDelay time.Duration

	// Survey lists offers and takes none: after OfferWait from the first
	// DHCPDISCOVER the machine reports what came and is Idle.
	Survey bool

	// Rand drives xid and every random wait. Seed it unpredictably:
	// whoever guesses the xid can forge answers.
	Rand *rand.Rand
}

// Order matters: 1 before 3 (RFC 2132, section 3.3), 121 before 3 and 33
// (RFC 3442).
var defaultParameters = [...]dhcp4.Code{1, 121, 3, 33, 6, 15, 119, 12, 26, 28, 42, 51, 54, 58, 59, 114, 162}

// DefaultParameters returns the parameter request list that is sent if the
// configuration names none.
func DefaultParameters() []dhcp4.Code { return append([]dhcp4.Code(nil), defaultParameters[:]...) }

// isHost reports whether a may be the address of one host.
func isHost(a netip.Addr) bool {
	return a.Is4() && a.As4()[0] != 0 && a.As4()[0] < 224 && !a.IsLoopback()
}

// check refuses what cannot work.
func (c *Config) check() error {
	switch {
	case c.Rand == nil:
		return errors.New("machine: Config.Rand is nil")
	case len(c.Link.CHAddr) > 16:
		return fmt.Errorf("machine: hardware address of %d bytes, at most 16 fit", len(c.Link.CHAddr))
	case len(c.Link.CHAddr) == 0 && len(c.ClientID) == 0:
		return errors.New("machine: this link has no chaddr, so a client identifier is needed (RFC 4390, section 2.1)")
	case len(c.ClientID) == 1:
		return errors.New("machine: a client identifier has at least 2 bytes (RFC 2132, section 9.14)")
	case c.RequestAddr.IsValid() && !isHost(c.RequestAddr):
		return fmt.Errorf("machine: requested address %v is no IPv4 address of a host", c.RequestAddr)
	case c.InitialDelay < 0 || c.CarrierDelay < 0 || c.NoServerAfter < 0 || c.OfferWait < AutoOfferWait:
		return errors.New("machine: a delay is below 0")
	}
	for _, o := range c.Options {
		if err := dhcp4.Sendable(o.Code); err != nil {
			return err
		}
		if o.Code == dhcp4.RapidCommit.Code {
			return errors.New("machine: option 80 (rapid commit) is not supported: a lease committed that way would be dropped")
		}
	}
	return nil
}
