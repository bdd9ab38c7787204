package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/nettest"
)

func TestAHostIsAsItWasAfterAWholeLifeWhateverResolvesItsNames(t *testing.T) {
	for resolver := range resolvers {
		t.Run(resolver, func(t *testing.T) {
			h := newHouse(t, resolver)
			before := h.everything()
			h.mustBeTold(h.does("acquire", "eth0"), "eth0: bound, 192.0.2.")
			acquired := h.everything()
			h.changesItsMind()
			h.mustBeTold(h.does("renew", "eth0"), "eth0: renewed")
			renewed := h.everything()
			for what, text := range map[string][2]string{
				"acquired": {acquired, "192.0.2.53"}, "renewed": {renewed, "192.0.2.55"},
				"a route, acquired": {acquired, "10.0.0.0/8 via 192.0.2.98"}, "a route, renewed": {renewed, "172.16.0.0/12 via 192.0.2.99"},
				"source routing": {acquired, "from 192.0.2.2 lookup 68"}, "a sysctl": {acquired, "conf/eth0/arp_filter:1"},
				"MTU": {acquired, "mtu 1400"}, "a name": {acquired, "hostname:leased"}, "another name": {renewed, "hostname:renamed"}, "a zone": {acquired, "Europe/Berlin"},
			} {
				if !strings.Contains(changes(before, text[0]), text[1]) {
					t.Errorf("%s: no %s among what changed:\n%s", what, text[1], changes(before, text[0]))
				}
			}
			h.mustBeTold(h.does("release", "eth0"), "eth0: released")
			h.isAsItWas(before, "acquired, renewed, released")
		})
	}
}

// chosen is who is told of names, and why, as people are told.
var chosen = map[string]string{
	"file /etc/resolv.conf": "file /etc/resolv.conf: /etc/resolv.conf is in no other hands",
	"systemd-resolved":      "systemd-resolved: /etc/resolv.conf is a link to /run/systemd/resolve/stub-resolv.conf",
	"openresolv":            "resolvconf: openresolv manages /etc/resolv.conf",
	"Debian's resolvconf":   "resolvconf: Debian's resolvconf manages /etc/resolv.conf",
}

func TestAHostIsAsItWasAfterAgentsThatWereKilledWhateverResolvesItsNames(t *testing.T) {
	for resolver := range resolvers {
		t.Run(resolver, func(t *testing.T) {
			h := newHouse(t, resolver)
			before := h.everything()
			h.does("acquire", "eth0")
			agent := h.agent()
			h.mustBeTold(h.does("status", "eth0", "--explain"), "name server   192.0.2.53, by option 6", "resolver      "+chosen[resolver])
			h.must(agent.Process.Kill())
			_ = agent.Wait() // killed
			agent = h.agent()
			h.changesItsMind()
			h.mustBeTold(h.does("renew", "eth0"), "eth0: renewed")
			if now := changes(before, h.everything()); !strings.Contains(now, "192.0.2.55") {
				t.Errorf("the new name server is not among what changed:\n%s", now)
			}
			h.must(agent.Process.Kill())
			_ = agent.Wait() // killed
			h.stop(h.agent())
			h.isAsItWas(before, "acquired, taken over, killed, started, renewed, killed, started, stopped")
		})
	}
}

// mustBeTold demands words in what the program said.
func (h *house) mustBeTold(said string, words ...string) {
	h.t.Helper()
	for _, w := range words {
		if !strings.Contains(said, w) {
			h.t.Errorf("no %q in\n%s", w, said)
		}
	}
}

func TestADryRunChangesNothingAndTellsWhatBecomesOfNames(t *testing.T) {
	for resolver, words := range map[string][]string{
		"file /etc/resolv.conf": {"note: names go to file /etc/resolv.conf: /etc/resolv.conf is in no other hands", "    -nameserver 203.0.113.53\n", "    +nameserver 192.0.2.53\n"},
		"systemd-resolved":      {"note: names go to systemd-resolved: /etc/resolv.conf is a link", "would resolvectl dns eth0 192.0.2.53 192.0.2.54\n", "would resolvectl domain eth0 a.example b.example example.com\n"},
		"openresolv":            {"would printf 'search a.example b.example example.com\\nnameserver 192.0.2.53\\nnameserver 192.0.2.54\\n' | resolvconf -m 1"},
		"Debian's resolvconf":   {"| resolvconf -a eth0.lessee\n"},
	} {
		t.Run(resolver, func(t *testing.T) {
			h := newHouse(t, resolver)
			h.up()
			before := h.everything()
			said := h.does("acquire", "eth0", "--dry-run", "--offer-wait", "100ms")
			h.mustBeTold(said, words...)
			h.isAsItWas(before, "a dry run")
			for _, dir := range []string{"/run/state", "/run/lessee"} {
				if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s is there: %v", dir, err)
				}
			}
		})
	}
}

