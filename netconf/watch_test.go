package netconf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// A listener is a reader of WatchLinks.
type listener struct {
	t     *testing.T
	links <-chan Link
}

// until reads until a link is as wanted.
func (l listener) until(what string, want func(Link) bool) Link {
	l.t.Helper()
	var heard []Link
	late := time.After(time.Minute)
	for {
		select {
		case link, ok := <-l.links:
			if !ok {
				l.t.Fatalf("%s: closed after %+v", what, heard)
			}
			if heard = append(heard, link); want(link) {
				return link
			}
		case <-late:
			l.t.Fatalf("%s: heard only %+v", what, heard)
		}
	}
}

func (r *rig) watch(ns *Namespace) listener {
	r.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	links, err := WatchLinks(ctx, ns)
	r.must(err)
	r.t.Cleanup(func() {
		stop()
		for range links {
		}
	})
	return listener{r.t, links}
}

func TestWatchLinksTellsWhatIsThereAndWhatBecomesOfIt(t *testing.T) {
	r := newRig(t)
	l := r.watch(r.namespace())
	eth0 := l.until("the present links", func(l Link) bool { return l.Name == "eth0" && l.Carrier })
	if eth0.Type != unix.ARPHRD_ETHER || len(eth0.Addr) != 6 || eth0.Flags&unix.IFF_UP == 0 {
		t.Errorf("%+v", eth0)
	}
	same := func(l Link) bool { return l.Index == eth0.Index }

	r.must(r.peer.SetDown("eth0"))
	l.until("the cable is out", func(l Link) bool { return same(l) && !l.Carrier && !l.Gone })
	r.must(r.peer.SetUp("eth0"))
	l.until("the cable is in", func(l Link) bool { return same(l) && l.Carrier })

	mac := net.HardwareAddr{2, 0, 0, 0, 0, 9}
	r.must(r.m.SetHardwareAddr("eth0", mac))
	l.until("another hardware address", func(l Link) bool { return same(l) && bytes.Equal(l.Addr, mac) })

	r.mustIP("link set eth0 down", "link set eth0 name lan0", "link set lan0 up")
	l.until("another name", func(l Link) bool { return same(l) && l.Name == "lan0" })

	// A bridge tells of its ports, and of those that leave it: they live on.
	r.mustIP("link add br0 type bridge")
	l.until("a new link", func(l Link) bool { return l.Name == "br0" })
	r.mustIP("link set lan0 master br0", "link set lan0 nomaster", "link set lan0 down")
	if now := l.until("it left the bridge, and is down", func(l Link) bool { return same(l) && l.Flags&unix.IFF_UP == 0 }); now.Gone {
		t.Error("leaving a bridge is not the end")
	}
	r.must(r.m.Remove("lan0"))
	if last := l.until("the end", func(l Link) bool { return same(l) && l.Gone }); last.Name != "lan0" || last.Carrier {
		t.Errorf("%+v", last)
	}
}

// lossy is a subscription whose kernel loses all messages after the first few.
type lossy struct {
	subscription
	out chan notice
}

func (s lossy) notices() <-chan notice { return s.out }

func TestLinksWhoseMessagesWereLostAreToldAllTheSame(t *testing.T) {
	r := newRig(t)
	r.mustIP("link add br0 type bridge", "link add br1 type bridge")
	ns := r.namespace()
	lost, failures := make(chan struct{}), 3
	first := true
	w := &linkWatcher{out: make(chan Link), subscribe: func() (subscription, error) {
		if !first && failures > 0 {
			failures--
			return nil, errors.New("the kernel is busy")
		}
		s, err := subscribe(ns)
		if err != nil || !first {
			return s, err
		}
		first = false
		out := make(chan notice)
		go func() {
			defer close(out)
			for range 4 { // lo, eth0, br0, br1
				out <- <-s.notices()
			}
			<-lost
		}()
		return lossy{s, out}, nil
	}}
	ctx, stop := context.WithCancel(t.Context())
	sub, err := w.subscribe()
	r.must(err)
	ended := make(chan struct{})
	go func() { defer close(ended); w.run(ctx, sub) }()
	l := listener{t, w.out}
	br0 := l.until("present", func(l Link) bool { return l.Name == "br0" })
	l.until("present", func(l Link) bool { return l.Name == "br1" })
	r.mustIP("link del br1", "link set br0 name br2", "link add br3 type bridge")
	close(lost)
	heard := map[string]bool{}
	for len(heard) < 3 {
		l.until("what was lost", func(l Link) bool {
			switch {
			case l.Name == "br1" && l.Gone, l.Name == "br2" && l.Index == br0.Index && l.Touched > br0.Touched, l.Name == "br3":
				heard[l.Name] = true
			}
			return true
		})
	}
	if failures != 0 {
		t.Errorf("%d failures left: this test shows nothing", failures)
	}
	stop()
	<-ended
}

