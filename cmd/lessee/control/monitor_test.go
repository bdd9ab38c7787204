package control

import (
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneEventForWhoDoesNotWantMore(t *testing.T) {
	f := &fake{}
	inBubble(t, f, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(`{"method":"` + Interface + `.Monitor","parameters":{"link":"eth0"}}␀`)
		time.Sleep(time.Hour)
		f.tell(t, event(1))
		if r := w.want(); r.Continues || r.Error != "" || !reflect.DeepEqual(r.Parameters["event"], any(object(t, event(1)))) {
			t.Errorf("%+v", r)
		}
		w.send(metricsCall) // and the connection is free again
		w.want()
		if did := f.done(); !slices.Equal(did, []string{"Subscribe eth0", "Metrics"}) {
			t.Errorf("the agent did %v", did)
		}
	})
}

func TestTheSecondOfTwoEventsAtOnceBlocksNobodyAfterASingleReply(t *testing.T) {
	f := &fake{}
	inBubble(t, f, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(`{"method":"` + Interface + `.Monitor"}␀`)
		synctest.Wait()
		f.tell(t, event(1))
		f.tell(t, event(2)) // the reply is not yet read
		if r := w.want(); r.Parameters["event"].(map[string]any)["text"] != "1" {
			t.Errorf("%+v", r)
		}
		w.send(metricsCall)
		w.want()
	})
}

func TestAPeerMayFall256EventsBehindAndNotOneMore(t *testing.T) {
	for _, extra := range []int{0, 1} {
		f := &fake{}
		inBubble(t, f, Config{}, func(t *testing.T, h *house) {
			w := h.connect(t)
			w.send(monitorCall)
			synctest.Wait()
			f.tell(t, event(0)) // is being written
			synctest.Wait()
			for n := range 256 + extra {
				f.tell(t, event(n+1))
			}
			synctest.Wait()
			if extra > 0 {
				h.after(0, w.cut)
				h.refusedOnly(TooFarBehind)
				return
			}
			for n := range 257 {
				if e := w.want().Parameters["event"]; !reflect.DeepEqual(e, any(object(t, event(n)))) {
					t.Fatalf("event %d is %v", n, e)
				}
			}
			if all := h.tray.all(); len(all) != 0 {
				t.Errorf("refused: %v", all)
			}
		})
	}
}

func TestAMonitorThatDoesNotReadIsCutOffThoughLittleHappens(t *testing.T) {
	f := &fake{}
	inBubble(t, f, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(monitorCall)
		synctest.Wait()
		f.tell(t, event(0))
		time.Sleep(5 * time.Second)
		h.refusedOnly(NotReading)
		if _, err := w.next(); err == nil {
			t.Error("it goes on")
		}
	})
}

func TestTheEndOfEventsIsTold(t *testing.T) {
	f := &fake{}
	inBubble(t, f, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(monitorCall)
		synctest.Wait()
		f.tell(t, event(0))
		close(f.events)
		w.want()
		if r := w.want(); r.Error != Interface+".Failed" || r.Continues {
			t.Errorf("%+v", r)
		}
		w.send(metricsCall)
		w.want()
	})
}

func TestWhatIsAskedBehindAMonitorWaits(t *testing.T) {
	f := &fake{}
	inBubble(t, f, Config{}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(monitorCall + metricsCall)
		time.Sleep(time.Hour)
		f.tell(t, event(0))
		if r := w.want(); r.Parameters["event"] == nil {
			t.Errorf("%+v", r)
		}
		if did := f.done(); !slices.Equal(did, []string{"Subscribe"}) {
			t.Errorf("the agent did %v", did)
		}
	})
}
