package metrics

import (
	"slices"
	"testing"
	"time"
)

func TestABucketHoldsWhatIsEqualToItsBound(t *testing.T) {
	h := newHistogram()
	for _, d := range []time.Duration{-time.Second, 0, 10 * time.Millisecond, 10*time.Millisecond + 1, time.Minute, 5 * time.Minute, 5*time.Minute + 1} {
		h.observe(d)
	}
	want := make([]uint64, len(leaseBounds)+1)
	want[0], want[1], want[slices.Index(leaseBounds, time.Minute)], want[len(want)-2], want[len(want)-1] = 3, 1, 1, 1, 1
	if !slices.Equal(h.counts, want) || h.sum != 11*time.Minute+20*time.Millisecond+2 {
		t.Errorf("%v, %v in all; want %v", h.counts, h.sum, want)
	}
	if !slices.IsSorted(leaseBounds) || leaseBounds[0] != 10*time.Millisecond || leaseBounds[len(leaseBounds)-1] != 5*time.Minute {
		t.Errorf("%v", leaseBounds)
	}
}
