package client

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Wakeups returns a channel that gets a value each time the machine has slept,
// or somebody has set its clock; of several that were not taken, one is left.
// Nothing runs meanwhile: the kernel tells. It ends with ctx.
func Wakeups(ctx context.Context) (<-chan struct{}, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("hear of sleep: %w", os.NewSyscallError("timerfd_create", err))
	}
	if err := arm(fd); err != nil {
		return nil, errors.Join(fmt.Errorf("hear of sleep: %w", err), unix.Close(fd))
	}
	f := os.NewFile(uintptr(fd), "timerfd")
	woke := make(chan struct{}, 1)
	context.AfterFunc(ctx, func() { _ = f.Close() }) // ends the read
	go listen(f, fd, woke)
	return woke, nil
}

// arm sets a timer far away, whose read fails when the clock jumps, as it does
// after sleep.
func arm(fd int) error {
	far, err := unix.TimeToTimespec(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil { // 32 bits
		far = unix.Timespec{Sec: math.MaxInt32}
	}
	return os.NewSyscallError("timerfd_settime",
		unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &unix.ItimerSpec{Value: far}, nil))
}

func listen(f *os.File, fd int, woke chan<- struct{}) {
	var b [8]byte
	for {
		if _, err := f.Read(b[:]); !errors.Is(err, unix.ECANCELED) {
			return // ctx has ended
		}
		select {
		case woke <- struct{}{}:
		default:
		}
		if arm(fd) != nil {
			return
		}
	}
}
