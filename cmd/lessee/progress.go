package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/machine"
)

// progress keeps one line on a terminal up to date while somebody waits: the
// state, the try, and the seconds that are left.
type progress struct {
	out      io.Writer
	link     string
	deadline time.Time // of the whole command, wall time; zero: none
	stop     chan struct{}
	done     sync.WaitGroup

	mu    sync.Mutex
	state machine.State
	try   int
	why   string
}

// isTerminal reports whether f is one.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// terminalWidth is how many columns f has; 80 if it does not say.
func terminalWidth(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 {
		return 80
	}
	return int(size.Col)
}

// newProgress draws from the second second on: what takes less needs no line.
func newProgress(out io.Writer, link string, deadline time.Time) *progress {
	p := &progress{out: out, link: link, deadline: deadline, stop: make(chan struct{})}
	p.done.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case now := <-tick.C:
				p.draw(now)
			}
		}
	})
	return p
}

// event follows the client.
func (p *progress) event(e client.Event) {
	if p == nil || e.Kind != client.Reported {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.try = e.Report.To, e.Report.Try
	if e.Report.Cause != machine.CauseSent {
		p.why = string(e.Report.Cause)
	}
}

func (p *progress) draw(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf("%s: %v", p.link, p.state)
	if p.try > 1 {
		line += fmt.Sprintf(", try %d", p.try)
	}
	if p.why != "" {
		line += " (" + p.why + ")"
	}
	if !p.deadline.IsZero() {
		line += fmt.Sprintf(", %d s left", max(0, int(p.deadline.Sub(now).Seconds())))
	}
	fmt.Fprintf(p.out, "\r\033[K%s", line)
}

// close ends the line and clears it.
func (p *progress) close() {
	if p == nil {
		return
	}
	close(p.stop)
	p.done.Wait()
	fmt.Fprint(p.out, "\r\033[K")
}
