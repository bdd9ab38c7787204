package supervise

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// supervised returns a manager as the environment has it.
func supervised(t *testing.T, socket string) *Manager {
	t.Helper()
	t.Setenv("NOTIFY_SOCKET", socket)
	m, err := FromEnv()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheManagerIsTold(t *testing.T) {
	r := listen(t)
	m := supervised(t, r.path)
	for _, tc := range []struct {
		name string
		say  func() error
		want string
	}{
		{"ready", func() error { return m.Ready("") }, "READY=1\n"},
		{"ready, and how", func() error { return m.Ready("eth0 192.0.2.7/24") }, "READY=1\nSTATUS=eth0 192.0.2.7/24\n"},
		{"status", func() error { return m.Status("eth0 waits") }, "STATUS=eth0 waits\n"},
		{"stopping", func() error { return m.Stopping("eth0 is kept") }, "STOPPING=1\nSTATUS=eth0 is kept\n"},
		{"a status with another assignment in it", func() error { return m.Status("evil\nMAINPID=1\r\x00\x7f.") }, "STATUS=evil MAINPID=1   .\n"},
		{"a status that is no text", func() error { return m.Status("\xff\xfeä") }, "STATUS=��ä\n"},
		{"a long status", func() error { return m.Status(strings.Repeat("ä", 3000)) }, "STATUS=" + strings.Repeat("ä", 512) + "…\n"},
		{"a long status, cut within a letter", func() error { return m.Status("." + strings.Repeat("ä", 3000)) }, "STATUS=." + strings.Repeat("ä", 511) + "…\n"},
	} {
		if err := tc.say(); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if got := string(r.receive()); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
	r.silent()
}

func TestAReloadSaysWhenItBegan(t *testing.T) {
	r := listen(t)
	if err := supervised(t, r.path).Reloading(); err != nil {
		t.Fatal(err)
	}
	got := string(r.receive())
	match := regexp.MustCompile(`\ARELOADING=1\nMONOTONIC_USEC=([0-9]+)\n\z`).FindStringSubmatch(got)
	if match == nil {
		t.Fatalf("%q", got)
	}
	// The clock counts from boot, so the time is later than nothing and
	// earlier than a thousand years.
	if n, err := strconv.ParseInt(match[1], 10, 64); err != nil || n <= 0 || n > 1e9*365*86400 {
		t.Errorf("%q: %v", got, err)
	}
}

func TestWithoutAManagerNothingIsSaid(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "")
	m := supervised(t, "")
	for name, say := range map[string]func() error{
		"ready":     func() error { return m.Ready("x") },
		"status":    func() error { return m.Status("x") },
		"reloading": m.Reloading,
		"stopping":  func() error { return m.Stopping("x") },
	} {
		if err := say(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	m.Watchdog(t.Context(), func() bool {
		t.Error("asked whether it is alive")
		return true
	})
}

func TestAManagerThatIsGoneIsAnError(t *testing.T) {
	m := supervised(t, listen(t).path+".gone")
	if err := m.Ready(""); err == nil {
		t.Error("no error")
	}
}

func TestAManagerThatHangsHoldsUpNobody(t *testing.T) {
	r := listen(t)
	m := supervised(t, r.path)
	for range 10_000 { // more than any queue holds
		if m.Status("x") != nil {
			return
		}
	}
	t.Error("a queue without an end")
}

func TestTheEnvironmentOfChildrenIsEmpty(t *testing.T) {
	for key, value := range map[string]string{
		"NOTIFY_SOCKET": "/run/systemd/notify",
		"WATCHDOG_USEC": "3000000",
		"WATCHDOG_PID":  strconv.Itoa(os.Getpid()),
	} {
		t.Setenv(key, value)
	}
	m, err := FromEnv()
	if err != nil || m.send == nil || m.watchdog != 3*time.Second {
		t.Errorf("%+v, %v", m, err)
	}
	env, err := exec.Command("env").Output()
	if err != nil || !strings.Contains(string(env), "PATH=") {
		t.Fatalf("%s, %v", env, err)
	}
	for line := range strings.Lines(string(env)) {
		if strings.HasPrefix(line, "NOTIFY_") || strings.HasPrefix(line, "WATCHDOG_") {
			t.Errorf("a child sees %s", line)
		}
	}
}

func TestAWatchdogThatMakesNoSenseIsNone(t *testing.T) {
	r := listen(t)
	for _, usec := range []string{"0", "-1", "soon"} {
		t.Setenv("NOTIFY_SOCKET", r.path)
		t.Setenv("WATCHDOG_USEC", usec)
		m, err := FromEnv()
		if err == nil || m.watchdog != 0 {
			t.Errorf("%s: %v, %v", usec, m.watchdog, err)
		}
		if err := m.Ready(""); err != nil {
			t.Errorf("%s: %v", usec, err)
		}
		r.receive()
	}
}

func TestAWatchdogForAnotherProcessIsNone(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "3000000")
	t.Setenv("WATCHDOG_PID", "1")
	if m := supervised(t, ""); m.watchdog != 0 {
		t.Errorf("%v", m.watchdog)
	}
}

func TestTheWatchdogIsFedWhileAllIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var words []string
		m := &Manager{watchdog: 3 * time.Minute, send: func(s string) error {
			words = append(words, time.Since(start).String()+" "+strings.TrimSpace(s))
			return nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute+time.Second)
		defer cancel()
		m.Watchdog(ctx, func() bool {
			stuck := time.Since(start) == 2*time.Minute || time.Since(start) == 3*time.Minute
			return !stuck
		})
		want := []string{"1m0s WATCHDOG=1", "4m0s WATCHDOG=1", "5m0s WATCHDOG=1"}
		if !slices.Equal(words, want) {
			t.Errorf("%q, want %q", words, want)
		}
	})
}

func TestTheWatchdogGoesHungryWhenTheProcessHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &Manager{watchdog: 3 * time.Second, send: func(s string) error {
			t.Errorf("%q", s)
			return nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		go m.Watchdog(ctx, func() bool { <-ctx.Done(); return false })
		time.Sleep(time.Hour)
		cancel()
	})
}
