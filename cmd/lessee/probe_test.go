package main

import (
	"testing"

	"github.com/lessee/lessee/client/dhcptest"
)

// K14: whoever shortened the check, or left it out, can see it.
func TestHowAddressesAreCheckedIsTold(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	b.want(0, `"probe": "fast"`, "acquire", "eth0", "--format", "json", "--probe", "fast")
	b.want(0, `"probe": "off"`, "acquire", "eth0", "--format", "json", "--probe", "off")
	stop, _ := b.agent("--config", "none", "--probe", "off")
	defer stop()
	b.eventually("bound", func() bool { return b.status().State == "BOUND" })
	if got := b.status().Probe; got != "off" {
		t.Errorf("probe %q, want off", got)
	}
}
