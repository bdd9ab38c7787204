package supervise

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coreos/go-systemd/v22/daemon"
)

// notifySocket names the manager's socket in the environment.
const notifySocket = "NOTIFY_SOCKET"

// A Manager is the service manager that started this process, if it wants to be
// told how things are. Methods of the zero Manager do nothing. Their errors are
// for the log; a manager that does not listen is no reason to stop.
type Manager struct {
	send     func(assignments string) error // nil: nobody wants to know
	watchdog time.Duration                  // after which silence means death; 0: never
}

// FromEnv takes what the service manager said out of the environment, so that
// no child can speak in our name. The error says that it made no sense, or that
// there is no watchdog because of that; the Manager is good all the same.
func FromEnv() (*Manager, error) {
	m := &Manager{}
	// daemon.SdNotify reads the environment with each word, so the socket
	// would have to stay there.
	socket := os.Getenv(notifySocket)
	if socket != "" {
		m.send = func(assignments string) error { return send(socket, []byte(assignments)) }
	}
	watchdog, err := daemon.SdWatchdogEnabled(true)
	if err == nil {
		m.watchdog = watchdog
	}
	return m, errors.Join(err, os.Unsetenv(notifySocket))
}

// Ready says that the service does what it is for, or that it has reloaded.
func (m *Manager) Ready(status string) error {
	return m.notify(daemon.SdNotifyReady, statusOf(status))
}

// Status is the line that "systemctl status" shows.
func (m *Manager) Status(status string) error { return m.notify(statusOf(status)) }

// Reloading says that the configuration is being read again; Ready ends that.
// The time tells the manager which of its requests this answers.
func (m *Manager) Reloading() error {
	return m.notify(daemon.SdNotifyReloading, strings.TrimSpace(daemon.SdNotifyMonotonicUsec()))
}

// Stopping says that the end has begun.
func (m *Manager) Stopping(status string) error {
	return m.notify(daemon.SdNotifyStopping, statusOf(status))
}

// Watchdog tells the manager until ctx ends that the process is alive, if it
// asked to be told, and only as long as alive says so. If alive never returns,
// that is an answer too: the manager restarts the service.
func (m *Manager) Watchdog(ctx context.Context, alive func() bool) {
	if m.watchdog == 0 {
		return
	}
	// A third, so that one word that is late or lost does no harm.
	ticker := time.NewTicker(m.watchdog / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if alive() {
				_ = m.notify(daemon.SdNotifyWatchdog) // the next one may arrive
			}
		}
	}
}

// notify sends assignments, of which some may be empty.
func (m *Manager) notify(assignments ...string) error {
	if m.send == nil {
		return nil
	}
	var b strings.Builder
	for _, a := range assignments {
		if a != "" {
			b.WriteString(a)
			b.WriteByte('\n')
		}
	}
	return m.send(b.String())
}

// maxStatus bounds a status. The manager drops words of more than 4 KiB
// (PIPE_BUF) whole, and people do not read that far.
const maxStatus = 1024

// statusOf makes an assignment of a text, in which control characters would
// begin others. No text is no assignment: the status stays as it was.
func statusOf(text string) string {
	if text == "" {
		return ""
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r // of bytes that are no text, the mark for such
	}, text)
	if len(text) > maxStatus {
		end := maxStatus
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	return "STATUS=" + text
}
