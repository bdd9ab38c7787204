package lease

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// FromACK returns the lease that ack grants, counted from start, the instant
// at which the request was sent (RFC 2131, section 4.4.1).
//
// The notes are what was wrong with ack without making it useless: malformed
// optional options, a missing subnet mask, times that break T1 < T2 < lease.
// They are for logs. The error tells why ack grants nothing: yiaddr, the
// server identifier or the lease time is missing or makes no sense.
func FromACK(ack *dhcp4.Message, start time.Time) (l Lease, notes []error, err error) {
	if l.Server, err = Server(ack); err != nil {
		return Lease{}, nil, err
	}
	seconds, err := dhcp4.LeaseTime.Get(ack.Options)
	if err != nil {
		return Lease{}, nil, fmt.Errorf("lease time: %w", err)
	}
	if seconds == 0 {
		return Lease{}, nil, errors.New("lease time is zero")
	}
	n := noter{&notes}
	l.Addr, l.MaskDerived = prefix(ack, n)
	if reason := Unusable(l.Addr, l.Server); reason != "" {
		return Lease{}, nil, fmt.Errorf("yiaddr %v: %s", l.Addr, reason)
	}
	l.setTimes(start, seconds, ack.Options, n)
	l.configure(ack.Options, n)
	l.boots(ack, n)
	return l, notes, nil
}

// FromInform returns the configuration in the answer to a DHCPINFORM for the
// address that was set by other means. Lease times and yiaddr are ignored, as
// RFC 2131, section 4.3.5 asks; T1, T2 and Expiry are zero.
func FromInform(ack *dhcp4.Message, addr netip.Prefix, start time.Time) (l Lease, notes []error) {
	n := noter{&notes}
	l.Addr, l.Start = addr, start
	l.Server = note(n, dhcp4.ServerID, ack.Options)
	l.configure(ack.Options, n)
	l.boots(ack, n)
	return l, notes
}

// configure reads what does not depend on the kind of answer.
func (l *Lease) configure(o dhcp4.Options, n noter) {
	l.Broadcast = note(n, dhcp4.Broadcast, o)
	l.Routers = note(n, dhcp4.Routers, o)
	l.StaticRoutes = note(n, dhcp4.StaticRoutes, o)
	l.ClasslessRoutes = note(n, dhcp4.ClasslessRoutes, o)
	l.MSRoutes = note(n, dhcp4.MSRoutes, o)
	l.DNS = note(n, dhcp4.DNS, o)
	l.Domain = note(n, dhcp4.DomainName, o)
	l.Search = note(n, dhcp4.DomainSearch, o)
	l.HostName = note(n, dhcp4.HostName, o)
	l.FQDN = note(n, dhcp4.FQDN, o).Name
	l.TimeZone = note(n, dhcp4.TZDatabase, o)
	l.NTP = note(n, dhcp4.NTPServers, o)
	l.MTU = int(note(n, dhcp4.InterfaceMTU, o))
	l.Encrypted = encrypted(n, o)
	l.CaptivePortal = portal(n, o)
	l.Options = o.Clone()
}

// boots reads what to boot from over the network.
func (l *Lease) boots(ack *dhcp4.Message, n noter) {
	if ack.SIAddr.Is4() && !ack.SIAddr.IsUnspecified() {
		l.NextServer = ack.SIAddr
	}
	if l.BootFile = note(n, dhcp4.BootFile, ack.Options); l.BootFile == "" {
		l.BootFile = ack.File
	}
}

// setTimes sets the instants by the rules of RFC 2131, section 4.4.5: the
// server's T1 and T2 count only if T1 < T2 < lease time. There is no least T1:
// the RFC lets a client ask before T1, and not after it; operators set a short one
// to renumber soon; and whoever means harm grants leases of a second instead.
func (l *Lease) setTimes(start time.Time, seconds dhcp4.Lifetime, o dhcp4.Options, n noter) {
	l.Start = start
	length, finite := seconds.Duration()
	if !finite {
		return
	}
	t1, t2 := length/2, length-length/8 // seven times 42 years is too much for a Duration
	s1 := note(n, dhcp4.T1, o)
	s2 := note(n, dhcp4.T2, o)
	w1, w2 := t1, t2
	if d, ok := s1.Duration(); ok && s1 != 0 {
		w1 = d
	}
	if d, ok := s2.Duration(); ok && s2 != 0 {
		w2 = d
	}
	if w1 < w2 && w2 < length {
		t1, t2 = w1, w2
	} else {
		n.add(fmt.Errorf("server's T1 %v and T2 %v do not fit a lease of %v: using %v and %v", w1, w2, length, t1, t2))
	}
	l.T1, l.T2, l.Expiry = start.Add(t1), start.Add(t2), start.Add(length)
}

// prefix joins yiaddr and the subnet mask; without a mask the address's class
// decides (RFC 2132, section 3.3 leaves it to the host), never /0.
func prefix(m *dhcp4.Message, n noter) (p netip.Prefix, derived bool) {
	bits, err := dhcp4.SubnetMask.Get(m.Options)
	if err == nil && bits > 0 {
		return netip.PrefixFrom(m.YIAddr, bits), false
	}
	bits = classBits(m.YIAddr)
	n.add(fmt.Errorf("subnet mask is missing or unusable: using /%d, from the address class", bits))
	return netip.PrefixFrom(m.YIAddr, bits), true
}

// classBits is the mask length of a's class (RFC 791, section 3.2).
func classBits(a netip.Addr) int {
	switch b := a.As4()[0]; {
	case b < 128:
		return 8
	case b < 192:
		return 16
	default:
		return 24
	}
}

// A noter collects what is worth a line in the log.
type noter struct{ notes *[]error }

func (n noter) add(err error) { *n.notes = append(*n.notes, err) }

// note reads one optional option: absent and malformed both give the zero
// value, but malformed is noted.
func note[T any](n noter, opt dhcp4.Option[T], o dhcp4.Options) T {
	v, err := opt.Get(o)
	if err != nil && !errors.Is(err, dhcp4.ErrUnset) {
		n.add(err)
		var zero T
		return zero
	}
	return v
}
