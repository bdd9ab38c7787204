package control

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

const (
	metricsCall = `{"method":"` + Interface + `.Metrics"}␀`
	renewCall   = `{"method":"` + Interface + `.Renew","parameters":{"link":"eth0"}}␀`
	monitorCall = `{"method":"` + Interface + `.Monitor","more":true}␀`
)

// blocks is a command that does not end before its peer goes away.
func blocks(ctx context.Context, _ string, _ Command) (agent.Status, error) {
	<-ctx.Done()
	return agent.Status{}, ctx.Err()
}

// lasts is a command that takes so long.
func lasts(d time.Duration) func(context.Context, string, Command) (agent.Status, error) {
	return func(context.Context, string, Command) (agent.Status, error) {
		time.Sleep(d)
		return everything(), nil
	}
}

func TestAPeerThatSaysNothingIsCutOffAfter30Seconds(t *testing.T) {
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		h.after(30*time.Second, w.cut)
		h.refusedOnly(Idle)
	})
}

func TestAPeerThatAsksEvery29SecondsIsNotIdle(t *testing.T) {
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		for range 10 {
			time.Sleep(29 * time.Second)
			w.send(metricsCall)
			w.want()
		}
		h.after(30*time.Second, w.cut)
		h.refusedOnly(Idle)
	})
}

func TestAPeerThatWaitsForTheAgentIsNotIdle(t *testing.T) {
	inBubble(t, &fake{do: lasts(time.Hour)}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(renewCall)
		h.after(time.Hour, func() { w.want() })
		h.after(30*time.Second, w.cut)
	})
}

func TestAMonitorMayBeQuietForADay(t *testing.T) {
	f := &fake{}
	inBubble(t, f, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(monitorCall)
		time.Sleep(24 * time.Hour)
		f.tell(t, event(7))
		if r := w.want(); !r.Continues || r.Parameters["event"] == nil {
			t.Errorf("%+v", r)
		}
	})
}

func TestHalfAMessageHas5SecondsToBecomeWhole(t *testing.T) {
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(`{"method":"` + Interface)
		time.Sleep(4 * time.Second)
		w.send(`.Metrics"}␀{"meth`) // complete, and half of the next
		w.want()
		h.after(5*time.Second, w.cut)
		h.refusedOnly(HalfMessage)
	})
}

func TestAByteASecondDoesNotKeepAConnection(t *testing.T) {
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		n := 0
		h.after(5500*time.Millisecond, func() { // with the first byte that is not taken
			for ; w.trySend(" ") == nil; n++ {
				time.Sleep(1100 * time.Millisecond)
			}
		})
		if n != 5 {
			t.Errorf("%d bytes were taken", n)
		}
		h.refusedOnly(HalfMessage)
	})
}

func TestAPeerThatDoesNotReadItsRepliesIsCutOffAfter5Seconds(t *testing.T) {
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(metricsCall)
		time.Sleep(5*time.Second - time.Nanosecond)
		synctest.Wait()
		if n := h.count(NotReading); n != 0 {
			t.Error("it is cut off early")
		}
		time.Sleep(time.Nanosecond)
		h.refusedOnly(NotReading)
		if _, err := w.next(); !errors.Is(err, io.EOF) {
			t.Errorf("%v", err)
		}
	})
}

func TestAPeerThatReadsSlowlyIsServed(t *testing.T) {
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		for range 3 {
			w.send(metricsCall)
			time.Sleep(4 * time.Second)
			w.want()
		}
	})
}

func TestAPanicEndsOneConnectionAndNoOther(t *testing.T) {
	f := &fake{do: func(context.Context, string, Command) (agent.Status, error) { panic("a defect") }}
	inBubble(t, f, Config{}, func(t *testing.T, h *house) {
		other, w := h.connect(t), h.connect(t)
		other.send(monitorCall)
		w.send(renewCall)
		h.after(0, w.cut)
		h.refusedOnly(Panicked)
		f.tell(t, event(1))
		other.want()
		again := h.connect(t)
		again.send(metricsCall)
		again.want()
	})
}
