package main

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/socket"
)

// seed is randomness that an attacker cannot guess, as far as the kernel has
// some.
//
// Early in the boot of a machine without a hardware source the kernel may have
// none for seconds, and until Linux 5.4 for minutes, and getrandom waits for it.
// We do not: what is drawn from the seed decides transaction identifiers and
// delays, which keep apart hosts on one link, and are no secrets that last. So
// the kernel's best effort and the clocks have to do then, with the hardware
// address, in which hosts of one kind that boot at one moment differ.
func (o *opening) seed(ifi socket.Link) (seed [32]byte) {
	if n, err := unix.Getrandom(seed[:], unix.GRND_NONBLOCK); err == nil && n == len(seed) {
		return seed
	}
	o.log.Warn("the kernel has no randomness yet; what it has is used", "link", ifi.Name)
	if _, err := unix.Getrandom(seed[:], unix.GRND_INSECURE); err != nil { // older than Linux 5.6
		clear(seed[:])
	}
	return stretched(seed, ifi.Addr)
}

// stretched adds to a seed what tells hosts and moments apart.
func stretched(seed [32]byte, hardware []byte) [32]byte {
	mix(seed[:], hardware)
	for i, clock := range []int32{unix.CLOCK_REALTIME, unix.CLOCK_BOOTTIME, unix.CLOCK_THREAD_CPUTIME_ID} {
		var ts unix.Timespec
		if unix.ClockGettime(clock, &ts) == nil {
			mix(seed[len(seed)-8*(i+1):], binary.LittleEndian.AppendUint64(nil, uint64(ts.Nano())))
		}
	}
	return seed
}

// mix adds b to the beginning of seed.
func mix(seed, b []byte) {
	for i := range min(len(seed), len(b)) {
		seed[i] ^= b[i]
	}
}
