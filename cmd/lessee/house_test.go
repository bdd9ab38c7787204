package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/netconf/resolvtest"
)

// A house is a host whose names are resolved by a resolver that is really there,
// with an operator's things in the kernel and in files, and a link that is down.
type house struct {
	*bench
	*resolvtest.Host
	t *testing.T
}

// resolvers puts them on a host, by the name that lessee has for them.
var resolvers = map[string]func(*resolvtest.Host){
	"file /etc/resolv.conf": func(*resolvtest.Host) {},
	"systemd-resolved": func(h *resolvtest.Host) {
		h.Resolved("")
		h.Resolvectl("domain eth0 ~corp.example")
		h.Resolvectl("dns eth1 203.0.113.53")
		h.Run("ln", "-sf", "../run/systemd/resolve/stub-resolv.conf", "/etc/resolv.conf")
	},
	"openresolv":          func(h *resolvtest.Host) { h.Resolvconf("openresolv") },
	"Debian's resolvconf": func(h *resolvtest.Host) { h.Resolvconf("resolvconf") },
}

// operators are the things that an operator has in the kernel.
const operators = `set -e
ip link add eth1 type veth peer name eth1peer
ip link set eth1 mtu 1480 up
ip address add 198.51.100.2/24 dev eth1
ip route add 203.0.113.0/24 via 198.51.100.1 dev eth1 metric 50
ip route add 203.0.113.0/24 via 198.51.100.1 dev eth1 table 77
ip rule add from 198.51.100.2 lookup 77 priority 500
ip neighbour add 198.51.100.1 lladdr 02:00:5e:00:53:01 nud permanent dev eth1
`

