package client

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// What rings cannot be shown here, because nobody sets the clock of a machine
// that runs tests; a virtual machine does that. This shows that nothing rings
// by itself, and that the listener ends.
func TestWakeupsListensUntilItsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	before := timerfds(t)
	woke, err := Wakeups(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if timerfds(t) != before+1 {
		t.Error("no timer")
	}
	select {
	case <-woke:
		t.Error("it rang")
	case <-time.After(50 * time.Millisecond):
	}
	cancel()
	for end := time.Now().Add(10 * time.Second); timerfds(t) != before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the timer is left behind")
		}
	}
}

// timerfds counts this process's timer descriptors.
func timerfds(t *testing.T) (n int) {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.Contains(to, "timerfd") {
			n++
		}
	}
	return n
}
