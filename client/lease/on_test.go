package lease

import (
	"testing"
	"time"
)

func TestInstantsOnAnotherClockAreAsFarApart(t *testing.T) {
	boot := time.Unix(1000, 0)
	late := time.Duration(0)
	wall := func(t time.Time) time.Time { // each look takes a while
		late += time.Millisecond
		return t.Add(24*time.Hour + late)
	}
	l := Lease{Start: boot, T1: boot.Add(30 * time.Minute), T2: boot.Add(50 * time.Minute), Expiry: boot.Add(time.Hour)}
	w := l.On(wall)
	if w.Start.Sub(boot) != 24*time.Hour+time.Millisecond || w.T1.Sub(w.Start) != 30*time.Minute || w.T2.Sub(w.Start) != 50*time.Minute || w.Expiry.Sub(w.Start) != time.Hour {
		t.Errorf("%+v", w)
	}
	if w = (Lease{Start: boot}).On(wall); !w.Infinite() || !w.T1.IsZero() {
		t.Errorf("infinite: %+v", w)
	}
	if w = (Lease{}).On(wall); !w.Start.IsZero() {
		t.Errorf("no lease: %+v", w)
	}
}
