package interop

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/store"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// kills is how often the agent is killed in all.
func kills() int {
	if testing.Short() && os.Getenv("CI") == "" {
		return 50
	}
	return 500
}

// killWorlds share the kills, side by side.
const killWorlds = 5

// recovery is how soon after its start an agent must have put all in order.
const recovery = 10 * time.Second

// killSeedVariable tries other instants.
const killSeedVariable = "LESSEE_KILL_SEED"

func TestKill9AtRandomInstantsLeavesNothingThatTheNextStartDoesNotPutInOrder(t *testing.T) {
	seed := uint64(1) // the same every time, as far as instants can be
	if text := os.Getenv(killSeedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	for i := range killWorlds {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			t.Logf("%s=%d", killSeedVariable, seed)
			k := newKiller(t, rand.New(rand.NewPCG(seed, uint64(i))))
			for n := range kills() / killWorlds {
				k.round(n)
				if t.Failed() {
					return
				}
			}
			k.end()
		})
	}
}

// A killer kills agents in a world of its own.
type killer struct {
	*world
	rng    *rand.Rand
	hw     dhcp4.HardwareAddr
	metric int           // of its routes
	worst  time.Duration // until all was in order
	counts map[string]int
}

func newKiller(t *testing.T, rng *rand.Rand) *killer {
	k := &killer{world: newWorld(t), rng: rng, counts: map[string]int{}}
	cfg := scripted()
	cfg.LeaseTime = 4
	k.answer(k.server, cfg).On(dhcp4.Request, dhcptest.Mutate(func(m *dhcp4.Message) {
		if m.Type() == dhcp4.ACK { // 4 to 10 s
			must(t, dhcp4.LeaseTime.Put(&m.Options, dhcp4.Lifetime(4+m.XID%7)))
		}
	}))
	ifi, err := k.client.Interface("eth0")
	must(t, err)
	k.metric = 1000 + ifi.Index
	k.hw = dhcp4.HardwareAddr(ifi.HardwareAddr)
	return k
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// An instant is where in an agent's life it is killed.
type instant struct {
	name string
	odds int // of 20
	wait func(k *killer) (ended func())
}

var instants = []instant{
	{"in its first moments", 8, (*killer).early},
	{"in its first moments, without a lease", 4, (*killer).fresh},
	{"about when it renews", 3, (*killer).renewal},
	{"while it gives the lease back", 3, func(k *killer) func() { return k.during("release") }},
	{"while it verifies the lease", 2, func(k *killer) func() { return k.during("reacquire") }},
}

// round kills an agent and has the next one put all in order.
func (k *killer) round(n int) {
	in := instants[0]
	at := k.rng.IntN(20)
	for _, in = range instants {
		if at -= in.odds; at < 0 {
			break
		}
	}
	k.counts[in.name]++
	if in.name == instants[1].name && n > 0 { // at first there is none anyway
		k.must("release", "eth0") // no agent runs
	}
	p := k.begin()
	ended := in.wait(k)
	p.Stop()
	ended()

	next := k.begin()
	began := time.Now()
	if err := within(recovery, k.inOrder); err != nil {
		k.t.Errorf("kill %d, %s: not in order after %v: %v\nkilled:\n%s\nnext:\n%s", n, in.name, recovery, err, p.Log(), next.Log())
	}
	k.worst = max(k.worst, time.Since(began))
	if said := next.Log(); strings.Contains(said, "msg=unconfirmed") || strings.Contains(said, `msg="no server answered"`) {
		k.t.Errorf("kill %d, %s: the next one asked for a lease that the server does not know of:\nkilled:\n%s\nnext:\n%s", n, in.name, p.Log(), said)
	}
	next.Stop()
}

// begin starts an agent, and does not wait for it.
func (k *killer) begin() *Process {
	probe := "off"
	if k.rng.IntN(5) == 0 {
		probe = "fast"
	}
	p := &Process{done: make(chan struct{}), said: make(chan struct{})}
	line := k.keeping("eth0", "--probe", probe)
	p.cmd = exec.Command(line[0], line[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	must(k.t, k.client.Start(p.cmd))
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // it is killed in the end
	}()
	k.t.Cleanup(p.Stop)
	return p
}

func (k *killer) sleep(limit time.Duration) {
	time.Sleep(time.Duration(k.rng.Int64N(int64(limit))))
}

func (k *killer) early() func() { k.sleep(700 * time.Millisecond); return func() {} }

// fresh is early; round has seen to it that there is no lease.
func (k *killer) fresh() func() { k.sleep(300 * time.Millisecond); return func() {} }

// renewal waits until shortly before T1, and then for a random instant.
func (k *killer) renewal() func() {
	var s agent.Status
	must(k.t, within(recovery, func() (err error) {
		if err = k.inOrder(); err == nil {
			s, err = k.status("eth0")
		}
		return err
	}))
	time.Sleep(max(time.Until(s.Next)-20*time.Millisecond, 0))
	k.sleep(60 * time.Millisecond)
	return func() {}
}

// during kills at a random instant of a command.
func (k *killer) during(command string) func() {
	must(k.t, within(recovery, k.inOrder))
	ended := make(chan struct{})
	cmd := exec.Command(binary, command, "eth0", "--config", "none", "--run-dir", k.dir)
	if command == "release" {
		cmd.Args = append(cmd.Args, "--state-dir", k.dir, "--resolv-conf", k.resolvConf())
	}
	must(k.t, k.client.Start(cmd))
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it may be cut off
	}()
	k.sleep(120 * time.Millisecond)
	return func() { <-ended }
}

// inOrder tells what is wrong with the link.
func (k *killer) inOrder() error {
	s, err := k.status("eth0")
	if err != nil {
		return err
	}
	if s.State != "BOUND" || s.Lease == nil {
		return fmt.Errorf("it is %s, %v", s.State, s.Problem)
	}
	addrs, err := k.client.Addrs("eth0")
	if err != nil {
		return err
	}
	if len(addrs) != 1 || addrs[0].Prefix != s.Lease.Addr {
		return fmt.Errorf("addresses %v, leased %v", addrs, s.Lease.Addr)
	}
	routes, err := k.client.Routes()
	if err != nil {
		return err
	}
	src := s.Lease.Addr.Addr().String()
	want := fmt.Sprintf("192.0.2.0/24 dev eth0 proto dhcp scope link src %s metric %d\ndefault via 192.0.2.1 dev eth0 proto dhcp src %[1]s metric %[2]d", src, k.metric)
	if got := strings.Join(routes, "\n"); got != want {
		return fmt.Errorf("routes %q, want %q", got, want)
	}
	text, err := os.ReadFile(k.resolvConf())
	if err != nil || !strings.HasSuffix(string(text), "search interop.example\nnameserver 192.0.2.53\n") || strings.Count(string(text), "192.0.2.53") != 1 {
		return fmt.Errorf("resolv.conf %q, %v", text, err)
	}
	return k.remembered(s.Lease.Addr)
}

// remembered reads the store as the next start would.
func (k *killer) remembered(want netip.Prefix) error {
	l, err := store.Open(k.dir, "eth0", k.hw, dhcp4.HardwareClientID(dhcp4.HTypeEthernet, k.hw), client.BootTime())
	if err != nil {
		return err
	}
	r, err := l.Load()
	if err == nil && (!r.Usable || r.Lease.Addr != want) {
		err = fmt.Errorf("the store has %v, usable %v %s; in use is %v", r.Lease.Addr, r.Usable, r.Why, want)
	}
	return err
}

// end gives everything back: then the operator's own files are as they were.
func (k *killer) end() {
	k.must("release", "eth0")
	k.untouched()
	entries, err := os.ReadDir(k.dir)
	must(k.t, err)
	for _, e := range entries {
		if strings.Contains(e.Name(), "broken") || strings.Contains(e.Name(), "tmp") {
			k.t.Errorf("left behind: %s", e.Name())
		}
	}
	k.t.Logf("%v; all in order after at most %v", k.counts, k.worst)
}
