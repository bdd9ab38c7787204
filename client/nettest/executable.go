package nettest

import (
	"os"
	"syscall"
)

// Executable writes a file that can be run at once.
//
// The kernel refuses to run a file that anybody has open for writing ("text
// file busy"), and a process forked elsewhere in the test meanwhile would have
// inherited the open file until it runs its own program: nobody may fork here
// until the file is closed.
func Executable(t TB, path, text string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatalf("%v", err)
	}
	if err := os.Chmod(path, 0o755); err != nil { // whatever the umask is
		t.Fatalf("%v", err)
	}
}
