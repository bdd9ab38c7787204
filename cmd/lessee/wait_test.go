package main

import (
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/control"
)

// A stalling agent answers once, and from then on when it is too late.
type stalling struct {
	control.Agent
	asked atomic.Int32
}

func (s *stalling) List(ctx context.Context) ([]agent.Status, error) {
	if s.asked.Add(1) > 1 {
		<-ctx.Done()
	}
	return []agent.Status{{Link: "eth0", State: "FAILED"}}, nil
}

func TestWhoWaitedInVainIsToldHowTheLinksWere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := control.Listen(filepath.Join(dir, "control"), "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- control.Serve(ctx, l, &stalling{}, control.Config{}) }()
	r := runLessee(t, "wait", "eth0", "--run-dir", dir, "--config", "none", "--timeout", "8s")
	if r.code != exitNoServer || !strings.Contains(r.stderr, "eth0 FAILED") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
