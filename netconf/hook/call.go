package hook

import (
	"time"

	"github.com/lessee/lessee/client/lease"
)

// A call is all that a script is told. Instants are on the host's clock.
type call struct {
	style    Style
	script   string
	reason   Reason
	link     string
	old, new *lease.Lease // what is configured, and what is to be; nil: nothing
	mtu      bool         // option 26 is for the script to follow
	now      time.Time
	text     string // why, for people
}

// program is how a script is called: by its arguments and its environment.
func (c *call) program() (args []string, e env) {
	e = newEnv()
	if c.style == UDHCPC {
		c.udhcpc(&e)
		return []string{c.reason.argument()}, e
	}
	c.dhclient(&e)
	return nil, e
}

// seconds is how long a lease is worth to a script that counts from now. What
// nobody confirmed is worth what is left of it.
func (c *call) seconds(l *lease.Lease) uint32 {
	if l.Infinite() {
		return 0xffffffff
	}
	d := l.Expiry.Sub(l.Start)
	if c.reason == ReasonTimeout {
		d = max(l.Expiry.Sub(c.now), time.Second)
	}
	return uint32(min(d/time.Second, 0xfffffffe))
}

// OnClock returns a lease with its instants on another clock; nil stays nil.
func OnClock(l *lease.Lease, clock func(time.Time) time.Time) *lease.Lease {
	if l == nil {
		return nil
	}
	w := l.On(clock)
	return &w
}
