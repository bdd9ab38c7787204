package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/client/nettest"
)

func TestHooksRunInTheOrderOfTheirNamesOneAfterTheOther(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"20-c", "10-a", "B-last", "100-b"} {
		b.hook(name, `echo "$LESSEE_EVENT `+name+`" >> $OUT/said; sleep 0.01; echo done >> $OUT/said`)
	}
	b.tell(Bound, Renewed)
	var want strings.Builder
	for _, e := range []Name{Bound, Renewed} {
		for _, name := range []string{"10-a", "100-b", "20-c", "B-last"} {
			fmt.Fprintf(&want, "%s %s\ndone\n", e, name)
		}
	}
	if got := b.wrote("said"); got != want.String() {
		t.Errorf("%s", got)
	}
}

func TestAHookGetsTheEventAndNothingOfOurs(t *testing.T) {
	t.Setenv("SECRET", "of whoever started us")
	open, err := syscall.Dup(1) // so is this: it would be inherited
	mustDo(t, err)
	defer syscall.Close(open)
	b := newBench(t)
	b.hook("10-a", `cat > $OUT/stdin; /usr/bin/env > $OUT/env; pwd > $OUT/pwd; ps -o pid=,pgid=,sid= -p $$ > $OUT/ids; ls /proc/self/fd > $OUT/fds`)
	b.tell(Bound)
	var e Event
	if err := json.Unmarshal([]byte(b.wrote("stdin")), &e); err != nil || e.Name != Bound || e.Version != 1 || e.Lease.Addr != sampleLease().Addr {
		t.Errorf("%+v, %v", e, err)
	}
	env := strings.Split(strings.TrimSpace(b.wrote("env")), "\n")
	env = slices.DeleteFunc(env, func(s string) bool {
		return strings.HasPrefix(s, "PWD=") || s == "_=/usr/bin/env" || strings.HasPrefix(s, "OLDPWD=") || strings.HasPrefix(s, "SHLVL=")
	}) // the shell's own
	want := []string{
		"LANG=C.UTF-8", "LESSEE_ADDRESS=192.0.2.77", "LESSEE_DNS=192.0.2.53 192.0.2.54", "LESSEE_DOMAIN=example.com",
		"LESSEE_EVENT=bound", "LESSEE_EXPIRY=1714568400", "LESSEE_INTERFACE=eth0", "LESSEE_LEASE_SECONDS=3600",
		"LESSEE_MTU=1400", "LESSEE_NTP=192.0.2.9", "LESSEE_PREFIX_LENGTH=24", "LESSEE_ROUTERS=192.0.2.1",
		"LESSEE_SEARCH=a.example b.example", "LESSEE_SERVER=192.0.2.1", "LESSEE_STATE=BOUND", "PATH=" + path,
	}
	if slices.Sort(env); !slices.Equal(env, want) {
		t.Errorf("%q", env)
	}
	if got := strings.TrimSpace(b.wrote("pwd")); got != "/" {
		t.Errorf("it runs in %s", got)
	}
	if ids := strings.Fields(b.wrote("ids")); len(ids) != 3 || ids[0] != ids[1] || ids[0] != ids[2] {
		t.Errorf("pid, group, session: %v", ids)
	}
	if got := strings.Fields(b.wrote("fds")); !slices.Equal(got, []string{"0", "1", "2", "3"}) { // 3 is ls's own
		t.Errorf("open files: %v", got)
	}
}

func TestNoFolderIsNoHook(t *testing.T) {
	b := newBench(t)
	mustDo(t, os.Remove(b.dir))
	b.tell(Bound, Renewed)
	b.at.Dir = ""
	b.r.Tell(b.at, &Event{Name: Bound, Interface: "eth0"})
	if b.r.busy() != nil {
		t.Error("somebody works although there is no folder")
	}
	if got := b.log.String(); got != "" {
		t.Error(got)
	}
}

func TestAFolderThatVanishesAndComesBack(t *testing.T) {
	b := newBench(t)
	b.hook("10-a", `echo "$LESSEE_EVENT" >> $OUT/said`)
	b.tell(Bound)
	mustDo(t, os.Rename(b.dir, b.dir+"x"))
	b.tell(Renewed)
	mustDo(t, os.Rename(b.dir+"x", b.dir))
	b.tell(Rebound)
	if got := b.wrote("said"); got != "bound\nrebound\n" {
		t.Errorf("%q", got)
	}
}

