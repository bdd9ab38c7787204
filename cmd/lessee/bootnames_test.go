package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What stood in resolv.conf before the boot comes back, whoever gives the lease
// back, and whether he may write where he keeps his state or not.
func TestWhatTheBootFoundInResolvConfComesBack(t *testing.T) {
	const operators = "# mine\nnameserver 203.0.113.53\n"
	for name, state := range map[string]string{"state": "state", "no state": "cmdline/below/a/file"} {
		t.Run(name, func(t *testing.T) {
			b := newBootBench(t, "eth0")
			if err := os.WriteFile(b.path("resolv.conf"), []byte(operators), 0o640); err != nil {
				t.Fatal(err)
			}
			b.want(0, "eth0: bound", "")
			is := func(when, want string) {
				t.Helper()
				if text, err := os.ReadFile(b.path("resolv.conf")); err != nil || !strings.Contains(string(text), want) {
					t.Errorf("%s: %q, %v", when, text, err)
				}
			}
			is("bound", "nameserver 192.0.2.53")
			dirs := []string{"--config", "none", "--state-dir", b.path(state), "--run-dir", b.path("run"), "--resolv-conf", b.path("resolv.conf")}
			b.must("/proc/self/exe", append([]string{"renew", "eth0"}, dirs...)...)
			is("renewed", "nameserver 192.0.2.53")
			b.must("/proc/self/exe", append([]string{"release", "eth0"}, dirs...)...)
			is("released", operators)
			out, err := exec.Command("sh", "-c", `find "$1" -name 'resolv*.json'; stat -c %a "$1/resolv.conf"`, "sh", b.dir).Output()
			if err != nil || string(out) != "640\n" {
				t.Errorf("%s, %v", out, err)
			}
		})
	}
}
