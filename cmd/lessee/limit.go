package main

import (
	"context"
	"time"
)

// A timeUp ends what takes longer than --timeout allows.
type timeUp time.Duration

func (t timeUp) Error() string {
	return "gave up after " + shortDuration(time.Duration(t)) + ", --timeout"
}

// Is makes it what contexts end with that have a deadline.
func (timeUp) Is(target error) bool { return target == context.DeadlineExceeded }

// within bounds a context, with a cause that tells people why it ended.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, timeout, timeUp(timeout))
}
