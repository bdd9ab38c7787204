package control

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain fails if a goroutine is left when all tests are done.
func TestMain(m *testing.M) {
	if path := os.Getenv(asStranger); path != "" {
		os.Exit(beStranger(path))
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// patience bounds waits on real sockets; nothing takes so long.
const patience = 20 * time.Second

// eventually waits for something that comes about beside the test.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); {
		if time.Now().After(end) {
			t.Errorf("waited in vain for %s", what)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// A tray counts refusals.
type tray struct {
	mu   sync.Mutex
	seen map[Reason]int
}

func (r *tray) add(reason Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[Reason]int{}
	}
	r.seen[reason]++
}

func (r *tray) count(reason Reason) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[reason]
}

// all are the refusals so far.
func (r *tray) all() map[Reason]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[Reason]int{}
	for k, v := range r.seen {
		out[k] = v
	}
	return out
}

// start serves f on a socket until the test ends, and returns its path.
func start(t *testing.T, f *fake, cfg Config) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.socket")
	l, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	serveUntilEnd(t, l, f, cfg)
	return path
}

func serveUntilEnd(t *testing.T, l net.Listener, f *fake, cfg Config) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- Serve(ctx, l, f, cfg) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}
