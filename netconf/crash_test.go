package netconf

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/client/nettest"
)

// dying is the variable that makes this program a process that kills itself.
const dying = "LESSEE_NETCONF_DIES"

// A death is what such a process is to do, and how far it comes.
type death struct {
	RunDir, StateDir, ResolvConf string

	Story string // whose last lease it applies; "": it withdraws
	Step  int    // before which it dies
	Steps string // the file where it tells what it was about to do
}

// die is the life of such a process.
func die(text string) {
	var d death
	n := 0
	step := func(what string) {
		if n++; n == d.Step {
			_ = os.WriteFile(d.Steps, []byte(what), 0o600) // for the message only
			_ = unix.Kill(unix.Getpid(), unix.SIGKILL)
			select {}
		}
	}
	err := json.Unmarshal([]byte(text), &d)
	var h *Host
	if err == nil {
		h, err = Open("eth0", Config{Options: everything, RunDir: d.RunDir, StateDir: d.StateDir, ResolvConf: d.ResolvConf, step: step})
	}
	if err == nil {
		h.kernel = watched(h.kernel, func(what string, changes bool) error {
			if changes {
				step(what)
			}
			return nil
		})
		err = d.live(h)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (d death) live(h *Host) error {
	if d.Story == "" {
		return h.Withdraw(context.Background(), lease.Lease{})
	}
	for _, s := range stories() {
		if s.name == d.Story {
			return h.Apply(context.Background(), s.leases[len(s.leases)-1])
		}
	}
	return fmt.Errorf("no story %q", d.Story)
}

// dies runs such a process on the host, and reports whether it came to its
// death, and before what.
func (r *rig) dies(story string, step int) (died bool, before string) {
	r.t.Helper()
	c := r.config(Options{})
	d := death{c.RunDir, c.StateDir, c.ResolvConf, story, step, filepath.Join(r.t.TempDir(), "step")}
	text, err := json.Marshal(d)
	r.must(err)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), dying+"="+string(text))
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	r.must(r.m.Start(cmd))
	if err := cmd.Wait(); err == nil {
		return false, ""
	}
	if s, ok := cmd.ProcessState.Sys().(interface{ Signaled() bool }); !ok || !s.Signaled() {
		r.t.Fatalf("%s, step %d: %v: %s", story, step, cmd.ProcessState, out.String())
	}
	b, err := os.ReadFile(d.Steps)
	r.must(err)
	return true, string(b)
}

func (r *rig) ip(args ...string) (out []byte, err error) { return ipOn(r.m, args...) }

func ipOn(m *nettest.Machine, args ...string) (out []byte, err error) {
	err = m.Do(func() (err error) { out, err = exec.Command("ip", args...).CombinedOutput(); return err })
	return out, err
}

// A killing is a story whose last step is interrupted by kill -9.
type killing struct {
	*rig
	story
	last      lease.Lease
	untouched string // the host, with what is the operator's only
}

// before lets the leases before the last one come, and then the operator, with
// an address of the lease's subnet.
func (k *killing) before() {
	k.t.Helper()
	if len(k.leases) == 1 {
		return
	}
	for _, l := range k.leases[:len(k.leases)-1] {
		k.must(k.apply(k.open(everything), l))
	}
	k.m.Addr("eth0", "192.0.2.5/24")
}

// kill lets a process take the last step, and kills it before its n-th change.
func (k *killing) kill(n int) (died bool, before string) {
	k.t.Helper()
	if k.last.IsZero() {
		return k.dies("", n)
	}
	return k.dies(k.name, n)
}

// finish lets another process take the last step.
func (k *killing) finish() {
	k.t.Helper()
	if k.last.IsZero() {
		k.withdraw(k.open(Options{}), k.last)
		return
	}
	k.must(k.apply(k.open(everything), k.last))
}

// undo withdraws, takes the operator's late address away, and demands that the
// host is as it was.
func (k *killing) undo(when string) {
	k.t.Helper()
	k.withdraw(k.open(Options{}), lease.Lease{})
	if k.leftover(k.open(Options{})) {
		k.t.Fatalf("%s: something is left after Withdraw", when)
	}
	if len(k.leases) > 1 {
		k.mustIP("address del 192.0.2.5/24 dev eth0")
	}
	k.is(when, k.untouched)
	k.tidy(when)
}

func (k *killing) is(when, want string) {
	k.t.Helper()
	if now := k.state(); now != want {
		k.t.Fatalf("%s: the host is\n%s\nwant\n%s", when, now, want)
	}
}

func (k *killing) run() {
	k.before()
	if died, _ := k.kill(-1); died {
		k.t.Fatal("it died without being told to")
	}
	want := k.state()
	k.undo("without a death")
	n := 0
	for died := true; died; {
		n++
		k.before()
		var what string
		died, what = k.kill(n)
		when := fmt.Sprintf("killed before step %d, %s, then finished", n, what)
		k.finish()
		k.is(when, want)
		k.undo(when)

		k.before()
		k.kill(n)
		k.undo(fmt.Sprintf("killed before step %d, %s, then undone", n, what))
	}
	if n <= k.least {
		k.t.Errorf("it has %d steps only", n-1)
	}
	k.t.Logf("killed before each of %d steps", n-1)
}

func TestWhereverAProcessIsKilledTheNextOneFinishesOrUndoes(t *testing.T) {
	for _, s := range append(stories(), story{name: "withdraw", leases: []lease.Lease{fullLease(), {}}, least: 12}) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			k := &killing{rig: newRig(t), story: s, last: s.leases[len(s.leases)-1]}
			k.m.Addr("eth0", "203.0.113.5/24")
			k.must(k.m.AddRoute(netip.MustParsePrefix("172.31.0.0/16"), netip.MustParseAddr("203.0.113.9")))
			k.untouched = k.state()
			k.run()
		})
	}
}
