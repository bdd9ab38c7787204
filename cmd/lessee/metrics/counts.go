package metrics

import "slices"

// A counter is one of the plain counters of a link.
type counter int

// The plain counters, in the order in which they are written.
const (
	sendErrors counter = iota
	leasesBound
	leasesUnconfirmed
	renewals
	rebindings
	expiries
	naks
	conflicts
	unanswered
	offersRefused
	applyFailures
	changes
	hookFailures
	flaps
	restarts
	panics
	counters // how many there are
)

// counts is all that is counted of one link.
type counts struct {
	link     string
	plain    [counters]uint64
	messages [2][]uint64 // by direction, then messageTypes
	dropped  []uint64    // by dropReasons
	frames   []uint64    // by frameReasons
	troubles []uint64    // by troubleKinds
	lease    histogram   // times from the first message to the lease
}

func newCounts(link string) counts {
	return counts{
		link:     link,
		messages: [2][]uint64{make([]uint64, len(messageTypes)), make([]uint64, len(messageTypes))},
		dropped:  make([]uint64, len(dropReasons)),
		frames:   make([]uint64, len(frameReasons)),
		troubles: make([]uint64, len(troubleKinds)),
		lease:    newHistogram(),
	}
}

// clone returns a copy that shares nothing with c.
func (c counts) clone() counts {
	for d := range c.messages {
		c.messages[d] = slices.Clone(c.messages[d])
	}
	c.dropped = slices.Clone(c.dropped)
	c.frames = slices.Clone(c.frames)
	c.troubles = slices.Clone(c.troubles)
	c.lease.counts = slices.Clone(c.lease.counts)
	return c
}
