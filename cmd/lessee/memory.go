package main

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Each collection halves the stacks that have become too large; those of
// whoever encoded JSON or spoke netlink have 32 KiB, and need 2 to 4 at rest.
const stackHalvings = 4

// collectEarly is how much garbage there may be, in percent of what is in use.
// An agent makes little, and seldom; what it must not have is a heap with holes
// from when a hundred links began at once.
const collectEarly = 10

// thriftAfter is how long after the start that begins. The first address comes
// earlier where a server answers at once, and does not wait for the collector.
const thriftAfter = 100 * time.Millisecond

// settleAfter is how long after the last event, packet or answer memory that was
// needed for it is given back.
const settleAfter = 5 * time.Second

// sweepTime is how long the sweeper may take, with room to spare.
const sweepTime = 100 * time.Millisecond

// giveBack returns memory that the start or some event needed and rest does
// not: what the heap has free, and the pages of the program itself. The kernel
// has those in its cache, and maps the few that are used at rest again when
// they are.
func giveBack() {
	for range stackHalvings {
		runtime.GC()
	}
	// The collector's own buffers are given back by the sweeper, which comes
	// after the collection: hence the second time.
	debug.FreeOSMemory()
	time.Sleep(sweepTime)
	debug.FreeOSMemory()
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return // no proc: then not
	}
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if start, end, ok := readOnly(lines.Text(), exe); ok {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTNEED) // a wish
		}
	}
}

// readOnly picks the mappings of the program's file that nobody writes, so that
// dropping their pages loses nothing.
func readOnly(line, exe string) (start, end uintptr, ok bool) {
	addrs, rest, _ := strings.Cut(line, " ")
	low, high, _ := strings.Cut(addrs, "-")
	first, errLow := strconv.ParseUint(low, 16, 64)
	last, errHigh := strconv.ParseUint(high, 16, 64)
	if errLow != nil || errHigh != nil || first > last {
		return 0, 0, false
	}
	perms := rest[:min(len(rest), 4)]
	return uintptr(first), uintptr(last), (perms == "r--p" || perms == "r-xp") && strings.HasSuffix(line, " "+exe)
}
