package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/nettest"
)

// What an agent costs while nothing happens.
const (
	maxWakeups = 3       // a minute
	maxRest    = 6 << 10 // KiB of proportional set size, with one link
	maxFurther = 64      // KiB for each further link
	moreLinks  = 100
)

// An agent gives memory back 5 s after its last event or answer. It is at rest
// when nothing has woken it for longer.
const (
	quiet       = 8 * time.Second
	untilAtRest = time.Minute // at most: one that does not come to rest is measured as it is
	look        = 500 * time.Millisecond
)

// rest is what was measured.
type rest struct {
	wakeups      int
	one, further int // KiB
}

// atRest measures an agent with one link, and another one with more.
func (b *bench) atRest() (r rest, err error) {
	one, err := b.agent(1)
	if err != nil {
		return r, err
	}
	defer stopAgent(one)
	many, err := b.agent(1 + moreLinks)
	if err != nil {
		return r, err
	}
	defer stopAgent(many)
	if err := errors.Join(settle(one.Process.Pid), settle(many.Process.Pid)); err != nil {
		return r, err
	}
	if r.wakeups, err = inAMinute(one.Process.Pid); err != nil {
		return r, err
	}
	if r.one, err = pss(one.Process.Pid); err != nil {
		return r, err
	}
	all, err := pss(many.Process.Pid)
	r.further = (all - r.one) / moreLinks
	return r, err
}

// settle waits until an agent is at rest.
func settle(pid int) error {
	last, since := 0, time.Now()
	for range untilAtRest / look {
		now, err := switches(pid)
		if err != nil {
			return err
		}
		if now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) > quiet {
			return nil
		}
		time.Sleep(look)
	}
	return nil
}

// inAMinute is how often an agent is woken in a minute, which ends with the last
// look within it: a look that is late, since this program had to wait, would be
// of more.
func inAMinute(pid int) (int, error) {
	before, err := switches(pid)
	after := before
	for began := time.Now(); err == nil && time.Since(began) <= time.Minute; time.Sleep(look) {
		after, err = switches(pid)
	}
	return after - before, err
}

// agent starts an agent that keeps so many links, and waits until it does.
func (b *bench) agent(links int) (*exec.Cmd, error) {
	h, err := b.newHost()
	if err != nil {
		return nil, err
	}
	for i := 1; i < links; i++ {
		if err := b.further(h, i); err != nil {
			return nil, err
		}
	}
	dir := filepath.Join(b.dir, fmt.Sprintf("agent%d", links))
	at := []string{"--state-dir", dir, "--run-dir", dir, "--config", "none"}
	cmd := exec.Command(b.binary, append([]string{"run", "eth*", "--log-level", "error"}, at...)...)
	if err := h.Start(cmd); err != nil {
		return nil, err
	}
	var list []byte
	for range limit / patience { // where the machine is slow, so is each
		var err error
		list, err = exec.Command(b.binary, append([]string{"status"}, at[2:]...)...).Output()
		if err == nil && strings.Count(string(list), "BOUND") == links {
			return cmd, nil
		}
		time.Sleep(patience)
	}
	stopAgent(cmd)
	return nil, fmt.Errorf("an agent has not %d leases: %s %w", links, list, errNoAddress)
}

// patience is the time between two looks at an agent that begins.
const patience = 100 * time.Millisecond

// further lays one more cable from a host to the switch.
func (b *bench) further(h *nettest.Host, n int) error {
	port := fmt.Sprintf("%s-%d", h.Name, n)
	err := b.world.Connect(b.sw, port, h, fmt.Sprintf("eth%d", n))
	return errors.Join(err, b.sw.Do(func() error {
		l, err := netlink.LinkByName(port)
		if err != nil {
			return err
		}
		br, err := netlink.LinkByName("br0")
		if err != nil {
			return err
		}
		return netlink.LinkSetMaster(l, br)
	}))
}

// stopAgent ends an agent.
func stopAgent(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(unix.SIGTERM) // it may have ended
	_ = cmd.Wait()
}

// switches is how often all threads of a process have gone to sleep so far:
// each time, something had woken them.
func switches(pid int) (sum int, err error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(tasks) == 0 {
		return 0, errors.Join(err, errors.New("the agent is gone"))
	}
	for _, t := range tasks {
		n, err := field(t, "voluntary_ctxt_switches:")
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// pss is the proportional set size of a process, in KiB.
func pss(pid int) (int, error) { return field(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:") }

// field reads a number of a file of proc.
func field(path, name string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return 0, fmt.Errorf("%s has no %s", path, name)
}