func newHouse(t *testing.T, resolver string) *house {
	t.Helper()
	b := newBenchAlone(t, dhcptest.Config{Options: dhcptest.MustOptions(
		"routers=192.0.2.1", "domain-name-servers=192.0.2.53,192.0.2.54", "domain-name=example.com", "domain-search=a.example,b.example",
		"interface-mtu=1400", "classless-static-routes=10.0.0.0/8 via 192.0.2.98,0.0.0.0/0 via 192.0.2.1", "host-name=leased", "tzdb-timezone=Europe/Berlin",
	)})
	h := &house{bench: b, t: t, Host: resolvtest.New(t, b.host, "eth0")}
	h.Run("sh", "-c", operators)
	resolvers[resolver](h.Host)
	h.down()
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// down is how the link is found.
func (h *house) down() {
	h.t.Helper()
	h.Run("ip", "link", "set", "eth0", "down")
}

// up sets the link up, and waits until the kernel has told everybody.
func (h *house) up() {
	h.t.Helper()
	h.Run("ip", "link", "set", "eth0", "up")
	h.Await("the carrier", func() error {
		ifi, err := h.Interface("eth0")
		if err == nil && ifi.Flags&net.FlagRunning == 0 {
			err = errors.New("there is none")
		}
		return err
	})
}

// looks are what the kernel has, and all that stands in files. Directories in
// /run that begin with a hyphen are the test's own.
const looks = `set -e
ip -d link show
ip address show
ip route show table all
ip -6 route show table all
ip rule show
ip -6 rule show
ip neighbour show nud permanent
grep -r . /proc/sys/net/ipv4 /proc/sys/net/ipv6 /proc/sys/kernel/hostname 2>/dev/null | sort
find /etc /run -name '-*' -prune -o -path /run/lessee -prune -o -path /run/state -prune -o -path /run/resolved.log -prune -o -printf '%p %M %U:%G %l\n' | sort
find /etc /run -name '-*' -prune -o -path /run/lessee -prune -o -path /run/state -prune -o -path /run/resolved.log -prune -o -type f -exec md5sum {} + | sort
`

// everything is all that leases may change: kernel, files, and what the
// resolver tells of itself.
func (h *house) everything() string {
	h.t.Helper()
	return h.Run("sh", "-c", looks) + "\n" + h.State()
}

// isAsItWas demands that everything is as before, once systemd-resolved has
// heard of it, and that of us there is no more than a lease and who we are.
func (h *house) isAsItWas(before, when string) {
	h.t.Helper()
	h.Await(when, func() error {
		if now := h.everything(); now != before {
			return fmt.Errorf("not as it was:\n%s", changes(before, now))
		}
		return nil
	})
	for _, line := range strings.Fields(h.Run("sh", "-c", "find /run/lessee /run/state -type f 2>/dev/null || true")) {
		name := filepath.Base(line)
		if !strings.HasSuffix(name, ".lock") && !strings.HasSuffix(name, ".lease.json") && name != "identity.json" {
			h.t.Errorf("%s: %s is left over", when, line)
		}
	}
}

// changes are the lines in which two texts differ.
func changes(before, after string) string {
	var b strings.Builder
	only := func(mark, in, notIn string) {
		other := strings.Split(notIn, "\n")
		for _, line := range strings.Split(in, "\n") {
			if !slices.Contains(other, line) {
				fmt.Fprintf(&b, "%s %s\n", mark, line)
			}
		}
	}
	only("-", before, after)
	only("+", after, before)
	return b.String()
}

// follows are the flags with which a host follows all of a lease.
var follows = []string{"--config", "none", "--source-routing", "on", "--accept-hostname", "always", "--accept-timezone", "always", "--probe", "off"}

// program is lessee with the directories that it has by itself, but for what
// is state.
func (h *house) program(ctx context.Context, args ...string) *exec.Cmd {
	for _, command := range []string{"acquire", "renew", "release", "run"} {
		if args[0] == command {
			args = append(args, "--state-dir", "/run/state")
		}
	}
	switch args[0] {
	case "acquire", "run":
		args = append(args, follows...)
	case "renew":
		args = append(args, follows[:len(follows)-2]...)
	default:
		args = append(args, "--config", "none")
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", append(args, "--run-dir", "/run/lessee")...)
	cmd.Env = append(os.Environ(), asLessee+"=1")
	return cmd
}

// does runs lessee on the host, and returns what it said.
func (h *house) does(args ...string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := h.program(ctx, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := h.bench.host.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		h.t.Fatalf("lessee %q: %v\n%s", args, err, out.String())
	}
	return out.String()
}

// agent starts one, and waits until it has configured the link, and has done so
// also if that was configured when it came.
func (h *house) agent() *exec.Cmd {
	h.t.Helper()
	log, err := os.OpenFile(filepath.Join(h.bench.dir, "agent.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	h.must(err)
	defer log.Close()
	cmd := h.program(context.Background(), "run", "eth0", "--on-stop", "withdraw")
	cmd.Stdout, cmd.Stderr = log, log
	h.must(h.bench.host.Start(cmd))
	h.t.Cleanup(func() { _ = cmd.Process.Kill() }) // it may have ended
	h.does("wait", "eth0", "--timeout", "90s")
	h.Await("the agent", func() error {
		if said := h.does("status", "eth0"); !strings.HasPrefix(said, "eth0: BOUND") {
			return errors.New(said)
		}
		return nil
	})
	return cmd
}

// stop ends the agent as the system does.
func (h *house) stop(agent *exec.Cmd) {
	h.t.Helper()
	h.must(agent.Process.Signal(syscall.SIGTERM))
	if err := agent.Wait(); err != nil {
		text, _ := os.ReadFile(filepath.Join(h.bench.dir, "agent.log"))
		h.t.Fatalf("the agent: %v\n%s", err, text)
	}
}

// changesItsMind lets the server grant other options from now on.
func (h *house) changesItsMind() {
	h.srv.On(dhcp4.Request, dhcptest.Mutate(func(m *dhcp4.Message) {
		for _, o := range dhcptest.MustOptions("domain-name-servers=192.0.2.55", "classless-static-routes=172.16.0.0/12 via 192.0.2.99,0.0.0.0/0 via 192.0.2.1", "domain-name=other.example", "host-name=renamed") {
			m.Options.Put(o.Code, o.Value)
		}
	}), dhcptest.Without(dhcp4.DomainSearch.Code, dhcp4.InterfaceMTU.Code, dhcp4.TZDatabase.Code))
}
