package config

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"reflect"
	"sync"
)

// An Agent is what holds for the agent as a whole.
type Agent struct {
	Links         []string // names and patterns, to be kept if the command line names none
	StateDir      string
	RunDir        string
	Control       string // the path of the socket
	ControlGroup  string // a name or a number; "" leaves it as it is
	Ready         Ready
	MetricsFile   string         // "" for none
	MetricsListen netip.AddrPort // the zero AddrPort listens nowhere
	LogLevel      slog.Level
	LogFormat     string // text, json or journal
}

// Ready says when the agent tells who supervises it that it is ready.
type Ready string

// When it is ready.
const (
	Configured Ready = "configured" // all links are
	First      Ready = "first"      // one link is
	Started    Ready = "started"    // it runs
)

// Equal reports whether nothing changes if the agent is told o instead of a.
func (a Agent) Equal(o Agent) bool { return reflect.DeepEqual(a, o) }

// AgentSettings returns the table of settings that the agent has as a whole,
// which is not to be changed.
func AgentSettings() []Setting { return agentSettings() }

var agentSettings = sync.OnceValue(func() []Setting { return settings(agentRows) })

// The settings of the agent. Where a row needs what another one set, it comes
// after it.
var agentRows = []row{
	{Setting{Name: "links", Kind: List, Commas: true, Group: Whole, Example: "en*",
		Usage: "keep links of this `NAME` if the command line names none; NAME@NETNS is in a network namespace, and both may be patterns"}, setLinks},
	{Setting{Name: "state-dir", Kind: Path, Group: Whole, Default: one("/var/lib/lessee"), Example: "/var/lib/lessee",
		Usage: "where leases are remembered, in `DIR`"}, text(func(t *target) *string { return &t.agent.StateDir })},
	{Setting{Name: "run-dir", Kind: Path, Group: Whole, Default: one("/run/lessee"), Example: "/run/lessee",
		Usage: "for locks, and the record of what was done to links, in `DIR`"}, text(func(t *target) *string { return &t.agent.RunDir })},
	{Setting{Name: "control", Kind: Path, Group: Whole, Default: one(""), Example: "/run/lessee/control",
		Usage: "listen for commands on socket `FILE`; default: control in --run-dir"}, setControl},
	{Setting{Name: "control-group", Group: Whole, Default: one(""), Example: "netdev",
		Usage: "members of `GROUP` may look at the agent"}, text(func(t *target) *string { return &t.agent.ControlGroup })},
	{Setting{Name: "ready", Group: Whole, Default: one("configured"), Words: []string{"configured", "first", "started"}, Example: "configured",
		Usage: "tell the supervisor so when all links are `configured`, at the first one, or when started"}, setReady},
	{Setting{Name: "metrics-file", Kind: Path, Group: Whole, Default: one(""), Example: "/run/lessee/lessee.prom",
		Usage: "write metrics to `FILE`"}, text(func(t *target) *string { return &t.agent.MetricsFile })},
	{Setting{Name: "metrics-listen", Group: Whole, Default: one(""), Example: "127.0.0.1:9550",
		Usage: "serve metrics on `ADDRESS:PORT`; without an address on loopback alone"}, setMetricsListen},
	{Setting{Name: "log-level", Group: Whole, Default: one("info"), Words: []string{"error", "warn", "info", "debug"}, Example: "info",
		Usage: "error, warn, `info` or debug; debug shows every packet, and why one was dropped"}, setLogLevel},
	{Setting{Name: "log-format", Group: Whole, Default: one("text"), Words: []string{"text", "json", "journal"}, Example: "text",
		Usage: "`text`, json, or journal (journald's own fields)"}, text(func(t *target) *string { return &t.agent.LogFormat })},
}

func setLinks(t *target, words []string) error {
	for _, w := range words {
		if _, err := ParsePattern(w); err != nil {
			return about(w, err)
		}
	}
	t.agent.Links = append([]string(nil), words...)
	return nil
}

// setControl relies on run-dir, which is set before.
func setControl(t *target, words []string) error {
	if t.agent.Control = words[0]; t.agent.Control == "" {
		t.agent.Control = filepath.Join(t.agent.RunDir, "control")
	}
	return nil
}

func setReady(t *target, words []string) error {
	t.agent.Ready = Ready(words[0])
	return nil
}

func setMetricsListen(t *target, words []string) (err error) {
	t.agent.MetricsListen = netip.AddrPort{}
	if words[0] != "" {
		t.agent.MetricsListen, err = parseListen(words[0])
	}
	return err
}

func setLogLevel(t *target, words []string) error {
	return t.agent.LogLevel.UnmarshalText([]byte(words[0]))
}
