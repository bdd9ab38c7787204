package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

func TestTheEndOfTheAgentEndsAllConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, f, refused := newPorch(), &fake{do: blocks}, &tray{}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- Serve(ctx, p, f, Config{Refused: refused.add, peer: root}) }()
		quiet, monitor, waiting, half := p.connect(t), p.connect(t), p.connect(t), p.connect(t)
		monitor.send(monitorCall)
		waiting.send(renewCall)
		half.send("{")
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		for _, w := range []*wire{quiet, monitor, waiting, half} {
			w.cut()
		}
		if did := f.done(); len(did) != 2 {
			t.Errorf("the agent did %v", did)
		}
		if all := refused.all(); len(all) != 0 {
			t.Errorf("refused: %v", all)
		}
	})
}

func TestWhoIsGoneIsToldOfOnce(t *testing.T) {
	var left atomic.Int32
	inBubble(t, &fake{}, Config{Left: func() { left.Add(1) }}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(metricsCall)
		w.want()
		if synctest.Wait(); left.Load() != 0 {
			t.Error("told of somebody who is there")
		}
		h.after(30*time.Second, w.cut)
		if synctest.Wait(); left.Load() != 1 {
			t.Errorf("told %d times", left.Load())
		}
	})
}

func TestServeEndsOnlyWithTheCallsOfTheAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPorch()
		f := &fake{do: lasts(time.Minute)} // does not heed its context, though it should
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- Serve(ctx, p, f, Config{peer: root})
		}()
		w := p.connect(t)
		w.send(renewCall)
		synctest.Wait()
		begin := time.Now()
		cancel()
		if err := <-ended; err != nil || time.Since(begin) != time.Minute {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		w.cut()
	})
}

func TestSoManyConnectionsAndNoMore(t *testing.T) {
	var uid uint32
	cfg := Config{peer: func(net.Conn) (Peer, error) { return Peer{UID: uid, known: true}, nil }}
	inBubble(t, &fake{}, cfg, func(t *testing.T, h *house) {
		var in []*wire
		for uid = range 4 {
			for range 16 {
				in = append(in, h.connect(t))
			}
			h.connect(t).cut()
		}
		synctest.Wait()
		if all := h.tray.all(); all[TooManyOfOneUser] != 3 || all[TooManyConnections] != 1 {
			t.Errorf("refused: %v", all)
		}
		uid = 9
		h.connect(t).cut()
		if err := in[0].Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w := h.connect(t)
		w.send(metricsCall)
		w.want()
	})
}

func TestAPeerWhomTheKernelDoesNotKnowIsTurnedAway(t *testing.T) {
	cfg := Config{peer: func(net.Conn) (Peer, error) { return Peer{}, unix.ENOTCONN }}
	inBubble(t, &fake{}, cfg, func(t *testing.T, h *house) {
		h.connect(t).cut()
		h.refusedOnly(Unknown)
	})
}

func TestOutOfFilesIsWeather(t *testing.T) {
	inBubble(t, &fake{}, Config{}, func(t *testing.T, h *house) {
		h.after(600*time.Millisecond, func() {
			for _, err := range []error{unix.EMFILE, unix.ENFILE, unix.ENOMEM} {
				h.conns <- &net.OpError{Op: "accept", Err: err}
			}
			w := h.connect(t)
			w.send(metricsCall)
			w.want()
		})
		if n := h.count(OutOfFiles); n != 3 {
			t.Errorf("%d were counted", n)
		}
	})
}

func TestAListenerThatFailsEndsServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, broken := newPorch(), errors.New("broken")
		ended := make(chan error)
		go func() { ended <- Serve(t.Context(), p, &fake{}, Config{peer: root}) }()
		w := p.connect(t)
		p.conns <- broken
		if err := <-ended; !errors.Is(err, broken) || !strings.Contains(fmt.Sprint(err), "porch") {
			t.Errorf("%v", err)
		}
		w.cut()
		if _, err := p.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Error("the listener is not closed")
		}
	})
}
