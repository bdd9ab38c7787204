package control

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// ended is a command that tells when its context has ended.
func ended(began, over chan<- struct{}) func(context.Context, string, Command) (agent.Status, error) {
	return func(ctx context.Context, _ string, _ Command) (agent.Status, error) {
		began <- struct{}{}
		<-ctx.Done()
		over <- struct{}{}
		return agent.Status{}, ctx.Err()
	}
}

func within(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

func TestWhenAPeerGoesAwayItsCallIsCancelled(t *testing.T) {
	began, over := make(chan struct{}, 1), make(chan struct{}, 1)
	refused := &tray{}
	path := start(t, &fake{do: ended(began, over)}, Config{Refused: refused.add})
	for _, behind := range []string{"", metricsCall, `{"meth`} {
		w := dialHand(t, path)
		w.send(renewCall + behind)
		within(t, "the call", began)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		within(t, "its end", over)
	}
	if all := refused.all(); len(all) != 0 {
		t.Errorf("refused: %v", all)
	}
}

func TestAMonitorThatVanishesIsNoticedThoughNothingHappens(t *testing.T) {
	f := &fake{}
	path := start(t, f, Config{Limits: Limits{PerUser: 1}})
	for range 3 { // each takes the only place
		var w *wire
		eventually(t, "a place", func() bool {
			w = dialHand(t, path)
			if w.trySend(metricsCall) != nil {
				return false // turned away before it could speak
			}
			_, err := w.next()
			return err == nil
		})
		w.send(monitorCall)
		f.subscribed(t)
		f.mu.Lock()
		f.events = nil
		f.mu.Unlock()
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// As "printf ... | socat" and "nc -N" do.
func TestAPeerThatClosesItsHalfStillGetsItsAnswers(t *testing.T) {
	began := make(chan struct{})
	f := &fake{do: func(ctx context.Context, _ string, _ Command) (agent.Status, error) {
		select {
		case <-began:
			return everything(), nil
		case <-ctx.Done():
			return agent.Status{}, ctx.Err()
		}
	}}
	w := dialHand(t, start(t, f, Config{}))
	w.send(renewCall + metricsCall)
	if err := w.Conn.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, func() { close(began) }) // so that the end is seen first
	if r := w.want(); r.Parameters["status"] == nil {
		t.Errorf("%+v", r)
	}
	if r := w.want(); r.Parameters["text"] == nil {
		t.Errorf("%+v", r)
	}
	w.cut()
}

func TestAPeerThatClosedItsHalfHasNotForEver(t *testing.T) {
	refused := &tray{}
	w := dialHand(t, start(t, &fake{}, Config{Refused: refused.add, Limits: Limits{Idle: 30 * time.Millisecond}}))
	_ = w.trySend(monitorCall) // who is slow in that is cut off as well
	_ = w.Conn.(*net.UnixConn).CloseWrite()
	w.cut()
	eventually(t, "the count", func() bool { return refused.count(Idle) == 1 })
}

// flood connects n times by as many goroutines as given, and tells how many
// connections were closed by the other side.
func flood(t *testing.T, path string, n, goroutines int, text string) (closed int) {
	t.Helper()
	var left, cut atomic.Int64
	left.Store(int64(n))
	over := make(chan error)
	for range goroutines {
		go func() {
			var err error
			for err == nil && left.Add(-1) >= 0 {
				err = knock(path, text, &cut)
			}
			over <- err
		}()
	}
	for range goroutines {
		if err := <-over; err != nil {
			t.Error(err)
		}
	}
	return int(cut.Load())
}

// knock connects, says something and waits until it is cut off.
func knock(path, text string, cut *atomic.Int64) error {
	c, err := net.Dial("unix", path)
	for end := time.Now().Add(patience); errors.Is(err, unix.EAGAIN) && time.Now().Before(end); {
		time.Sleep(100 * time.Microsecond) // the kernel's queue is full
		c, err = net.Dial("unix", path)
	}
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, _ = c.Write([]byte(text)) // it may be closed already
	if _, err := c.Read(make([]byte, 1)); err != nil && !isTimeout(err) {
		cut.Add(1)
	}
	return nil
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func TestABurstOf10000ConnectionsCostsNothing(t *testing.T) {
	refused := &tray{}
	path := start(t, &fake{}, Config{Refused: refused.add})
	var in []*wire
	for range 16 {
		w := dialHand(t, path)
		w.send(metricsCall)
		w.want()
		in = append(in, w)
	}
	const knockers = 8
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	peak, stop, stopped := 0, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				peak = max(peak, runtime.NumGoroutine())
			}
		}
	}()
	if closed := flood(t, path, 10000, knockers, "{"); closed != 10000 {
		t.Errorf("%d were closed", closed)
	}
	close(stop)
	<-stopped
	runtime.GC()
	runtime.ReadMemStats(&after)
	if peak > goroutines+knockers+4 {
		t.Errorf("%d goroutines became %d", goroutines, peak)
	}
	if after.HeapAlloc > before.HeapAlloc+1<<20 {
		t.Errorf("%d bytes became %d", before.HeapAlloc, after.HeapAlloc)
	}
	eventually(t, "the count", func() bool { return refused.count(TooManyOfOneUser) == 10000 })
	for _, w := range in { // and nobody inside noticed
		w.send(metricsCall)
		w.want()
	}
}

func TestAFloodOfGarbageDisturbsNobody(t *testing.T) {
	refused := &tray{}
	f := &fake{}
	path := start(t, f, Config{Refused: refused.add})
	monitor := dialHand(t, path)
	monitor.send(monitorCall)
	f.subscribed(t)
	if closed := flood(t, path, 1000, 4, "\x00\xff{]\x00"); closed != 1000 {
		t.Errorf("%d were closed", closed)
	}
	f.tell(t, event(1))
	monitor.want()
	eventually(t, "the count", func() bool { return refused.count(Garbage)+refused.count(TooManyOfOneUser) == 1000 })
}
