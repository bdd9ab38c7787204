package control

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// lines are what was logged, one map for each, without their time.
func lines(t *testing.T, b []byte) (out []map[string]any) {
	t.Helper()
	for line := range bytes.Lines(b) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		delete(m, "time")
		out = append(out, m)
	}
	return out
}

func TestEachReasonIsLoggedOnceAMinuteAndCountedAlways(t *testing.T) {
	var log bytes.Buffer
	counted := &tray{}
	now := noon
	r := refusals{seen: map[Reason]*tally{}, cfg: Config{
		Log: slog.New(slog.NewJSONHandler(&log, nil)), Refused: counted.add, Now: func() time.Time { return now },
	}}
	peer := Peer{PID: 77, UID: 1000, known: true}
	for range 60 { // five minutes, one every 5 s
		r.add(peer, &cut{reason: Garbage})
		now = now.Add(5 * time.Second)
	}
	r.add(Peer{}, &cut{OutOfFiles, "accept: too many open files"})
	r.add(peer, &cut{reason: Idle})
	want := []map[string]any{}
	for _, count := range []float64{1, 13, 25, 37, 49} {
		want = append(want, map[string]any{"level": "WARN", "msg": "refused on the control socket", "reason": "garbage", "count": count, "uid": 1000.0, "pid": 77.0})
	}
	want = append(want, map[string]any{"level": "WARN", "msg": "refused on the control socket", "reason": "out of files", "count": 1.0, "detail": "accept: too many open files"})
	if got := lines(t, log.Bytes()); !reflect.DeepEqual(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
	if counted.count(Garbage) != 60 || counted.count(OutOfFiles) != 1 || counted.count(Idle) != 1 {
		t.Errorf("counted: %v", counted.all())
	}
}

func TestAPanicIsLoggedWithWhereItHappened(t *testing.T) {
	var log bytes.Buffer
	f := &fake{do: func(context.Context, string, Command) (agent.Status, error) { panic("a defect") }}
	inBubble(t, f, Config{Log: slog.New(slog.NewJSONHandler(&log, nil))}, func(t *testing.T, h *house) {
		w := h.connect(t)
		w.send(renewCall)
		w.cut()
		h.refusedOnly(Panicked)
	})
	got := lines(t, log.Bytes())
	if len(got) != 1 || got[0]["level"] != "ERROR" {
		t.Fatalf("%v", got)
	}
	detail, _ := got[0]["detail"].(string)
	if !strings.Contains(detail, "a defect") || !strings.Contains(detail, "reason_test.go") {
		t.Errorf("%v", detail)
	}
}
