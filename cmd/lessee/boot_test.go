package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

func TestAtBootTheFirstLinkWinsAndTheOthersAreAsTheyWere(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1", "eth2")
	b.servers["eth0"].Always(dhcptest.Ignore)
	b.servers["eth2"].On(dhcp4.Request, dhcptest.Ignore)
	b.want(0, "eth1: bound, 198.51.1.1", "quiet")
	b.only("eth1")
	if r := b.host.RoutesOf(); len(r) != 2 {
		t.Errorf("routes %q", r)
	}
	out, err := exec.Command("/bin/sh", "-euc", `. "$1"; printf %s "$DEVICE $IPV4GATEWAY $ROOTPATH $ROOTSERVER"`, "sh", b.path("net-eth1.conf")).CombinedOutput()
	if want := "eth1 198.51.1.1 /srv/it's 198.51.1.1"; string(out) != want || err != nil {
		t.Errorf("a shell reads %s, %v, want %s", out, err, want)
	}
}

func TestAtBootALinkThatIsBoundTooLateGivesItsLeaseBack(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1", "eth2")
	for range 5 {
		r := b.want(0, "bound", "")
		link, _, _ := strings.Cut(r.out, ":")
		b.only(link)
		b.eventually("one server believes that its lease is used", func() bool {
			held := 0
			for _, srv := range b.servers {
				held += len(srv.Leases())
			}
			return held == 1
		})
		b.must("/proc/self/exe", "release", link, "--run-dir", b.path("run"), "--resolv-conf", b.path("resolv.conf"))
		if err := os.Remove(b.path("net-" + link + ".conf")); err != nil {
			t.Fatal(err)
		}
		b.only()
	}
}

func TestAtBootAllLinksWithACarrierAreWaitedFor(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1", "eth2")
	if err := b.remotes["eth2"].SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	r := b.want(0, "eth0: bound, 198.51.0.1", "rd.net.timeout.carrier=1", "--boot-wait", "all")
	if !strings.Contains(r.out, "eth1: bound, 198.51.1.1") {
		t.Errorf("%s", r.out)
	}
	b.only("eth0", "eth1")
}

func TestAtBootACarrierThatComesInTimeTakesPart(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1")
	if err := b.remotes["eth1"].SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	done := make(chan result)
	go func() { done <- b.boot("rd.net.timeout.carrier=20", "--boot-wait", "all") }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := b.servers["eth0"].WaitFor(ctx, dhcptest.Sent(dhcp4.ACK)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // by now eth0 is bound and announced; were it enough, that would be the end
	if err := b.remotes["eth1"].SetUp("eth0"); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.code != 0 || !strings.Contains(r.out, "eth1: bound") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.stderr)
	}
	b.only("eth0", "eth1")
}

func TestAtBootALinkThatFailsIsAFailureOfAll(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1")
	b.servers["eth1"].Always(dhcptest.Ignore)
	r := b.want(3, "eth1: no server answered", "rd.net.timeout.carrier=1", "--boot-wait", "all", "--timeout", twoTries, "--format", "json")
	b.only("eth0")
	var d document
	if err := json.Unmarshal([]byte(r.out), &d); err != nil {
		t.Fatalf("%v\n%s", err, r.out)
	}
	if d.Link != "eth0" || d.Result != "bound" || len(d.Links) != 2 || d.Links[0].Lease == nil || d.Links[1].Link != "eth1" || d.Links[1].Error.Exit != 3 {
		t.Errorf("%s", r.out)
	}
	r = b.want(3, "LESSEE_LINKS='eth0'\n", "", "--boot-wait", "all", "--timeout", twoTries, "--format", "env")
	for _, want := range []string{"LESSEE_LINK='eth0'\n", "LESSEE_0_ADDRESS='198.51.0.1", "LESSEE_1_LINK='eth1'\n", "LESSEE_1_EXIT='3'\n"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %s in\n%s", want, r.out)
		}
	}
}

