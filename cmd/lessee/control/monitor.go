package control

import (
	"context"
	"errors"
	"sync"

	"github.com/varlink/go/varlink"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// errNoMore says that the agent tells nothing any more.
var errNoMore = errors.New("there will be no more events")

// monitor replies with events as they happen, or with the next one to a peer
// that does not want more.
func monitor(ctx context.Context, c *conn, call varlink.Call) error {
	var in someLink
	if bad := parameters(call, &in); bad != "" {
		return call.ReplyInvalidParameter(ctx, bad)
	}
	if call.IsOneway() {
		return nil // nobody would hear it
	}
	ctx, cancel := context.WithCancel(ctx)
	var pump sync.WaitGroup
	defer pump.Wait()
	defer cancel()
	events, err := c.agent.Subscribe(ctx, in.about())
	if err != nil {
		return fail(ctx, call, in.about(), err)
	}
	queue := make(chan *agent.Event, c.cfg.Limits.Events)
	pump.Go(func() { c.pump(ctx, events, queue) })
	call.Continues = call.WantsMore()
	for {
		select {
		case e, more := <-queue:
			if !more {
				return fail(ctx, call, in.about(), errNoMore)
			}
			if err := call.Reply(ctx, eventOf{*e}); err != nil || !call.Continues {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pump takes events from the agent at once, so that it never waits, and ends
// the connection of a peer that does not keep up.
func (c *conn) pump(ctx context.Context, events <-chan agent.Event, queue chan<- *agent.Event) {
	defer close(queue)
	for {
		select {
		case e, more := <-events:
			if !more {
				return
			}
			select {
			case queue <- &e:
			default:
				c.cancel(&cut{reason: TooFarBehind})
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
