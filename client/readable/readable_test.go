package readable

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A pair is a socket, and the other end of it.
type pair struct {
	t     *testing.T
	conn  syscall.RawConn
	here  *os.File
	there *os.File
}

func newPair(t *testing.T) *pair {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{t: t, here: os.NewFile(uintptr(fds[0]), "here"), there: os.NewFile(uintptr(fds[1]), "there")}
	if p.conn, err = p.here.SyscallConn(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

func (p *pair) close() {
	_ = p.here.Close() // a second time is no matter
	_ = p.there.Close()
}

func (p *pair) say(n int) {
	p.t.Helper()
	for range n {
		if _, err := p.there.Write([]byte("x")); err != nil {
			p.t.Fatal(err)
		}
	}
}

// read empties the socket and returns how much was there.
func (p *pair) read() (n int) {
	p.t.Helper()
	err := p.conn.Control(func(fd uintptr) {
		for {
			switch _, err := unix.Read(int(fd), make([]byte, 1)); {
			case errors.Is(err, unix.EAGAIN):
				return
			case err != nil:
				p.t.Error(err)
				return
			}
			n++
		}
	})
	if err != nil {
		p.t.Error(err)
	}
	return n
}

func notify(t *testing.T, p *pair) (chan struct{}, func()) {
	t.Helper()
	ch := make(chan struct{}, 1)
	stop, err := Notify(p.conn, ch)
	if err != nil {
		t.Fatal(err)
	}
	return ch, stop
}

// tell waits for a token: a hang of the machine is no failure, that none comes
// at all is one.
func tell(t *testing.T, ch chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(20 * time.Second):
		t.Fatal("no token")
	}
}

// settled returns when everything that was new so far has been handed out: a
// socket that came into the poller's list later has its token.
func settled(t *testing.T) {
	t.Helper()
	p := newPair(t)
	p.say(1)
	ch, stop := notify(t, p)
	defer stop()
	tell(t, ch)
}

func TestEachArrivalIsToldOf(t *testing.T) {
	a, b := newPair(t), newPair(t)
	heardA, stopA := notify(t, a)
	defer stopA()
	heardB, stopB := notify(t, b)
	defer stopB()
	for range 100 {
		a.say(3)
		tell(t, heardA)
		for n := a.read(); n < 3; n += a.read() {
			tell(t, heardA) // it was told of the first one before the others came
		}
	}
	settled(t)
	if len(heardB) != 0 || b.read() != 0 {
		t.Error("told of a socket to which nothing came")
	}
	b.say(1)
	tell(t, heardB)
}

func TestWhatWasThereBeforeIsToldOf(t *testing.T) {
	p := newPair(t)
	p.say(2)
	heard, stop := notify(t, p)
	defer stop()
	tell(t, heard)
	if n := p.read(); n != 2 {
		t.Errorf("%d packets, want 2", n)
	}
}

// Whoever does not take his token keeps nobody else waiting.
func TestNobodyWaitsForWhoDoesNotListen(t *testing.T) {
	deaf, p := newPair(t), newPair(t)
	_, stopDeaf := notify(t, deaf)
	defer stopDeaf()
	heard, stop := notify(t, p)
	defer stop()
	for range 10 {
		deaf.say(1)
		p.say(1)
		tell(t, heard)
		p.read()
	}
}

func TestNothingIsToldAfterTheEnd(t *testing.T) {
	p := newPair(t)
	heard, stop := notify(t, p)
	stop()
	p.say(1)
	settled(t)
	if len(heard) != 0 {
		t.Error("told of a socket after the end")
	}
}

func TestTheGoroutineEndsWithTheLastSocket(t *testing.T) {
	for range 50 {
		a, b := newPair(t), newPair(t)
		_, stopA := notify(t, a)
		_, stopB := notify(t, b)
		if !running() {
			t.Fatal("nobody waits for two sockets")
		}
		var both sync.WaitGroup
		both.Go(stopA)
		both.Go(stopB)
		both.Wait()
		if running() {
			t.Fatal("somebody waits for no socket")
		}
		a.close()
		b.close()
	}
}

func TestASocketThatIsClosedIsRefused(t *testing.T) {
	p := newPair(t)
	p.close()
	if _, err := Notify(p.conn, make(chan struct{}, 1)); err == nil || running() {
		t.Errorf("%v, and something waits: %v", err, running())
	}
}

func running() bool {
	mu.Lock()
	defer mu.Unlock()
	return all != nil
}