func TestAtBootTheExitCodeIsThatOfTheLinkThatCameFarthest(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1", "eth2")
	b.servers["eth0"].Always(dhcptest.Ignore)
	b.servers["eth1"].On(dhcp4.Request, dhcptest.NAK("not here"))
	if err := b.remotes["eth2"].SetDown("eth0"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.path("net-eth0.conf"), []byte("DEVICE='eth0'\n"), 0o600); err != nil { // of an earlier boot's
		t.Fatal(err)
	}
	r := b.want(4, "not here", "", "--timeout", twoTries)
	for _, want := range []string{"eth0: no server answered", "eth2: wait for the carrier"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("no %q in %s", want, r.stderr)
		}
	}
	b.only()
	b.want(3, "no server answered", "", "eth0", "eth2", "--timeout", "2s")
	b.want(6, "no carrier", "", "eth2", "--timeout", "500ms")
	b.want(6, "eth7: it did not come within 300ms", "", "eth7", "--timeout", "300ms")
	b.want(6, "no link that is wanted came", "", "wl*", "--timeout", "300ms")
	b.only()
}

func TestAtBootADriverThatIsLateTakesPart(t *testing.T) {
	b := newBootBench(t, "eth0")
	b.servers["eth0"].Always(dhcptest.Ignore)
	done := make(chan result)
	go func() { done <- b.boot("ip=:::::eth1:dhcp", "--timeout", "20s") }()
	time.Sleep(300 * time.Millisecond) // whatever it does by then, it is not over
	b.connect("eth1")
	if r := <-done; r.code != 0 || !strings.Contains(r.out, "eth1: bound") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.stderr)
	}
	b.only("eth1")
}

func TestAtBootALinkIsFollowedToItsNewName(t *testing.T) {
	b := newBootBench(t, "eth0")
	b.servers["eth0"].On(dhcp4.Discover, dhcptest.First(1, dhcptest.Ignore))
	done := make(chan result)
	go func() { done <- b.boot("", "--timeout", "20s") }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := b.servers["eth0"].WaitFor(ctx, dhcptest.Received(dhcp4.Discover)); err != nil {
		t.Fatal(err)
	}
	b.must("sh", "-c", "ip link set eth0 down && ip link set eth0 name enp0s3")
	b.remotes["enp0s3"] = b.remotes["eth0"]
	delete(b.remotes, "eth0")
	if r := <-done; r.code != 0 || !strings.Contains(r.out, "enp0s3: bound") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.stderr)
	}
	b.only("enp0s3")
}

func TestAtBootPortsAndTheLikeAreLeftAlone(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1", "eth2")
	b.must("sh", "-ec", "ip link add br0 type bridge; ip link set eth1 master br0; ip link set eth2 arp off")
	b.want(0, "eth0: bound", "rd.net.timeout.carrier=1", "--boot-wait", "all")
	b.only("eth0")
	if len(b.servers["eth1"].Log()) != 0 || len(b.servers["eth2"].Log()) != 0 {
		t.Error("a port of a bridge was tried, or a link without ARP")
	}
	b.want(6, "eth1: it is part of a bridge", "", "eth1", "--timeout", "300ms") // nor if it is named
}

func TestAtBootWrongUsageIsTold(t *testing.T) {
	b := newBootBench(t)
	for _, args := range [][]string{
		{"--dry-run"}, {"--no-apply"}, {"--trace"}, {"--pcap", "x"}, {"--boot-wait", "second"}, {"eth0@blue"}, {"a/b"}, {"--timeout", "0s"}, {"--hostname", "a b"},
	} {
		if r := b.boot("", args...); r.code != 2 || !strings.Contains(r.stderr, "try: lessee acquire") {
			t.Errorf("%v: exit %d\n%s%s", args, r.code, r.out, r.stderr)
		}
	}
	cmd := exec.Command("/proc/self/exe", "acquire", "eth0", "--boot-wait", "all")
	cmd.Env = append(os.Environ(), asLessee+"=1")
	if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "means nothing without --boot") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestAtBootDisksMayBeReadOnly(t *testing.T) {
	b := newBootBench(t, "eth0")
	r := b.want(0, "eth0: bound", "", "--resolv-conf", "/proc/self/nowhere/resolv.conf", "--net-conf-dir", "/proc/self")
	for _, want := range []string{"the resolver is not configured", "scripts are not told"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("no %q in %s", want, r.stderr)
		}
	}
}

