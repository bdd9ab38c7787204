package dhcptest

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/client/dhcp4"
)

// Mutate lets f change the message of every reply: what a server says, though
// not what it believes. The book stays as it is.
func Mutate(f func(*dhcp4.Message)) Rule {
	return Edit(func(r *Reply) { f(r.Message) })
}

// Put sets an option in every reply, such as Put(dhcp4.LeaseTime, 0). It panics
// if v cannot be written; see [PutRaw] for what is malformed.
func Put[T any](opt dhcp4.Option[T], v T) Rule {
	var o dhcp4.Options
	if err := opt.Put(&o, v); err != nil {
		panic("dhcptest: " + err.Error())
	}
	return PutRaw(opt.Code, o[0].Value)
}

// PutRaw sets the bytes of an option in every reply, well-formed or not.
func PutRaw(c dhcp4.Code, v []byte) Rule {
	return Mutate(func(m *dhcp4.Message) { m.Options.Put(c, slices.Clone(v)) })
}

// Without removes options from every reply.
func Without(codes ...dhcp4.Code) Rule {
	return Mutate(func(m *dhcp4.Message) {
		for _, c := range codes {
			m.Options.Delete(c)
		}
	})
}

// YIAddr gives another address than the server meant to, if the reply gives
// one.
func YIAddr(a netip.Addr) Rule {
	return Edit(func(r *Reply) {
		if !isSet(r.Message.YIAddr) {
			return
		}
		if r.To.Addr == r.Message.YIAddr {
			r.To.Addr = a
		}
		r.Message.YIAddr = a
	})
}

// From sends replies as another server would: the same answer with its
// identifier and from its address. A whole server with a mind of its own is
// another [Server] on the same link.
func From(id netip.Addr) Rule {
	return Edit(func(r *Reply) {
		r.From = id
		r.Message.Options.Put(dhcp4.ServerID.Code, id.AsSlice())
	})
}

// WrongServerID puts another server identifier into replies that still come
// from this server.
func WrongServerID(id netip.Addr) Rule { return PutRaw(dhcp4.ServerID.Code, id.AsSlice()) }

// WrongXID is the rule of a reply to some other request (A12).
func WrongXID(next Handler) Handler {
	return Mutate(func(m *dhcp4.Message) { m.XID = ^m.XID })(next)
}

// WrongCHAddr is the rule of a reply to some other client, though sent to this
// one (A13).
func WrongCHAddr(next Handler) Handler {
	return Mutate(func(m *dhcp4.Message) {
		for i := range m.CHAddr {
			m.CHAddr[i] ^= 0x55
		}
	})(next)
}

// ToAll is the rule of a server that broadcasts everything.
func ToAll(next Handler) Handler {
	return Edit(func(r *Reply) { r.To.Addr, r.To.Hardware = broadcast, nil })(next)
}

// ToPort sends replies to another UDP port than the client's.
func ToPort(port uint16) Rule { return Edit(func(r *Reply) { r.To.Port = port }) }