// scripted is a subscription without a kernel.
type scripted struct{ out chan notice }

func (s scripted) notices() <-chan notice  { return s.out }
func (s scripted) present() ([]int, error) { return []int{1}, nil }
func (s scripted) close()                  {}

func TestASlowReaderMissesWhatIsOverAndNeverHowItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sub := scripted{make(chan notice)}
		w := &linkWatcher{out: make(chan Link), subscribe: func() (subscription, error) { return sub, nil }}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go w.run(ctx, sub)
		for i := range 1001 { // 500 flaps of one link, while nobody reads
			sub.out <- notice{Link: Link{Index: 1, Name: "eth0", Carrier: i%2 == 0}}
			sub.out <- notice{Link: Link{Index: 2, Name: fmt.Sprint("eth", i), Gone: i == 1000}}
		}
		var heard []string
		for more := true; more; {
			synctest.Wait()
			select {
			case l := <-w.out:
				heard = append(heard, fmt.Sprintf("%d %s carrier %v gone %v", l.Index, l.Name, l.Carrier, l.Gone))
			default:
				more = false
			}
		}
		if want := []string{"1 eth0 carrier true gone false"}; !slices.Equal(heard, want) {
			t.Errorf("%q, want %q: the other link came and went unseen", heard, want)
		}
	})
}

func TestWatchingLeavesNothingBehind(t *testing.T) {
	r := newRig(t)
	ns := r.namespace()
	before, files := runtime.NumGoroutine(), openFiles(t)
	for range 20 {
		ctx, stop := context.WithCancel(context.Background())
		links, err := WatchLinks(ctx, ns)
		r.must(err)
		<-links
		r.mustIP("link add br0 type bridge", "link del br0") // something nobody reads
		stop()
		for range links {
		}
	}
	deadline := time.Now().Add(time.Minute)
	for runtime.NumGoroutine() > before || openFiles(t) > files {
		if time.Now().After(deadline) {
			b := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, was %d; %d files, was %d\n%s", runtime.NumGoroutine(), before, openFiles(t), files, b[:runtime.Stack(b, true)])
		}
		time.Sleep(10 * time.Millisecond) // the kernel and the runtime end by their own clocks
	}
}

func openFiles(t *testing.T) int {
	return measure(t).files
}

func TestWatchOfALinkThatIsNotThere(t *testing.T) {
	r := newRig(t)
	var states <-chan LinkState
	r.m.Must(func() (err error) { states, err = Watch(t.Context(), nil, 4711); return err })
	if s, ok := <-states; !ok || !s.Gone {
		t.Errorf("%+v, %v", s, ok)
	}
	if _, more := <-states; more {
		t.Error("there is more to say of a link that is gone")
	}
}

func TestWatchOfALinkOfANamespaceThatNobodyIsIn(t *testing.T) {
	r := newRig(t)
	r.mustIP("link add br0 index 4711 type bridge")
	for index, want := range map[int]LinkState{4711: {}, 4712: {Gone: true}} {
		states, err := Watch(t.Context(), r.namespace(), index)
		r.must(err)
		if s := <-states; s != want {
			t.Errorf("link %d: %+v, want %+v", index, s, want)
		}
	}
}

func TestAutoMetricTellsKindsApart(t *testing.T) {
	for _, tc := range []struct {
		now    linkNow
		uevent string
		want   int
	}{
		{linkNow{index: 2, wired: true}, "INTERFACE=eth0\nIFINDEX=2\n", 1002},
		{linkNow{index: 3, wired: true}, "DEVTYPE=wlan\nINTERFACE=wlan0\nIFINDEX=3\n", 100003},
		{linkNow{index: 4, wired: true}, "DEVTYPE=wwan\nINTERFACE=wwan0\nIFINDEX=4\n", 200004},
		{linkNow{index: 5}, "INTERFACE=tun0\nIFINDEX=5\n", 200005},
		{linkNow{index: 6, wired: true}, "DEVTYPE=wlan\nINTERFACE=eth0\nIFINDEX=60\n", 1006}, // another namespace's
	} {
		kind, ok := kindIn([]byte(tc.uevent), tc.now.index)
		if !ok {
			kind = ""
		}
		if got := autoMetric(tc.now, kind); got != tc.want {
			t.Errorf("%q: %d, want %d", strings.TrimSpace(tc.uevent), got, tc.want)
		}
	}
}
