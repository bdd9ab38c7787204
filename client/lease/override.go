package lease

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/client/dhcp4"
)

// A Policy is what an operator makes of the options that servers send, as
// dhclient's statements of these names do. Each list has at most one entry for
// an option, and its value as bytes. What is granted stays granted: a policy
// makes of it what is used; see [Policy.Use]. The zero Policy changes nothing.
type Policy struct {
	Supersede dhcp4.Options // instead of what is sent; no bytes: as if nothing was
	Default   dhcp4.Options // where nothing is sent, or nothing that can be read
	Prepend   dhcp4.Options // before what is sent
	Append    dhcp4.Options // after what is sent
}

// How says in which way a [Policy] changed an option. It is the name of the
// policy's list.
type How string

// The ways, in the order in which they are gone.
const (
	Supersede How = "supersede"
	Default   How = "default"
	Prepend   How = "prepend"
	Append    How = "append"
)

// An Override is one entry of a [Policy] that mattered to a lease.
type Override struct {
	Code dhcp4.Code
	How  How
	Sent []byte // what the server sent; nil: nothing
	Err  error  // why it could not be done; nil: it was
}

// IsZero reports whether p changes nothing, whatever is sent.
func (p Policy) IsZero() bool {
	return len(p.Supersede)+len(p.Default)+len(p.Prepend)+len(p.Append) == 0
}

// entries are one list of a policy.
type entries struct {
	how     How
	options dhcp4.Options
}

// lists are the lists of p in the order in which they count.
func (p Policy) lists() [4]entries {
	return [...]entries{{Supersede, p.Supersede}, {Default, p.Default}, {Prepend, p.Prepend}, {Append, p.Append}}
}

// Overridable returns why a policy must leave option c as the server sent it;
// nil if it need not. What is agreed upon with a server cannot be changed by
// one side.
func Overridable(c dhcp4.Code) error {
	switch c {
	case dhcp4.LeaseTime.Code, dhcp4.T1.Code, dhcp4.T2.Code:
		return fmt.Errorf("option %d cannot be overridden: for how long an address may be used is the server's to say", uint8(c))
	case 0, 52, 255, dhcp4.RequestedAddr.Code, dhcp4.MsgType.Code, dhcp4.ServerID.Code, dhcp4.ParameterList.Code, dhcp4.MaxMessageSize.Code,
		dhcp4.ClientIdentifier.Code, dhcp4.RapidCommit.Code, dhcp4.RelayAgent.Code, dhcp4.Authentication.Code:
		return fmt.Errorf("option %d cannot be overridden: it is about the exchange, not about the host", uint8(c))
	}
	return nil
}

// Use returns the lease that is used where l is granted: its options as p has
// them, and everything that is read from them anew. Server, address and times
// are l's; the length of the subnet mask may be p's. What p says of an option
// that is not [Overridable] is passed over. The overrides are what p did, and
// what it could not do. l is not changed.
func (p Policy) Use(l Lease) (used Lease, overrides []Override) {
	if p.IsZero() || l.IsZero() {
		return l, nil
	}
	e := &editor{sent: l.Options, options: l.Options.Clone()}
	for _, list := range p.lists() {
		for _, o := range list.options {
			if Overridable(o.Code) == nil {
				e.override(list.how, o)
			}
		}
	}
	used = l
	e.mask(&used)
	used.configure(e.options, noter{new([]error)}) // it was noted when it came
	if used.Addr != l.Addr && used.Broadcast == l.Broadcast {
		used.Broadcast = netip.Addr{} // it goes with the mask that the server sent
	}
	sent, now := bootFile(e.sent), bootFile(e.options)
	if sent != now { // else it may be from the file field, of which p says nothing
		used.BootFile = now
	}
	return used, e.done
}

// bootFile is the name of the boot file that options have; "" if none.
func bootFile(o dhcp4.Options) string {
	name, err := dhcp4.BootFile.Get(o)
	if err != nil {
		return ""
	}
	return name
}

// An editor changes the options of a lease.
type editor struct {
	sent    dhcp4.Options
	options dhcp4.Options
	done    []Override
}

// override does what one entry says.
func (e *editor) override(how How, o dhcp4.RawOption) {
	now, there := e.options.Lookup(o.Code)
	there = there && readable(dhcp4.RawOption{Code: o.Code, Value: now})
	value, err := o.Value, error(nil)
	switch {
	case how == Supersede && len(value) == 0:
		if _, sent := e.options.Lookup(o.Code); !sent {
			return
		}
		e.options.Delete(o.Code)
		e.note(how, o.Code, nil)
		return
	case how == Default && there:
		return
	case how == Prepend && there:
		value, err = joined(o.Code, o.Value, now)
	case how == Append && there:
		value, err = joined(o.Code, now, o.Value)
	}
	if err == nil {
		e.options.Put(o.Code, slices.Clone(value))
	}
	e.note(how, o.Code, err)
}

func (e *editor) note(how How, c dhcp4.Code, err error) {
	sent, _ := e.sent.Lookup(c)
	e.done = append(e.done, Override{Code: c, How: how, Sent: sent, Err: err})
}

// readable reports whether an option says something. Whatever is in an unknown
// one counts.
func readable(o dhcp4.RawOption) bool {
	s, known := dhcp4.ByCode(o.Code)
	if !known {
		return true
	}
	_, err := s.Value(o.Value)
	return err == nil
}

// joined is a value that says both; of an unknown option, the bytes of both.
func joined(c dhcp4.Code, a, b []byte) ([]byte, error) {
	if s, known := dhcp4.ByCode(c); known {
		return dhcp4.Join(s, a, b)
	}
	return slices.Concat(a, b), nil
}

// mask sets the length of the prefix, if it was overridden. One with which the
// address could not be a host's is left to the server.
func (e *editor) mask(l *Lease) {
	i := slices.IndexFunc(e.done, func(o Override) bool { return o.Code == dhcp4.SubnetMask.Code && o.Err == nil })
	if i < 0 {
		return
	}
	bits, err := dhcp4.SubnetMask.Get(e.options)
	derived := err != nil
	if derived {
		bits = classBits(l.Addr.Addr())
	}
	p := netip.PrefixFrom(l.Addr.Addr(), bits)
	if why := Unusable(p, l.Server); why != "" {
		e.done[i].Err = errors.New("with that mask the address would be " + why)
		if sent := e.done[i].Sent; sent != nil {
			e.options.Put(dhcp4.SubnetMask.Code, sent)
		} else {
			e.options.Delete(dhcp4.SubnetMask.Code)
		}
		return
	}
	l.Addr, l.MaskDerived = p, derived
}
