package dhcptest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
)

// SquatterConfig says how a squatter behaves. The zero SquatterConfig has no
// address, answers at once, and with the hardware address of its link.
type SquatterConfig struct {
	// Addrs are the addresses that it uses.
	Addrs []netip.Addr

	// HardwareAddr is what it says its hardware address is. A frame to
	// another address than the link's does not reach it.
	HardwareAddr net.HardwareAddr

	// Delay is the time from a request to its answer.
	Delay time.Duration
}

// A Squatter is a host that uses addresses without asking a server: it answers
// ARP requests for them (RFC 826), and that is all it does. It provokes the
// conflicts of RFC 5227.
type Squatter struct {
	cfg SquatterConfig
	ear *ear

	mu      sync.Mutex
	addrs   []netip.Addr
	answers []ARPAnswer
	came    chan struct{} // closed and made anew at each answer
}

// An ARPAnswer is an answer that a squatter gave.
type ARPAnswer struct {
	Time time.Time          // just before it was handed to the kernel
	Addr netip.Addr         // that was asked for
	To   dhcp4.HardwareAddr // who asked

	// Probe says that the request was an ARP probe: it came from 0.0.0.0
	// (RFC 5227, section 1.1).
	Probe bool

	Err error // why it could not be sent
}

// Squat puts a squatter on the link of that name. It needs CAP_NET_RAW in the
// network namespace of the calling thread.
func Squat(link string, cfg SquatterConfig) (*Squatter, error) {
	for _, a := range cfg.Addrs {
		if !a.Is4() {
			return nil, fmt.Errorf("squat on %s: %v is not an IPv4 address", link, a)
		}
	}
	e, err := openEar(link, unix.ETH_P_ARP, nil)
	if err != nil {
		return nil, fmt.Errorf("squat on %s: %w", link, err)
	}
	s := &Squatter{cfg: cfg, ear: e, addrs: slices.Clone(cfg.Addrs), came: make(chan struct{})}
	if s.cfg.HardwareAddr == nil {
		s.cfg.HardwareAddr = e.link.HardwareAddr
	}
	go s.serve()
	return s, nil
}

// Use sets the addresses that the squatter uses from now on.
func (s *Squatter) Use(addrs ...netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addrs = slices.Clone(addrs)
}

// Answers returns all answers so far, in order.
func (s *Squatter) Answers() []ARPAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.answers)
}

// WaitFor returns the first answer, past or to come, for addr. The error is
// ctx's cause.
func (s *Squatter) WaitFor(ctx context.Context, addr netip.Addr) (ARPAnswer, error) {
	for {
		s.mu.Lock()
		i, came := slices.IndexFunc(s.answers, func(a ARPAnswer) bool { return a.Addr == addr }), s.came
		if i >= 0 {
			defer s.mu.Unlock()
			return s.answers[i], nil
		}
		s.mu.Unlock()
		select {
		case <-came:
		case <-ctx.Done():
			return ARPAnswer{}, fmt.Errorf("nobody asked the squatter for %v: %w", addr, context.Cause(ctx))
		}
	}
}

// Announce broadcasts that the squatter uses addr, as a host does when it takes
// an address (RFC 5227, section 2.3). To the host that has it, this is a
// conflict.
func (s *Squatter) Announce(addr netip.Addr) error { return s.broadcast(addr, addr) }

// Probe asks for addr as a host does that is about to take it (RFC 5227,
// section 2.1.1). To a host that probes too, this is a conflict.
func (s *Squatter) Probe(addr netip.Addr) error {
	return s.broadcast(netip.IPv4Unspecified(), addr)
}

// Close takes the squatter off the link.
func (s *Squatter) Close() error { return s.ear.close() }

func (s *Squatter) serve() {
	defer close(s.ear.done)
	if err := s.ear.listen(s.take); err != nil {
		s.note(ARPAnswer{Time: time.Now(), Err: err})
	}
}

// take answers a request that concerns us.
func (s *Squatter) take(packet []byte, _ net.Addr) {
	var p arp.Packet
	if err := p.UnmarshalBinary(packet); err == nil && s.concerns(&p) {
		s.ear.later.after(s.cfg.Delay, func() { s.answer(&p) })
	}
}

// concerns says whether p is another host's request for an address of ours.
func (s *Squatter) concerns(p *arp.Packet) bool {
	own := s.ear.link.HardwareAddr
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.Operation == arp.OperationRequest && p.ProtocolType == unix.ETH_P_IP &&
		len(p.SenderHardwareAddr) == len(own) && !bytes.Equal(p.SenderHardwareAddr, own) &&
		slices.Contains(s.addrs, p.TargetIP)
}

func (s *Squatter) answer(p *arp.Packet) {
	a := ARPAnswer{
		Time: time.Now(), Addr: p.TargetIP, To: dhcp4.HardwareAddr(p.SenderHardwareAddr),
		Probe: p.SenderIP.IsUnspecified(),
	}
	a.Err = s.send(arp.OperationReply, p.TargetIP, p.SenderHardwareAddr, p.SenderIP, p.SenderHardwareAddr)
	s.note(a)
}

func (s *Squatter) note(a ARPAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = append(s.answers, a)
	close(s.came)
	s.came = make(chan struct{})
}

func (s *Squatter) broadcast(sender, target netip.Addr) error {
	nobody := make(net.HardwareAddr, len(s.ear.link.HardwareAddr))
	return s.send(arp.OperationRequest, sender, nobody, target, orBroadcast(nil))
}

func (s *Squatter) send(op arp.Operation, sender netip.Addr, targetHW net.HardwareAddr, target netip.Addr, to net.HardwareAddr) error {
	p, err := arp.NewPacket(op, s.cfg.HardwareAddr, sender, targetHW, target)
	if err != nil {
		return fmt.Errorf("ARP for %v: %w", target, err)
	}
	b, err := p.MarshalBinary()
	if err == nil {
		_, err = s.ear.conn.WriteTo(b, &packet.Addr{HardwareAddr: to})
	}
	return err
}
