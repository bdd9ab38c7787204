package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

func dialClient(t *testing.T, path string) *Client {
	t.Helper()
	c, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestTheClientCallsEveryMethod(t *testing.T) {
	f := &fake{}
	c := dialClient(t, start(t, f, Config{}))
	ctx := t.Context()
	want := object(t, everything())
	got, err := c.Status(ctx, "eth0")
	if err != nil || !reflect.DeepEqual(object(t, got), want) {
		t.Errorf("Status: %+v, %v", got, err)
	}
	list, err := c.List(ctx)
	if err != nil || len(list) != 1 || list[0].Events != nil || list[0].Offers != nil || list[0].Lease.Options != nil || list[0].Lease.MTU != 1400 {
		t.Errorf("List: %+v, %v", list, err)
	}
	for _, cmd := range []Command{Renew, Rebind, Reacquire, Release, Pause, Resume} {
		got, err := c.Do(ctx, "eth0", cmd)
		with := cmd == Renew || cmd == Rebind || cmd == Reacquire
		if err != nil || with != (got.Link == "eth0") {
			t.Errorf("%s: %+v, %v", cmd, got, err)
		}
	}
	if e, err := c.Explain(ctx, "eth0"); err != nil || !reflect.DeepEqual(object(t, e), object(t, explained())) {
		t.Errorf("Explain: %+v, %v", e, err)
	}
	if i, err := c.Inform(ctx, "eth0"); err != nil || !reflect.DeepEqual(object(t, i), map[string]any{"lease": want["lease"], "overrides": want["overrides"]}) {
		t.Errorf("Inform: %+v, %v", i, err)
	}
	if text, err := c.Metrics(ctx); err != nil || text != "# EOF\n" {
		t.Errorf("Metrics: %q, %v", text, err)
	}
	if err := c.Reload(ctx); err != nil {
		t.Errorf("Reload: %v", err)
	}
	did := []string{"Status eth0", "List", "Renew eth0", "Rebind eth0", "Reacquire eth0", "Release eth0", "Pause eth0", "Resume eth0", "Explain eth0", "Inform eth0", "Metrics", "Reload"}
	if !slices.Equal(f.done(), did) {
		t.Errorf("the agent did %v", f.done())
	}
}

func TestTheClientSeesEventsUntilItHasSeenEnough(t *testing.T) {
	f := &fake{}
	c := dialClient(t, start(t, f, Config{}))
	go func() {
		f.subscribed(t)
		for n := range 3 {
			f.tell(t, event(n))
		}
	}()
	n := 0
	for e, err := range c.Monitor(t.Context(), "eth0") {
		if err != nil || !reflect.DeepEqual(e, event(n)) {
			t.Fatalf("%d: %+v, %v", n, e, err)
		}
		if n++; n == 3 {
			break
		}
	}
	if _, err := c.List(t.Context()); !errors.Is(err, errSpent) {
		t.Errorf("the client can still be used: %v", err)
	}
}

func TestEventsEndWithAnError(t *testing.T) {
	f := &fake{}
	path := start(t, f, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	for _, tc := range []struct {
		link string
		end  func()
		want error
	}{
		{"eth9", func() {}, ErrNoSuchLink},
		{"", func() { f.subscribed(t); close(f.events) }, ErrFailed},
		{"", func() { f.subscribed(t); cancel() }, context.Canceled},
	} {
		c := dialClient(t, path)
		f.mu.Lock()
		f.events = nil
		f.mu.Unlock()
		ended := make(chan struct{})
		go func() { defer close(ended); tc.end() }()
		n := 0
		for e, err := range c.Monitor(ctx, tc.link) {
			if n++; !errors.Is(err, tc.want) {
				t.Errorf("%+v, %v, want %v", e, err, tc.want)
			}
		}
		if n != 1 {
			t.Errorf("%d rounds", n)
		}
		<-ended
	}
}

func TestWhereNobodyListens(t *testing.T) {
	dir := t.TempDir()
	dead, shut := filepath.Join(dir, "dead"), filepath.Join(dir, "shut")
	leftOver(t, dead)
	leftOver(t, shut)
	if err := os.Chmod(shut, 0); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dead, filepath.Join(dir, "none"), filepath.Join(dir, "none", "none")} {
		if _, err := Dial(path); !errors.Is(err, ErrNoAgent) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v", err)
		}
	}
	if os.Geteuid() != 0 {
		if _, err := Dial(shut); !errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrNoAgent) {
			t.Errorf("%v", err)
		}
	}
}

func TestACallThatIsGivenUpSpendsTheClient(t *testing.T) {
	f := &fake{do: blocks}
	c := dialClient(t, start(t, f, Config{}))
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(enough) })
	if _, err := c.Do(ctx, "eth0", Renew); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
	if _, err := c.List(t.Context()); !errors.Is(err, errSpent) {
		t.Errorf("what would it have answered with? %v", err)
	}
}

func TestACallThatIsAnsweredWhenItsTimeIsOverSpendsTheClient(t *testing.T) {
	c := dialClient(t, start(t, &fake{}, Config{}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c.until(ctx)(); !c.spent { // with the connection's time over too
		t.Error("the client can still be used")
	}
}

func TestADeadlineIsOneWhoeverNoticesIt(t *testing.T) {
	path := start(t, &fake{do: blocks}, Config{})
	for range 10 { // in whatever part of the call it falls
		c := dialClient(t, path)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Millisecond)
		if _, err := c.Do(ctx, "eth0", Renew); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		cancel()
	}
}

func TestTheEndOfTheAgentIsToldInWords(t *testing.T) {
	l, err := Listen(filepath.Join(t.TempDir(), "agent.socket"), "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f := &fake{do: func(ctx context.Context, _ string, _ Command) (agent.Status, error) {
		cancel()
		<-ctx.Done()
		return agent.Status{}, ctx.Err()
	}}
	ended := make(chan error)
	go func() { ended <- Serve(ctx, l, f, Config{}) }()
	c := dialClient(t, l.Addr().String())
	if _, err := c.Do(t.Context(), "eth0", Renew); err == nil || !strings.Contains(err.Error(), "the agent closed the connection") {
		t.Errorf("%v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if there(l.Addr().String()) {
		t.Error("the socket is left")
	}
}

func ExampleClient_Monitor() {
	c, err := Dial("/run/lessee/agent.socket")
	if errors.Is(err, ErrNoAgent) {
		fmt.Println("no agent")
		return
	}
	defer c.Close()
	for event, err := range c.Monitor(context.Background(), "eth0") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(event.Kind, event.Text)
	}
}
