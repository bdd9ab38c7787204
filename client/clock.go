package client

import (
	"time"

	"golang.org/x/sys/unix"
)

// BootTime returns a clock for [Config].Now that shows wall time as it is at
// the call, and from then on counts with CLOCK_BOOTTIME. It goes on
// counting while the machine sleeps, which Go's own monotonic clock does not
// (golang.org/issue/24595), and does not follow when somebody sets the wall
// clock.
func BootTime() func() time.Time {
	wall, boot := time.Now().Round(0), sinceBoot()
	return func() time.Time { return wall.Add(sinceBoot() - boot) }
}

// sinceBoot reads CLOCK_BOOTTIME, which every Linux since 2.6.39 has.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("client: CLOCK_BOOTTIME: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
