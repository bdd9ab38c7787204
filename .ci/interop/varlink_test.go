package interop

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/varlink/go/varlink"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// TestEveryMethodByAClientThatIsNotOurs calls the agent by the Varlink
// library's own client, with nothing but maps.
func TestEveryMethodByAClientThatIsNotOurs(t *testing.T) {
	w := newWorld(t)
	w.answer(w.server, scripted())
	w.keep("eth0")
	w.reaches("eth0", "BOUND", 10*time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := varlink.NewConnection(ctx, "unix:"+w.socket())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	call := func(method string, in map[string]any) map[string]any {
		t.Helper()
		out := map[string]any{}
		if err := conn.Call(ctx, "io.github.lessee.agent."+method, in, &out); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		return out
	}
	eth0 := map[string]any{"link": "eth0"}
	if links, _ := call("List", nil)["links"].([]any); len(links) != 1 {
		t.Errorf("List: %v", links)
	}
	for _, method := range []string{"Status", "Renew", "Rebind", "Reacquire"} {
		if s, _ := call(method, eth0)["status"].(map[string]any); s["state"] != "BOUND" {
			t.Errorf("%s: %v", method, s)
		}
	}
	if l, _ := call("Inform", eth0)["lease"].(map[string]any); l["dns"] == nil || l["expiry"] != nil {
		t.Errorf("F9: Inform: %v", l)
	}
	call("Pause", eth0)
	call("Resume", eth0)
	call("Reacquire", eth0) // the resumed lease is being verified; this waits for it
	if text, _ := call("Metrics", nil)["text"].(string); !strings.HasSuffix(text, "# EOF\n") {
		t.Errorf("Metrics: %q", text)
	}
	if err := conn.Call(ctx, "io.github.lessee.agent.Reload", nil, nil); err == nil {
		t.Error("Reload without a file succeeded")
	}
	next := make(chan map[string]any, 1)
	go func() {
		var out map[string]any
		other, err := varlink.NewConnection(ctx, "unix:"+w.socket())
		if err == nil {
			defer other.Close()
			err = other.Call(ctx, "io.github.lessee.agent.Monitor", eth0, &out)
		}
		if err != nil {
			t.Errorf("Monitor: %v", err)
		}
		next <- out
	}()
	for told := false; !told; { // nobody says when the subscription stands
		call("Renew", eth0)
		select {
		case out := <-next:
			told = true
			if e, _ := out["event"].(map[string]any); e["link"] != "eth0" {
				t.Errorf("Monitor: %v", out)
			}
		case <-ctx.Done():
			t.Fatal("no event")
		default:
		}
	}
	call("Release", eth0)
	if err := w.bare(); err != nil {
		t.Errorf("after Release: %v", err)
	}
	if err := conn.Call(ctx, "io.github.lessee.agent.Renew", map[string]any{"link": "eth9"}, nil); err == nil || !strings.Contains(err.Error(), "NoSuchLink") {
		t.Errorf("another link: %v", err)
	}
}

func TestTheShellAsksTheAgent(t *testing.T) {
	w := newWorld(t)
	w.answer(w.server, scripted())
	first := w.keep("eth0")
	w.asked("wait", "eth0")
	if !strings.HasPrefix(w.asked("status"), "eth0 ") || !strings.Contains(w.asked("status", "eth0"), "routers") {
		t.Errorf("status: %s", w.asked("status", "eth0"))
	}
	list := decoded[struct{ Links []agent.Status }](t, w.asked("status", "--format", "json"))
	if len(list.Links) != 1 || list.Links[0].State != "BOUND" {
		t.Errorf("status: %+v", list)
	}
	if !strings.Contains(w.asked("metrics"), "lessee_link_state") {
		t.Error("metrics: nothing of links")
	}
	w.asked("pause", "eth0")
	if _, errs, code := w.ask("renew", "eth0"); code != 1 || !strings.Contains(errs, "paused") {
		t.Errorf("renew while paused: exit %d, %s", code, errs)
	}
	w.asked("resume", "eth0")
	w.asked("reacquire", "eth0")
	d := decoded[map[string]any](t, w.asked("renew", "eth0", "--format", "json"))
	if d["agent"] == nil || d["result"] != "renewed" {
		t.Errorf("renew: %v", d)
	}
	// A second agent on the link is refused, and told by whom.
	_, errs, code := w.ask("run", "eth0", "--state-dir", w.dir, "--control", w.socket()+"-2")
	if code != 1 || !strings.Contains(errs, "in the hands of another lessee, process ") {
		t.Errorf("a second agent: exit %d, %s", code, errs)
	}
	// After a kill the socket is there still, and no obstacle.
	first.Stop()
	w.keep("eth0")
	w.asked("wait", "eth0")
	w.asked("release", "eth0")
	if err := w.bare(); err != nil {
		t.Errorf("after release: %v", err)
	}
	var s agent.Status
	if err := json.Unmarshal([]byte(w.asked("status", "eth0", "--format", "json")), &s); err != nil || s.State != "IDLE" {
		t.Errorf("after release: %+v, %v", s, err)
	}
}