func TestAtBootASignalLeavesNothing(t *testing.T) {
	b := newBootBench(t, "eth0", "eth1")
	for _, srv := range b.servers {
		srv.Always(dhcptest.Ignore)
	}
	cmd := b.command(t.Context(), "")
	if err := b.host.Start(cmd); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, srv := range b.servers {
		if _, err := srv.WaitFor(ctx, dhcptest.Received(dhcp4.Discover)); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit %d", code)
	}
	b.only()
}

func TestTheAgentTakesOverWhatTheBootGot(t *testing.T) {
	b := newBootBench(t, "eth0")
	const operators = "nameserver 203.0.113.53\n"
	if err := os.WriteFile(b.path("resolv.conf"), []byte(operators), 0o644); err != nil {
		t.Fatal(err)
	}
	b.want(0, "eth0: bound", "")
	before := b.host.AddrsOf("eth0")
	b.servers["eth0"].ForgetLog()
	monitor := exec.Command("ip", "monitor", "address", "route")
	var seen bytes.Buffer
	monitor.Stdout = &seen
	b.host.Run(monitor)

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	agent := exec.CommandContext(ctx, "/proc/self/exe", "run", "eth0", "--config", "none", "--resolv-conf", b.path("resolv.conf"), "--run-dir", b.path("run"))
	agent.Env = append(os.Environ(), asLessee+"=1")
	if err := b.host.Start(agent); err != nil {
		t.Fatal(err)
	}
	b.must("/proc/self/exe", "wait", "eth0", "--run-dir", b.path("run"), "--timeout", "20s", "--config", "none")
	if err := agent.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(agent.Wait(), monitor.Process.Kill()); err != nil {
		t.Error(err)
	}
	_ = monitor.Wait() // killed
	if after := b.host.AddrsOf("eth0"); len(after) != 1 || after[0].Prefix != before[0].Prefix {
		t.Errorf("addresses %+v, were %+v", after, before)
	}
	if strings.Contains(seen.String(), "Deleted") {
		t.Errorf("taken away: %s", seen.String())
	}
	for i, e := range b.servers["eth0"].Log() {
		if e.Message != nil && e.Message.Type() == dhcp4.Discover || i == 0 && e.Message.Type() != dhcp4.Request {
			t.Errorf("message %d is %v: the lease was not known", i, e)
		}
	}
	if _, err := os.Stat(b.path("run/boot/eth0.lease.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is remembered twice: %v", err)
	}
	b.must("/proc/self/exe", "release", "eth0", "--run-dir", b.path("run"), "--resolv-conf", b.path("resolv.conf"), "--config", "none")
	if text, err := os.ReadFile(b.path("resolv.conf")); string(text) != operators || err != nil {
		t.Errorf("released: resolv.conf is %q, %v", text, err)
	}
}

func TestALeaseOfTheBootIsExtendedAsItWasGot(t *testing.T) {
	b := newBootBench(t, "eth0")
	b.want(0, "eth0: bound", "", "--metric", "5", "--client-id", "duid", "--hostname", "boot")
	for range 2 { // from where the boot left it, and from where it is by then
		b.must("/proc/self/exe", "renew", "eth0", "--run-dir", b.path("run"), "--resolv-conf", b.path("resolv.conf"), "--config", "none")
		if routes := b.host.RoutesOf(); len(routes) != 2 || !strings.HasSuffix(routes[0], "metric 5") || !strings.HasSuffix(routes[1], "metric 5") {
			t.Errorf("%q", routes)
		}
	}
}
