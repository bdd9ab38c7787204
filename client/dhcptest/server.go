package dhcptest

import (
	"net/netip"
	"sort"
	"sync"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// A Server answers DHCP messages. By itself it only decides: messages reach it
// by a [Wire], a [Listener], or by calling Handle. All methods may be called at
// any time and from any goroutine.
type Server struct {
	mu      sync.Mutex
	config  Config
	pool    pool
	handler Handler

	diary diary
}

// NewServer returns a server that nobody can reach yet. The error is about cfg.
func NewServer(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{config: cfg, pool: newPool()}
	s.handler = s.answer
	s.diary.came = make(chan struct{})
	return s, nil
}

// ID returns the server identifier.
func (s *Server) ID() netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config.ID
}

// Change lets edit change the configuration while the server runs: new options
// at the next renewal, or a network that was renumbered. Leases stay in the
// book. The error is about the new configuration, and the old one stays.
func (s *Server) Change(edit func(*Config)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg := s.config
	edit(&cfg)
	cfg, err := cfg.withDefaults()
	if err == nil {
		s.config = cfg
	}
	return err
}

// Forget empties the server's book, as if it had lost its disk: no leases, no
// declined addresses. The log stays.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pool = newPool()
}

// Handle decides what to answer to a client's message that came at now. It
// sends nothing, and logs the request only.
func (s *Server) Handle(now time.Time, req *dhcp4.Message) []Reply {
	return s.handle(Event{Time: now, Message: req})
}

// handle logs what came and lets the rules and the protocol decide.
func (s *Server) handle(e Event) []Reply {
	defer s.diary.add(e) // whoever waits for it finds that it has been acted on
	if e.Message == nil || e.Message.Op != dhcp4.OpRequest {
		return nil
	}
	s.mu.Lock()
	h, cfg := s.handler, s.config
	s.mu.Unlock()
	return h(&Exchange{Now: e.Time, Request: e.Message, Src: e.Src, Dst: e.Dst, Peer: e.Peer, config: cfg})
}

// hears says whether a datagram to dst is for this server.
func (s *Server) hears(dst netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return dst == broadcast || dst == s.config.ID || dst == directedBroadcast(s.config.Prefix)
}

// A Lease is a line in the server's book.
type Lease struct {
	Addr         netip.Addr
	HardwareAddr dhcp4.HardwareAddr // the client's chaddr
	Expiry       time.Time          // zero: never
}

// Leases returns the leases that were granted and have neither been released
// nor passed on to another client, in the order of their addresses. Those past
// their Expiry are among them.
func (s *Server) Leases() []Lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Lease
	for _, b := range s.pool.byAddr {
		if b.granted {
			out = append(out, Lease{b.addr, b.hardware, b.until})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Addr.Less(out[j].Addr) })
	return out
}

// Declined returns the addresses that clients found in use, in order.
func (s *Server) Declined() []netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []netip.Addr
	for a := range s.pool.bad {
		out = append(out, a)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Less(out[j]) })
	return out
}
