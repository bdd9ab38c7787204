package main

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/lease"
	"github.com/lessee/lessee/cmd/lessee/agent"
	"github.com/lessee/lessee/cmd/lessee/config"
)

func TestWhenLinksAreReady(t *testing.T) {
	bound := agent.Status{Link: "eth0", State: "BOUND", Carrier: true, Lease: &lease.Lease{Addr: netip.MustParsePrefix("192.0.2.7/24")}}
	asking := agent.Status{Link: "eth1", State: "SELECTING", Carrier: true}
	unplugged := agent.Status{Link: "eth2", State: "INIT"}
	for name, tc := range map[string]struct {
		list                             []agent.Status
		configured, each, first, started bool
	}{
		"no links":             {nil, false, false, false, true},
		"one bound":            {[]agent.Status{bound}, true, true, true, true},
		"one asking":           {[]agent.Status{asking}, false, false, false, true},
		"one of two":           {[]agent.Status{bound, asking}, false, false, true, true},
		"no cable in another":  {[]agent.Status{bound, unplugged}, true, false, true, true},
		"no cable in the only": {[]agent.Status{unplugged}, false, false, false, true},
	} {
		got := []bool{
			ready(config.Configured, tc.list, false), ready(config.Configured, tc.list, true),
			ready(config.First, tc.list, false), ready(config.Started, tc.list, false),
		}
		for i, want := range []bool{tc.configured, tc.each, tc.first, tc.started} {
			if got[i] != want {
				t.Errorf("%s: configured, each, first, started: %v", name, got)
				break
			}
		}
	}
}

func TestASummaryIsALine(t *testing.T) {
	var list []agent.Status
	for range 100 {
		list = append(list, agent.Status{Link: "eth0", State: "SELECTING"})
	}
	got := summary(list)
	if len(got) > maxSummary+20 || !strings.HasSuffix(got, " more") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	if got := summary(nil); got != "no links" {
		t.Errorf("nothing: %q", got)
	}
}