// What ip(8) does not set, and what differs by the time that has passed.
var passing = regexp.MustCompile(`_lft \d+sec| proto (0x10|dhcp)`)

// The plan is done by hand on the host, and compared with what an acquire makes
// of it.
func TestADryRunIsAllThatAnAcquireDoes(t *testing.T) {
	for resolver := range resolvers {
		t.Run(resolver, func(t *testing.T) {
			h := newHouse(t, resolver)
			h.up()
			name, err := os.Hostname()
			h.must(err)
			t.Cleanup(func() { h.Run("hostname", name) })
			before := h.everything()
			said := h.does("acquire", "eth0", "--dry-run", "--offer-wait", "100ms")
			h.does("acquire", "eth0")
			acquired := passing.ReplaceAllString(changes(before, h.everything()), "")
			h.does("release", "eth0")
			h.isAsItWas(before, "acquired and released")

			h.byHand(said)
			h.Await("the plan, done by hand", func() error {
				if done := passing.ReplaceAllString(changes(before, h.everything()), ""); done != acquired {
					return fmt.Errorf("by hand it is otherwise:\n%s\nby\n%s", changes(acquired, done), said)
				}
				return nil
			})
		})
	}
}

// byHand does what a dry run said that would be done.
func (h *house) byHand(said string) {
	h.t.Helper()
	var patched string
	if strings.Contains(said, "    --- /etc/resolv.conf\n") || strings.Contains(said, "would --- /etc/resolv.conf\n") {
		patched = h.patched("/etc/resolv.conf", said)
	}
	commands := "set -e\n"
	for line := range strings.Lines(said) {
		step, is := strings.CutPrefix(strings.TrimSpace(line), "would ")
		words := strings.Fields(step)
		switch {
		case !is || words[0] == "---":
		case words[0] == "resolvectl":
			h.Resolvectl(strings.Join(words[1:], " "))
		case words[0] == "link":
			commands += fmt.Sprintf("ln -sfn %s %s\n", words[3], words[1])
		case step == "write /etc/timezone":
			commands += "echo Europe/Berlin > /etc/timezone\n"
		default:
			commands += step + "\n"
		}
	}
	h.Run("sh", "-c", commands)
	if patched != "" {
		h.must(os.WriteFile("/etc/resolv.conf", []byte(patched), 0o644))
	}
}

// patched is a file with a difference put to it that was printed.
func (h *house) patched(path, said string) string {
	h.t.Helper()
	patch := nettest.Program(h.t, "patch")
	var lines []string
	for line := range strings.Lines(said) {
		if text, of := strings.CutPrefix(line, "    "); of {
			lines = append(lines, text)
		}
	}
	out := filepath.Join(h.bench.dir, "patched")
	cmd := exec.Command(patch, "--silent", "--fuzz=0", "--output="+out, path)
	cmd.Stdin = strings.NewReader(strings.Join(lines, ""))
	if told, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("%v: %s\n%s", err, told, said)
	}
	text, err := os.ReadFile(out)
	h.must(err)
	return string(text)
}

func TestAResolverInOtherHandsShowsInStatus(t *testing.T) {
	h := newHouse(t, "file /etc/resolv.conf")
	h.must(os.WriteFile("/etc/resolv.conf", []byte("# Generated by NetworkManager\nnameserver 203.0.113.1\n"), 0o644))
	before := h.everything()
	const left = "name servers 192.0.2.53, 192.0.2.54: /etc/resolv.conf belongs to NetworkManager, which is left to do its work"
	h.mustBeTold(h.does("acquire", "eth0"), "note: "+left)
	agent := h.agent()
	h.mustBeTold(h.does("status", "eth0"), "not followed\n", left)
	said := h.does("status", "eth0", "--explain")
	h.mustBeTold(said, "resolver", "NetworkManager\n", left)
	if strings.Contains(said, "name server   ") {
		t.Errorf("a name server is on the host:\n%s", said)
	}
	h.stop(agent)
	h.isAsItWas(before, "in the end")
}
