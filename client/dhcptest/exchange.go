package dhcptest

import (
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// The ports of DHCP (RFC 2131, section 4.1).
const (
	serverPort = 67
	clientPort = 68
)

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// An Exchange is a request on its way to an answer, with what a [Handler] may
// want to know of it.
type Exchange struct {
	Now     time.Time
	Request *dhcp4.Message // do not change it

	// Src and Dst are the IP addresses the request went from and to, and
	// Peer the hardware address it came from. They are unset if the
	// request did not come over a link.
	Src, Dst netip.Addr
	Peer     dhcp4.HardwareAddr

	config Config
}

// Server returns the identifier of the server that was asked.
func (x *Exchange) Server() netip.Addr { return x.config.ID }

// A Destination is where a reply goes.
type Destination struct {
	Addr netip.Addr // 255.255.255.255 goes to all hosts on the link
	Port uint16

	// Hardware is the host on the link. If it is empty, a reply to one
	// address goes back to the host that sent the request.
	Hardware dhcp4.HardwareAddr
}

// A Reply is one answer, and how it goes out.
type Reply struct {
	Message *dhcp4.Message
	From    netip.Addr // source of the IP datagram
	To      Destination
	Delay   time.Duration // how long after the request

	// EditPayload and EditFrame change the bytes of the DHCP message, and
	// then those of the whole datagram from the IP header on. The headers
	// are made in between. Either may be nil; a datagram without bytes is
	// not sent.
	EditPayload, EditFrame func([]byte) []byte
}

// Reply returns the reply of type t that the server would send by RFC 2131,
// table 3, without an address and without times.
func (x *Exchange) Reply(t dhcp4.MessageType) Reply {
	req := x.Request
	m := &dhcp4.Message{
		Op: dhcp4.OpReply, HType: req.HType, XID: req.XID, Flags: req.Flags,
		GIAddr: req.GIAddr, CHAddr: req.CHAddr,
	}
	if t == dhcp4.ACK {
		m.CIAddr = req.CIAddr
	}
	m.Options.Put(dhcp4.MsgType.Code, []byte{byte(t)})
	m.Options.Put(dhcp4.ServerID.Code, x.config.ID.AsSlice())
	if t != dhcp4.NAK {
		x.parameters(&m.Options)
	}
	if id, ok := req.Options.Lookup(dhcp4.ClientIdentifier.Code); ok && !x.config.OmitClientID {
		m.Options.Put(dhcp4.ClientIdentifier.Code, id) // RFC 6842, section 3
	}
	if v, ok := req.Options.Lookup(dhcp4.RelayAgent.Code); ok {
		m.Options.Put(dhcp4.RelayAgent.Code, v) // RFC 3046, section 2.2
	}
	r := Reply{Message: m, From: x.config.ID}
	r.To = destination(req, m)
	return r
}

// NAK returns a DHCPNAK that says why.
func (x *Exchange) NAK(why string) Reply {
	r := x.Reply(dhcp4.NAK)
	if isSet(x.Request.GIAddr) {
		// So that the relay broadcasts it (RFC 2131, section 4.3.2).
		r.Message.Flags |= dhcp4.FlagBroadcast
	}
	if why != "" {
		r.Message.Options.Put(dhcp4.MessageText.Code, []byte(why))
	}
	return r
}

// lease returns a DHCPOFFER or DHCPACK of an address.
func (x *Exchange) lease(t dhcp4.MessageType, addr netip.Addr) Reply {
	r := x.Reply(t)
	r.Message.YIAddr = addr
	r.To = destination(x.Request, r.Message)
	times := dhcp4.Options{{Code: dhcp4.LeaseTime.Code, Value: lifetime(x.leaseTime())}}
	if x.config.T1 != 0 {
		times.Put(dhcp4.T1.Code, lifetime(x.config.T1))
	}
	if x.config.T2 != 0 {
		times.Put(dhcp4.T2.Code, lifetime(x.config.T2))
	}
	r.Message.Options = slices.Insert(r.Message.Options, 2, times...) // after type and server
	return r
}

func lifetime(l dhcp4.Lifetime) []byte {
	return []byte{byte(l >> 24), byte(l >> 16), byte(l >> 8), byte(l)}
}

// leaseTime is what the client asks for, or the longest there is.
func (x *Exchange) leaseTime() dhcp4.Lifetime {
	if asked, err := dhcp4.LeaseTime.Get(x.Request.Options); err == nil && asked > 0 {
		return min(asked, x.config.LeaseTime)
	}
	return x.config.LeaseTime
}

// parameters adds what the client asked for, in its order (RFC 2132, section
// 9.8).
func (x *Exchange) parameters(o *dhcp4.Options) {
	have := x.config.Options
	if _, ok := have.Lookup(dhcp4.SubnetMask.Code); !ok {
		mask := ^uint32(0) << (32 - x.config.Prefix.Bits())
		have = slices.Insert(slices.Clone(have), 0, dhcp4.RawOption{Code: dhcp4.SubnetMask.Code, Value: lifetime(dhcp4.Lifetime(mask))})
	}
	list, err := dhcp4.ParameterList.Get(x.Request.Options)
	for _, c := range list {
		if v, ok := have.Lookup(c); ok {
			o.Put(c, v)
		}
	}
	if err != nil || x.config.ForceOptions {
		for _, r := range have {
			o.Put(r.Code, r.Value)
		}
	}
}

// destination is the rule of RFC 2131, section 4.1.
func destination(req, reply *dhcp4.Message) Destination {
	toAll := Destination{Addr: broadcast, Port: clientPort}
	switch {
	case isSet(req.GIAddr):
		return Destination{Addr: req.GIAddr, Port: serverPort}
	case reply.Type() == dhcp4.NAK:
		return toAll
	case isSet(req.CIAddr):
		return Destination{Addr: req.CIAddr, Port: clientPort}
	case req.Flags&dhcp4.FlagBroadcast != 0, !isSet(reply.YIAddr), len(req.CHAddr) == 0:
		return toAll
	}
	return Destination{Addr: reply.YIAddr, Port: clientPort, Hardware: req.CHAddr}
}

// serverAsked returns the server that the request is for, if it names one.
func (x *Exchange) serverAsked() (netip.Addr, bool) {
	id, err := dhcp4.ServerID.Get(x.Request.Options)
	return id, err == nil
}

// namesUs says that the request is for this server, as DHCPDECLINE and
// DHCPRELEASE must say (RFC 2131, table 5).
func (x *Exchange) namesUs() bool {
	id, named := x.serverAsked()
	return named && id == x.config.ID
}
