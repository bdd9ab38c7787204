package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/dhcptest"
)

// What somebody takes away comes back without a packet, and what is the
// operator's stays.
func TestTheAgentPutsBackWhatSomebodyTookAway(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.host.Addr("eth0", "198.51.100.9/24")
	stop, _ := b.agent("--config", "none")
	b.eventually("bound", func() bool { return b.status().State == "BOUND" })
	before := len(b.srv.Log())
	routes := func() string { return strings.Join(b.host.RoutesOf(), "\n") }
	whole := routes()
	for _, command := range []string{"route del default", "address del " + b.host.AddrsOf("eth0")[1].Prefix.String() + " dev eth0", "route flush proto dhcp"} {
		cmd := exec.Command("ip", strings.Fields(command)...)
		if err := b.host.Start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("ip %s: %v", command, err)
		}
		b.eventually(command+": all is there again", func() bool { return routes() == whole && len(b.host.AddrsOf("eth0")) == 2 })
	}
	if got := len(b.srv.Log()); got != before {
		t.Errorf("%d packets", got-before)
	}
	if log := stop(); strings.Count(log, "is put back") < 3 {
		t.Errorf("log:\n%s", log)
	}
	b.want(0, "released", "release", "eth0")
}
