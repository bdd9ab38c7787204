// Bench measures DHCP clients side by side, in one run: the time from exec to
// the address on the link, as the kernel tells it. It is for root, and needs
// dnsmasq and the other clients; all of it happens in namespaces.
//
//	go run ./.ci/bench
//
// It ends with an error if lessee does not keep its bounds.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/nettest"
)

// The bounds.
const (
	maxRatio  = 0.4                    // of dhclient's and of networkd's median, with --probe off
	maxProbe  = 210 * time.Millisecond // that --probe fast adds: its window, and 10 ms
	maxAgent  = 10 * time.Millisecond  // that the agent, which opens more, may need beyond acquire
	maxMemory = 10 << 10               // resident, KiB
	maxBinary = 7 << 20                // stripped, bytes
)

func main() {
	rounds := flag.Int("rounds", 15, "how often each client is measured")
	only := flag.String("only", "", "measure only these clients, by comma")
	binary := flag.String("lessee", "", "the program; built if not given")
	flag.Parse()
	code, err := run(*rounds, *only, *binary)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		code = 1
	}
	os.Exit(code)
}

func run(rounds int, only, binary string) (int, error) {
	if !nettest.Inside() {
		ahead()
		return nettest.Reexec()
	}
	if err := nettest.Settle(); err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "lessee-bench-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if binary == "" {
		binary = filepath.Join(dir, "lessee")
		if out, err := exec.Command(".ci/build", binary).CombinedOutput(); err != nil {
			return 1, fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	if err := privateFiles(); err != nil {
		return 1, err
	}
	b, err := newBench(dir, binary)
	if err != nil {
		return 1, err
	}
	defer b.close()
	var some []string
	if only != "" {
		some = strings.Split(only, ",")
	}
	return b.measure(rounds, some)
}

// ahead lets whatever this goroutine starts, the server and every client alike, go
// before all else that the machine does, as far as that is allowed.
func ahead() {
	const most = -20
	runtime.LockOSThread() // it is a thread that has a priority, and hands it on
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, most)
}

// measure runs all clients in turn, round by round, so that the machine's
// moods meet all of them, and prints the table.
func (b *bench) measure(rounds int, only []string) (int, error) {
	times := map[string][]time.Duration{}
	for round := range rounds + 1 { // the first one warms caches
		for _, c := range b.turn(only) {
			d, err := b.once(c)
			if err != nil {
				return 1, fmt.Errorf("%s: %w", c.name, err)
			}
			if round > 0 {
				times[c.name] = append(times[c.name], d)
			}
		}
	}
	memory, err := b.memory()
	if err != nil {
		return 1, err
	}
	r, err := b.atRest()
	if err != nil {
		return 1, err
	}
	size, err := os.Stat(b.binary)
	if err != nil {
		return 1, err
	}
	median, fastest := map[string]time.Duration{}, map[string]time.Duration{}
	for n, t := range times {
		slices.Sort(t)
		fastest[n], median[n] = t[0], t[len(t)/2]
	}
	fmt.Printf("%-22s %9s %9s %9s  %s\n", "exec to address, ms", "min", "median", "max", "of dhclient's median")
	for _, c := range b.clients() {
		n, t := c.name, times[c.name]
		if t == nil {
			continue
		}
		ratio := "-"
		if d := median["dhclient"]; d > 0 {
			ratio = fmt.Sprintf("%.2f", float64(median[n])/float64(d))
		}
		fmt.Printf("%-22s %9.1f %9.1f %9.1f  %s\n", n, ms(t[0]), ms(median[n]), ms(t[len(t)-1]), ratio)
	}
	fmt.Printf("lessee acquire: at most %.1f MiB resident; the stripped binary has %.2f MiB\n", float64(memory)/1024, float64(size.Size())/(1<<20))
	fmt.Printf("the agent at rest: %d wake-ups in a minute, %d KiB with one link (PSS), %d KiB for each further link\n", r.wakeups, r.one, r.further)
	return judge(median, fastest, memory, size.Size(), r), nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// judge holds the figures to the bounds. A ratio is of medians; what one way adds
// to another, in milliseconds, is of the rounds that nothing disturbed.
func judge(median, fastest map[string]time.Duration, memory int, size int64, r rest) (code int) {
	fail := func(format string, args ...any) {
		fmt.Printf("BOUND BROKEN: "+format+"\n", args...)
		code = 1
	}
	off := median["lessee --probe off"]
	for _, other := range others {
		if d := median[other]; d > 0 && off > 0 && float64(off) > maxRatio*float64(d) {
			fail("--probe off takes %.2f of %s's median, at most %v", float64(off)/float64(d), other, maxRatio)
		}
	}
	off = fastest["lessee --probe off"]
	if fast := fastest["lessee --probe fast"]; fast > off+maxProbe {
		fail("--probe fast adds %v, at most %v", fast-off, maxProbe)
	}
	if agent := fastest["lessee run"]; agent > off+maxAgent {
		fail("the agent takes %v to the address, acquire %v", agent, off)
	}
	if r.wakeups > maxWakeups || r.one > maxRest || r.further > maxFurther {
		fail("the agent at rest: at most %d wake-ups a minute, %d KiB, and %d for each further link", maxWakeups, maxRest, maxFurther)
	}
	if memory > maxMemory {
		fail("%d KiB resident, at most %d", memory, maxMemory)
	}
	if size > maxBinary {
		fail("the binary has %d bytes, at most %d", size, maxBinary)
	}
	return code
}

var errNoAddress = errors.New("no address within 30 s")
