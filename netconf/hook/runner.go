package hook

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"
)

// maxWaiting is how many events of a link may wait for hooks. The oldest of
// more is dropped, so that the newest state always arrives.
const maxWaiting = 16

// A Place says where and how the hooks of a link are run.
type Place struct {
	Dir   string                   // of the programs; "": none are run
	Limit time.Duration            // for each program
	Enter func(func() error) error // runs a function in the link's network namespace; nil: it is ours
}

// A Runner runs hooks. The events of one link are handed to hooks in their
// order, one after the other; those of several links at the same time. At rest
// it is no goroutine and holds nothing of a link.
type Runner struct {
	log    *slog.Logger
	failed func(link string, err error)
	ctx    context.Context // ends what runs
	cancel context.CancelFunc

	mu    sync.Mutex
	lines map[string]*line // of links that hooks are run for
	said  map[string]string
	limit time.Duration // the longest of all that was told
}

// A line is what waits for hooks on one link.
type line struct {
	waiting []task
	missed  int           // events that were dropped since the last one that was not
	done    chan struct{} // closed when nothing waits any more
}

// A task is run with the number of events that were dropped before it.
type task func(ctx context.Context, missed int)

// NewRunner returns a runner that logs to log, which may be nil. failed, if not
// nil, is told of each hook that fails.
func NewRunner(log *slog.Logger, failed func(link string, err error)) *Runner {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Runner{log: log, failed: failed, lines: map[string]*line{}, said: map[string]string{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Tell has the hooks at a place run for an event, after those of earlier events
// of the link. It never waits, and e must not be changed any more.
func (r *Runner) Tell(at Place, e *Event) {
	if at.Dir == "" {
		return
	}
	r.enqueue(linkName(e), at.Limit, func(ctx context.Context, missed int) {
		e.Missed = missed
		r.hooks(ctx, at, e)
	})
}

// Do has f run as if it were the hooks of an event of the link. It takes no
// longer than limit.
func (r *Runner) Do(link string, limit time.Duration, f func(ctx context.Context)) {
	r.enqueue(link, limit, func(ctx context.Context, _ int) { f(ctx) })
}

func linkName(e *Event) string {
	if e.Namespace == "" {
		return e.Interface
	}
	return e.Interface + "@" + e.Namespace
}

func (r *Runner) enqueue(link string, limit time.Duration, t task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limit = max(r.limit, limit)
	l := r.lines[link]
	if l == nil {
		l = &line{done: make(chan struct{})}
		r.lines[link] = l
		go r.work(link, l)
	}
	if len(l.waiting) == maxWaiting {
		l.waiting = append(l.waiting[:0], l.waiting[1:]...)
		if l.missed++; l.missed == 1 {
			r.log.Warn("hooks are slower than events; the oldest ones are dropped", "link", link)
		}
	}
	l.waiting = append(l.waiting, t)
}

// next takes what has waited longest; the line ends when there is nothing.
func (r *Runner) next(link string, l *line) (t task, missed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(l.waiting) == 0 || r.ctx.Err() != nil {
		if n := len(l.waiting); n > 0 {
			r.log.Warn("no time is left for the hooks of the last events", "link", link, "events", n)
		}
		delete(r.lines, link)
		close(l.done)
		return nil, 0
	}
	t, missed = l.waiting[0], l.missed
	l.waiting, l.missed = l.waiting[1:], 0
	return t, missed
}

func (r *Runner) work(link string, l *line) {
	for {
		t, missed := r.next(link, l)
		if t == nil {
			return
		}
		r.guard(link, func() { t(r.ctx, missed) })
	}
}

// guard keeps a mistake of ours from ending more than one event's hooks.
func (r *Runner) guard(link string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			r.log.Error("a mistake in lessee; the hooks of one event are not run", "link", link, "panic", v, "stack", string(debug.Stack()))
		}
	}()
	f()
}

// patience is how many hooks that hang the end waits for: there may be several
// programs, and several events, and each is killed by itself when its own time is
// over.
const patience = 4

// Close returns when no hooks run or wait any more. If that takes longer than a
// few hooks may take, or than most, what runs is killed and what waits is dropped,
// within a few seconds. The runner must not be told of anything afterwards.
func (r *Runner) Close(most time.Duration) error {
	r.mu.Lock()
	timer := time.NewTimer(min(patience*r.limit, most))
	r.mu.Unlock()
	defer timer.Stop()
	defer r.cancel()
	var err error
	for l := r.busy(); l != nil; l = r.busy() {
		select {
		case <-l.done:
		case <-timer.C:
			err = fmt.Errorf("wait for hooks: %w", ErrTooLong)
			r.cancel()
			<-l.done
		}
	}
	return err
}

func (r *Runner) busy() *line {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		return l
	}
	return nil
}

// hooks runs all hooks for one event.
func (r *Runner) hooks(ctx context.Context, at Place, e *Event) {
	link := linkName(e)
	run, refused := programs(at.Dir, os.Geteuid())
	r.complain(run, refused)
	if len(run) == 0 {
		return
	}
	text, err := e.JSON()
	if err != nil {
		r.log.Error("hooks", "link", link, "event", string(e.Name), "error", err)
		return
	}
	for _, path := range run {
		log := r.log.With("link", link, "event", string(e.Name), "hook", filepath.Base(path))
		x := &execution{
			path: path, env: e.environment(), stdin: text, limit: at.Limit, enter: at.Enter,
			say: func(text string) { log.Info("hook", "output", text) },
		}
		err := x.run(ctx)
		switch {
		case ctx.Err() != nil:
			log.Warn("hook", "error", ErrTooLong)
			return
		case err == nil:
			log.Debug("hook done")
			continue
		}
		log.Warn("hook", "error", err)
		if r.failed != nil {
			r.failed(link, fmt.Errorf("hook %s: %w", path, err))
		}
	}
}

// complain tells what is not run, and why, once; and again when that was over,
// or the reason is another one.
func (r *Runner) complain(run []string, refused []refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, path := range run {
		delete(r.said, path)
	}
	for _, no := range refused {
		why := no.why.Error()
		if r.said[no.path] != why {
			r.said[no.path] = why
			r.log.Warn("a hook is not run", "path", no.path, "why", why)
		}
	}
}
