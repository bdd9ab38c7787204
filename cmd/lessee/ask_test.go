package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/dhcptest"
)

// A file with mistakes leaves the agent as it is. Who asks it then asks because
// of them.
func TestAFileWithMistakesKeepsNobodyFromAskingTheAgent(t *testing.T) {
	b := newBench(t, dhcptest.Config{})
	path := file(t, "")
	b.agent("--config", path)
	b.eventually("bound", func() bool { return b.status().State == "BOUND" })
	if err := os.WriteFile(path, []byte("[link.eth0]\nmetrc = 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mistake := path + ":2:1: metrc"
	ask := func(code int, args ...string) result {
		t.Helper()
		r := b.lessee(append(args, "--config", path, "--run-dir", b.dir)...)
		if r.code != code || !strings.Contains(r.stderr, mistake) {
			t.Errorf("lessee %q: exit %d\n%s%s", args, r.code, r.out, r.stderr)
		}
		return r
	}
	if r := ask(0, "status"); !strings.Contains(r.out, "BOUND") || strings.Contains(r.out, mistake) {
		t.Errorf("%s", r.out)
	}
	ask(0, "wait", "eth0")
	ask(0, "metrics")
	r := ask(exitUsage, "reload")
	if !strings.Contains(r.stderr, "try: lessee config check") || strings.Count(r.stderr, mistake) != 1 {
		t.Errorf("%s", r.stderr)
	}
	if r := ask(0, "status"); !strings.Contains(r.out, "configuration refused: "+mistake) {
		t.Errorf("the agent does not tell of it: %s", r.out)
	}
	// What is not there is another matter: that is a slip of the pen.
	if r := b.lessee("status", "--config", filepath.Join(b.dir, "none.toml"), "--run-dir", b.dir); r.code != exitUsage {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.stderr)
	}
}
