package nettest

import (
	"os"
	"os/exec"
)

// Missing ends a test that needs something this machine has not. Where CI is
// set in the environment that is a failure, because there everything is to be
// tested; elsewhere the test is skipped. No test may be skipped by other means.
func Missing(t TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("where CI is set, nothing may be missing: "+format, args...)
	}
	t.Skipf(format, args...)
}

// Program returns the path of a program that a test needs, as [Missing] does
// without it.
func Program(t TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "%v", err)
	}
	return path
}
