package metrics

import "time"

// leaseBounds are the buckets of the time to a lease. 10 to 100 ms is a server
// that answers at once and no conflict check; some 200 ms the fast check; 1 to 5
// s a server that pings addresses before it offers them, or RFC 5227's own
// times; beyond that, lost packets and their repetition, up to a server that
// was away.
var leaseBounds = []time.Duration{
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
	200 * time.Millisecond, 300 * time.Millisecond, 500 * time.Millisecond,
	1 * time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
	1 * time.Minute, 2 * time.Minute, 5 * time.Minute,
}

// A histogram counts durations by leaseBounds.
type histogram struct {
	counts []uint64 // of each bucket alone; the last one is for what is longer than all
	sum    time.Duration
}

func newHistogram() histogram { return histogram{counts: make([]uint64, len(leaseBounds)+1)} }

// observe counts d. A bucket holds what is equal to its bound, too.
func (h *histogram) observe(d time.Duration) {
	d = max(d, 0)
	i := 0
	for i < len(leaseBounds) && d > leaseBounds[i] {
		i++
	}
	h.counts[i]++
	h.sum += d
}