func TestWhatIsNotToBeTrustedIsNotRunAndThatIsSaidOnce(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(t *testing.T, b *bench, path string)
		why  string
	}{
		{"writable by its group", func(t *testing.T, _ *bench, p string) { mustDo(t, os.Chmod(p, 0o775)) }, "writable by others"},
		{"writable by all", func(t *testing.T, _ *bench, p string) { mustDo(t, os.Chmod(p, 0o757)) }, "writable by others"},
		{"not executable", func(t *testing.T, _ *bench, p string) { mustDo(t, os.Chmod(p, 0o644)) }, "not executable"},
		{"a folder", func(t *testing.T, _ *bench, p string) {
			mustDo(t, os.Remove(p))
			mustDo(t, os.Mkdir(p, 0o755))
		}, "no regular file"},
		{"a dangling link", func(t *testing.T, _ *bench, p string) {
			mustDo(t, os.Remove(p))
			mustDo(t, os.Symlink("/nowhere/at/all", p))
		}, "10-bad leads nowhere: "},
		{"a link into a folder of everybody's", func(t *testing.T, b *bench, p string) {
			mustDo(t, os.Chmod(b.out, 0o777))
			mustDo(t, os.Rename(p, filepath.Join(b.out, "x")))
			mustDo(t, os.Symlink(filepath.Join(b.out, "x"), p))
		}, "writable by others"},
		{"a folder that others may write to", func(t *testing.T, b *bench, _ string) { mustDo(t, os.Chmod(b.dir, 0o777)) }, "writable by others"},
		{"of another user", func(t *testing.T, _ *bench, p string) {
			if os.Geteuid() != 0 {
				nettest.Missing(t, "only root can give files away")
			}
			mustDo(t, os.Chown(p, 4711, 4711))
		}, "belongs to user 4711"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			b.hook("20-good", `echo good >> $OUT/good`)
			tc.do(t, b, b.hook("10-bad", `echo bad >> $OUT/bad`))
			b.tell(Bound, Renewed, Rebound)
			if got := b.wrote("bad"); got != "" {
				t.Errorf("it ran: %q", got)
			}
			if tc.name != "a folder that others may write to" && b.wrote("good") != "good\ngood\ngood\n" {
				t.Errorf("the other one did not run: %q", b.wrote("good"))
			}
			b.logged(1, "a hook is not run")
			b.logged(1, tc.why)
		})
	}
}

func TestWhatIsMendedRuns(t *testing.T) {
	b := newBench(t)
	p := b.hook("10-a", `echo "$LESSEE_EVENT" >> $OUT/said`)
	mustDo(t, os.Chmod(p, 0o777))
	b.tell(Bound)
	mustDo(t, os.Chmod(p, 0o755))
	b.tell(Renewed)
	mustDo(t, os.Chmod(p, 0o777))
	b.tell(Rebound)
	if got := b.wrote("said"); got != "renewed\n" {
		t.Errorf("%q", got)
	}
	b.logged(2, "a hook is not run")
}

func TestNamesAreThoseOfRunParts(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"10-good", "UPPER_case", "a", "10-a~", ".hidden", "10-a.dpkg-old", "10-a.dpkg-new", "10-a.sh", "with space"} {
		b.hook(name, `echo `+"'"+name+"'"+` >> $OUT/said`)
	}
	b.tell(Bound, Renewed)
	if got := b.wrote("said"); got != strings.Repeat("10-good\nUPPER_case\na\n", 2) {
		t.Errorf("%q", got)
	}
	b.logged(2, "a hook is not run") // of what looks as if it should: 10-a.sh and "with space"
}

