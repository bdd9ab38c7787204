package hook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// short is a limit that no hook of these tests is meant to keep.
const short = 300 * time.Millisecond

// gone checks that the process whose number a hook wrote down is no more.
func (b *bench) gone(file string) {
	b.t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(b.wrote(file)))
	if err != nil {
		b.t.Fatal(err)
	}
	for range 12000 {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) || isZombie(pid) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.t.Errorf("process %d of %s is still there", pid, file)
}

// isZombie tells of a process that nobody has buried, as whoever takes over
// orphans in a container may be slow to.
func isZombie(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(b), ") Z ")
}

func TestAHookThatHangsIsKilledWithAllThatItForked(t *testing.T) {
	for _, tc := range []struct{ name, text string }{
		{"hangs", `echo $$ > $OUT/pid; sleep 1000`},
		{"forks and hangs", `sleep 1000 & echo $! > $OUT/pid; sleep 1000`},
		{"forks what lets go of its output, and hangs", `sleep 1000 >/dev/null 2>&1 & echo $! > $OUT/pid; sleep 1000`},
		{"does not listen", `trap '' TERM; echo $$ > $OUT/pid; while :; do sleep 0.1; done`},
		{"ends, and what it forked keeps its output open", `sleep 1000 & echo $! > $OUT/pid; exit 0`},
		{"ends, and what it forked does so in a session of its own", `setsid sh -c 'echo $$ > '$OUT'/pid; exec sleep 1000' & exit 0`},
		{"keeps its output in another group, and hangs", `setsid sh -c 'echo $$ > '$OUT'/pid; exec sleep 1000' & sleep 1000`},
		{"prints without end", `echo $$ > $OUT/pid; while :; do echo spam; done`},
		{"prints without end and without a line", `echo $$ > $OUT/pid; exec cat /dev/zero`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			x := &execution{path: b.hook("10-a", tc.text), env: newEnv(), limit: time.Minute, say: func(string) {}}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { // as if its time were over when it has got so far
				for !strings.HasSuffix(b.wrote("pid"), "\n") && ctx.Err() == nil {
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
			if err := x.run(ctx); !errors.Is(err, ErrTooLong) {
				t.Error(err)
			}
			b.gone("pid")
		})
	}
}

func TestAHookThatTakesTooLongDoesNotStopTheNext(t *testing.T) {
	b := newBench(t)
	b.hook("10-a", `case $LESSEE_EVENT in bound) exec sleep 1000;; esac; echo "$LESSEE_EVENT" >> $OUT/said`)
	b.at.Limit = short
	b.tell(Bound)
	b.at.Limit = time.Minute
	b.tell(Renewed)
	b.logged(1, ErrTooLong.Error())
	if got := b.wrote("said"); got != "renewed\n" {
		t.Errorf("the next one did not run: %q", got)
	}
}

func TestWhatAHookLeavesWithoutItsOutputIsLeftAlone(t *testing.T) {
	b := newBench(t)
	b.hook("10-a", `sleep 1000 >/dev/null 2>&1 & echo $! > $OUT/pid`)
	b.tell(Bound)
	pid, err := strconv.Atoi(strings.TrimSpace(b.wrote("pid")))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	b.logged(0, "level=WARN")
}

func TestMegabytesAreReadAndNotKept(t *testing.T) {
	b := newBench(t)
	b.hook("10-a", `head -c 67108864 /dev/zero | tr '\0' 'x'; echo; echo end >> $OUT/said`)
	b.tell(Bound)
	if b.wrote("said") != "end\n" {
		t.Error("it did not get to its end")
	}
	if n := len(b.log.String()); n > 2*maxLine {
		t.Errorf("%d bytes in the log", n)
	}
}

func TestManyLinesAreCutShort(t *testing.T) {
	b := newBench(t)
	b.hook("10-a", `seq 100000`)
	b.tell(Bound)
	b.logged(maxLines+1, "output=")
	b.logged(1, "no more of its output is shown")

	long := newBench(t)
	long.hook("10-a", fmt.Sprintf(`yes "$(head -c %d /dev/zero | tr '\0' 'x')" | head -n %d`, maxLine-1, maxLines-1))
	long.tell(Bound)
	if n := len(long.log.String()); n > 2*maxOutput {
		t.Errorf("%d bytes in the log", n)
	}
	long.logged(1, "no more of its output is shown")
}

func TestOutputIsCleanedForTheLog(t *testing.T) {
	b := newBench(t)
	b.hook("10-a", `printf 'a\033[31mred\r\nb\001\377\n\n  \nlast without an end'`)
	b.tell(Bound)
	b.logged(3, "output=")
	if got := b.log.String(); strings.ContainsAny(got, "\033\r\x01") || !utf8.ValidString(got) || !strings.Contains(got, "last without an end") {
		t.Errorf("%q", got)
	}
}

func TestAHookNeedNotReadWhatItGets(t *testing.T) {
	b := newBench(t)
	b.hook("10-a", `exec <&-; echo "$LESSEE_EVENT" >> $OUT/said`)
	for range 40 { // more than any pipe takes
		b.tell(Bound)
	}
	if got := strings.Count(b.wrote("said"), "bound"); got != 40 {
		t.Errorf("%d runs", got)
	}
}

func TestTheEndWaitsForHooksButNotForEver(t *testing.T) {
	t.Run("they get to their end", func(t *testing.T) {
		b := newBench(t)
		b.hook("10-a", `sleep 0.1; echo "$LESSEE_EVENT" >> $OUT/said`)
		for _, n := range []Name{Bound, Stopping} {
			b.r.Tell(b.at, &Event{Name: n, Time: start, Interface: "eth0"})
		}
		if err := b.r.Close(time.Minute); err != nil || b.wrote("said") != "bound\nstopping\n" {
			t.Errorf("%v, %q", err, b.wrote("said"))
		}
	})
	t.Run("they are killed", func(t *testing.T) {
		b := newBench(t)
		b.at.Limit = short
		b.hook("10-a", `exec sleep 1000`)
		b.hook("20-b", `exec sleep 1000`)
		for _, link := range []string{"eth0", "eth1", "eth2"} {
			for _, n := range []Name{Bound, Renewed, Stopping} {
				b.r.Tell(b.at, &Event{Name: n, Time: start, Interface: link})
			}
		}
		if err := b.r.Close(time.Minute); !errors.Is(err, ErrTooLong) {
			t.Error(err)
		}
		if b.r.busy() != nil {
			t.Error("hooks still run")
		}
	})
	t.Run("they may take long, and there is no time", func(t *testing.T) {
		b := newBench(t)
		b.hook("10-a", `exec sleep 1000`)
		b.r.Tell(b.at, &Event{Name: Stopping, Time: start, Interface: "eth0"})
		if err := b.r.Close(short); !errors.Is(err, ErrTooLong) {
			t.Error(err)
		}
	})
	t.Run("there are none", func(t *testing.T) {
		b := newBench(t)
		if err := b.r.Close(time.Minute); err != nil {
			t.Error(err)
		}
	})
}

func TestAHookThatIsGoneWhenItIsDueIsNotFatal(t *testing.T) {
	b := newBench(t)
	b.hook("10-a", `rm -f `+filepath.Join(b.dir, "20-b"))
	b.hook("20-b", `echo bad >> $OUT/said`)
	b.hook("30-c", `echo good >> $OUT/said`)
	b.tell(Bound)
	if got := b.wrote("said"); got != "good\n" {
		t.Errorf("%q", got)
	}
}
