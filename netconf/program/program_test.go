package program

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const shell = "/bin/sh"

// usual is a limit that only something broken comes up to.
const usual = time.Minute

func TestAProgramHasNothingOfOurs(t *testing.T) {
	t.Setenv("SECRET", "x")
	said, err := Run(usual, "input", shell, "-c", `cat; pwd; env | grep -v '^\(PWD\|OLDPWD\|SHLVL\|_\)='`)
	if want := "input/\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C"; err != nil || sorted(said) != sorted(want) {
		t.Errorf("%q, %v, want %q", said, err, want)
	}
}

// sorted counts lines whatever their order: that of an environment is free.
func sorted(text string) string {
	out, err := exec.Command(shell, "-c", `printf '%s\n' "$1" | sort`, "sh", text).Output()
	if err != nil {
		return err.Error()
	}
	return string(out)
}

func TestAnErrorSaysWhatTheProgramSaidOnASafeLine(t *testing.T) {
	_, err := Run(usual, "", shell, "-c", `printf 'a\033[31mb\nc'; exit 3`)
	if want := `exit status 3 (a?[31mb;c)`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want it to end with %q", err, want)
	}
	if _, err := Run(usual, "", "/no/such/program"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestAProgramThatHangsOrTalksForEverIsEndedWithItsChildren(t *testing.T) {
	for _, script := range []string{"exec sleep 600", "sleep 600 & echo $! > child; wait", "exec yes"} {
		child := filepath.Join(t.TempDir(), "child")
		said, err := Run(time.Second, "", shell, "-c", strings.ReplaceAll(script, "child", child))
		if !errors.Is(err, os.ErrDeadlineExceeded) || len(said) > maxOutput {
			t.Errorf("%s: %d bytes, %v", script, len(said), err)
		}
		pid, err := os.ReadFile(child)
		if err != nil {
			continue
		}
		for deadline := time.Now().Add(usual); lives(strings.TrimSpace(string(pid))); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: process %s lives", script, pid)
			}
		}
	}
}

// lives tells whether a process is there, and is not only waiting to be buried
// by whoever takes over orphans.
func lives(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestADaemonThatKeepsTheOutputIsLeftAlone(t *testing.T) {
	said, err := Run(usual, "", shell, "-c", "setsid sleep 600 & echo $!")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("kill", "-9", said).CombinedOutput()
	if err != nil {
		t.Errorf("process %s is not there any more: %v %s", said, err, out)
	}
}