func TestAHookThatFailsStopsNothing(t *testing.T) {
	b := newBench(t)
	b.hook("10-a", `echo it is broken >&2; exit 3`)
	b.hook("20-b", `echo "$LESSEE_EVENT" >> $OUT/said`)
	nettest.Executable(t, filepath.Join(b.dir, "15-text"), "neither script nor program\n")
	nettest.Executable(t, filepath.Join(b.dir, "16-perl6"), "#!/no/such/interpreter\n")
	b.tell(Bound)
	if got := b.wrote("said"); got != "bound\n" {
		t.Errorf("%q", got)
	}
	b.logged(1, "exit status 3")
	b.logged(1, `output="it is broken"`)
	b.logged(1, "exec format error (a script begins with #!")
	b.logged(1, "no such file or directory (the interpreter that its first line names is not there)")
	if len(b.failed) != 3 {
		t.Errorf("counted: %q", b.failed)
	}
}

func TestTheNewestStateArrivesHoweverSlowHooksAre(t *testing.T) {
	b := newBench(t)
	b.hook("10-a", `while [ ! -e $OUT/go ]; do sleep 0.01; done; echo "$LESSEE_EVENT $LESSEE_ADDRESS ${LESSEE_MISSED-0}" >> $OUT/said; touch $OUT/began`)
	l := sampleLease()
	b.r.Tell(b.at, &Event{Name: Bound, Time: start, Interface: "eth0", Lease: l})
	for !isRunning(b.r) {
		time.Sleep(time.Millisecond)
	}
	for i := range 100 {
		e := &Event{Name: Renewed, Time: start, Interface: "eth0", Lease: leaseOf(fmt.Sprintf("192.0.2.%d", 100+i), sampleOptions...)}
		b.r.Tell(b.at, e)
	}
	b.r.Tell(b.at, &Event{Name: Bound, Time: start, Interface: "eth1"}) // another link does not wait
	mustDo(t, os.WriteFile(filepath.Join(b.out, "go"), nil, 0o644))
	b.wait()
	said := strings.Split(strings.TrimSpace(b.wrote("said")), "\n")
	if i := slices.Index(said, "bound  0"); i < 0 {
		t.Errorf("nothing of eth1: %q", said)
	} else {
		said = slices.Delete(said, i, i+1)
	}
	if len(said) != 1+maxWaiting || said[0] != "bound 192.0.2.77 0" || said[1] != "renewed 192.0.2.184 84" || said[maxWaiting] != "renewed 192.0.2.199 0" {
		t.Errorf("%d: %q", len(said), said)
	}
}

func TestEachHookHasItsOwnTimeAtTheEndToo(t *testing.T) {
	const limit = 30 * time.Second
	for name, tc := range map[string]struct {
		tasks   int
		takes   time.Duration
		most    time.Duration
		want    error
		waiting time.Duration
	}{
		"none":                        {0, 0, time.Hour, nil, 0},
		"three that take nearly long": {3, 29 * time.Second, time.Hour, nil, 87 * time.Second},
		"more than anybody waits for": {5, 29 * time.Second, time.Hour, ErrTooLong, 2 * time.Minute},
		"some that hang":              {2, time.Hour, time.Hour, ErrTooLong, 2 * time.Minute},
		"and there is less time":      {3, 29 * time.Second, 10 * time.Second, ErrTooLong, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, began := NewRunner(nil, nil), time.Now()
				for range tc.tasks {
					r.Do("eth0", limit, func(ctx context.Context) {
						select {
						case <-time.After(tc.takes):
						case <-ctx.Done():
						}
					})
				}
				if err := r.Close(tc.most); !errors.Is(err, tc.want) || time.Since(began) != tc.waiting {
					t.Errorf("%v after %v, want %v after %v", err, time.Since(began), tc.want, tc.waiting)
				}
			})
		})
	}
}

// isRunning reports whether the first event is being worked on.
func isRunning(r *Runner) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		return len(l.waiting) == 0
	}
	return false
}

func TestAMistakeOfOursEndsOneEventAlone(t *testing.T) {
	b := newBench(t)
	b.hook("10-a", `echo "$LESSEE_EVENT" >> $OUT/said`)
	enter := b.at.Enter
	b.at.Enter = func(func() error) error { panic("of the test") }
	b.tell(Bound)
	b.at.Enter = enter
	b.tell(Renewed)
	b.logged(1, "a mistake in lessee")
	if got := b.wrote("said"); got != "renewed\n" {
		t.Errorf("%q", got)
	}
}
