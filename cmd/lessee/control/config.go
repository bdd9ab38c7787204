package control

import (
	"log/slog"
	"net"
	"time"
)

// Config is how the agent is controlled.
type Config struct {
	Version string // of lessee, for who asks what is behind the socket
	Limits  Limits

	Log *slog.Logger // nil: silence

	// Refused is told of everybody who is turned away or cut off. It must
	// not wait. Nil: nobody counts.
	Refused func(Reason)

	// Left is told when somebody who was taken in is gone, whatever was
	// done for them. It must not wait. Nil: nobody asks.
	Left func()

	// Now is the clock, by which the deadlines of connections go as well;
	// nil: time.Now.
	Now func() time.Time

	// peer tells who is at the other end; nil: the kernel. For tests.
	peer func(net.Conn) (Peer, error)
}

// Limits bound what peers can use up. What is zero has its default.
type Limits struct {
	Message     int           // bytes of a request, and of requests that wait; 64 KiB
	Connections int           // in all; 64
	PerUser     int           // connections; 16
	Events      int           // that wait for a peer; 256
	Idle        time.Duration // without a request; 30 s
	Half        time.Duration // until half a message is complete, or what waits can be taken; 5 s
	Write       time.Duration // until a reply is taken; 5 s
}

// Defaults. A person types no faster, a program reads no slower.
const (
	messageLimit    = 64 << 10
	connectionLimit = 64
	perUserLimit    = 16
	eventLimit      = 256
	idleLimit       = 30 * time.Second
	halfLimit       = 5 * time.Second
	writeLimit      = 5 * time.Second
)

// withDefaults returns c with nothing left open.
func (c Config) withDefaults() Config {
	l := &c.Limits
	orElse(&l.Message, messageLimit)
	orElse(&l.Connections, connectionLimit)
	orElse(&l.PerUser, perUserLimit)
	orElse(&l.Events, eventLimit)
	orElse(&l.Idle, idleLimit)
	orElse(&l.Half, halfLimit)
	orElse(&l.Write, writeLimit)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Refused == nil {
		c.Refused = func(Reason) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.peer == nil {
		c.peer = peerOf
	}
	return c
}

func orElse[T comparable](v *T, other T) {
	var zero T
	if *v == zero {
		*v = other
	}
}
