package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/lessee/lessee/client"
)

// A life is what one client has, from its start to its end.
type life struct {
	ctx   context.Context // ends with the client's last command
	end   context.CancelFunc
	run   func(context.Context) error
	parts *Parts
	woke  <-chan struct{}
	said  chan error // what came of the farewell
}

// errStopped says that the keeper was stopped before the client began.
var errStopped = errors.New("stopped before it began")

// begin opens what the link needs, and makes a client of it that has only to
// run.
func (k *keeper) begin(ctx context.Context) (l *life, err error) {
	defer caught(&err)
	k.began = k.agent.cfg.Now()
	woke := k.agent.cfg.Woke.Listen()
	var parts *Parts
	defer func() {
		if l == nil { // a panic, too, must not leave the link locked
			k.agent.cfg.Woke.Leave(woke)
			err = errors.Join(err, parts.close())
		}
	}()
	if parts, err = k.plan.Open(ctx, k.link); err != nil {
		return nil, err
	}
	cfg := parts.Client
	cfg.Link, cfg.Notify, cfg.Woke = k.state, k.notify(parts), woke
	parts.Client = nil
	c, err := client.New(*cfg)
	if err != nil {
		return nil, err
	}
	k.put()
	n := &life{run: c.Runner(parts.Remembered), parts: parts, woke: woke, said: make(chan error, 1)}
	n.ctx, n.end = context.WithCancel(ctx)
	if !k.onStop(func() { n.said <- k.farewell(ctx, c); n.end() }) {
		n.end()
		return nil, errStopped
	}
	k.parts.Store(parts)
	k.current.Store(c)
	return n, nil
}

// conclude closes everything after a life that ended with err. The error says why
// it ended; it is nil if the keeper was stopped and the client let go.
func (k *keeper) conclude(ctx context.Context, l *life, err error) (why error) {
	defer caught(&why)
	defer k.agent.cfg.Woke.Leave(l.woke)
	defer func() {
		if errClose := l.parts.close(); why == nil {
			why = errClose
		}
	}()
	defer k.onStop(nil)
	defer l.end()
	k.current.Store(nil)
	k.parts.Store(nil)
	if !k.stopped() {
		return fmt.Errorf("the client ended: %w", err)
	}
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	err = errors.Join(err, <-l.said)
	if k.policy != Keep {
		err = errors.Join(err, l.parts.letGo(ctx))
	}
	return err
}

// caught makes an error of the panic that it is deferred in: the links are apart
// from one another.
func caught(err *error) {
	if v := recover(); v != nil {
		*err = &client.PanicError{Value: v, Stack: debug.Stack()}
	}
}
