package control

import (
	"strings"
	"testing"
	"time"
)

func TestARequestThatComesByteByByteIsARequest(t *testing.T) {
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		for _, r := range metricsCall {
			w.send(string(r))
		}
		w.want()
	})
}

// padded is a valid call of so many bytes, without its NUL.
func padded(n int) string {
	call := `{"method":"` + Interface + `.Metrics"}`
	return call + strings.Repeat(" ", n-len(call))
}

func TestTheLongestMessage(t *testing.T) {
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(padded(64<<10) + "␀" + padded(64<<10) + "␀")
		w.want()
		w.want()
		if err := w.trySend(padded(64<<10+1) + "␀"); err == nil {
			w.cut() // if all was taken before it was judged
		}
		h.refusedOnly(TooLong)
	})
}

func TestAMebibyteIsCutOffLongBeforeItsEnd(t *testing.T) {
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		n, err := w.Write(make([]byte, 0))
		for err == nil && n < 1<<20 {
			var m int
			m, err = w.Write([]byte(strings.Repeat("x", 100)))
			n += m
		}
		if n > 64<<10+2*chunk {
			t.Errorf("%d bytes were taken", n)
		}
		h.refusedOnly(TooLong)
	})
}

func TestGarbageEndsTheConnection(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, text := range []string{
		"␀", "x␀", "GET / HTTP/1.1\r\n\r\n␀", "{}␀", "null␀", "[]␀", `"List"␀`, "7␀",
		`{"method":7}␀`, `{"method":""}␀`, `{"method":"` + Interface + `.List","more":"yes"}␀`,
		`{"method":"` + Interface + `.List"}{}␀`, `{"method":"` + Interface + `.List"␀`,
		`{"method":"` + Interface + `.List","parameters":` + deep(12000) + `}␀`,
	} {
		inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
			w := h.connect(t)
			w.send(text)
			h.after(0, w.cut)
			h.refusedOnly(Garbage)
			if did := h.done(); len(did) > 0 {
				t.Errorf("%q: the agent did %v", text, did)
			}
		})
	}
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(`{"method":"` + Interface + `.Status","parameters":{"link":` + deep(9000) + `}}␀`)
		if r := w.want(); r.Error != "org.varlink.service.InvalidParameter" {
			t.Errorf("deep but valid: %+v", r)
		}
	})
}

func TestRequestsInOneGoAreAnsweredInOrder(t *testing.T) {
	inBubble(t, &fake{do: lasts(time.Second)}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(renewCall + metricsCall + renewCall + `{"method":"` + Interface + `.List"}␀`)
		for i, member := range []string{"status", "text", "status", "links"} {
			if r := w.want(); r.Parameters[member] == nil {
				t.Errorf("%d: %+v", i, r)
			}
		}
	})
}

func TestAMebibyteOfRequestsIsAnswered(t *testing.T) {
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		n := 1 << 20 / len(metricsCall)
		go func() {
			if err := w.trySend(strings.Repeat(metricsCall, n)); err != nil {
				t.Error(err)
			}
		}()
		for range n {
			w.want()
		}
	})
}

func TestTooMuchBehindACallUnderWay(t *testing.T) {
	inBubble(t, &fake{do: blocks}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(renewCall)
		h.after(5*time.Second, func() {
			if w.trySend(strings.Repeat(metricsCall, 2000)) == nil {
				t.Error("all was taken")
			}
		})
		h.refusedOnly(TooMuchWaiting)
	})
}

func TestManySlowCallsInOneGoAreAnswered(t *testing.T) {
	inBubble(t, &fake{do: lasts(4 * time.Second)}, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		const n = 2000 // more than may wait
		go func() {
			if err := w.trySend(strings.Repeat(renewCall, n)); err != nil {
				t.Error(err)
			}
		}()
		h.after(n*4*time.Second, func() {
			for range n {
				w.want()
			}
		})
	})
}
