// Package readable tells when sockets have something to read: all sockets of a
// process by one goroutine, which is there only while there are any. Whoever
// has hundreds of them, on which hardly ever anything comes, need not have
// hundreds of goroutines, with their stacks, that wait.
package readable

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Notify puts a token into ch, without waiting, whenever something new came to
// the socket of c, and once at the beginning if something is there already. Who
// takes a token reads until nothing is left (EAGAIN), or puts one back: of
// packets that were not read no second token tells. What made a link go down is
// news too.
//
// Call stop before the socket is closed. A token may be left in ch.
func Notify(c syscall.RawConn, ch chan<- struct{}) (stop func(), err error) {
	mu.Lock()
	defer mu.Unlock()
	p := all
	if p == nil {
		if p, err = newPoller(); err != nil {
			return nil, err
		}
	}
	fd, err := p.add(c, ch)
	switch {
	case err != nil && all == nil:
		go p.close() // its goroutine may want mu
		return nil, err
	case err != nil:
		return nil, err
	}
	all = p
	return func() { p.leave(fd) }, nil
}

// mu guards all, and the channels of every poller.
var mu sync.Mutex

// all is the poller that runs; nil: nobody waits.
var all *poller

// A poller is an epoll instance. Go's own poller tells of it in turn, so that
// nothing waits in the kernel.
type poller struct {
	file     *os.File
	epfd     int
	channels map[int32]chan<- struct{} // by descriptor
	events   [64]unix.EpollEvent
}

func newPoller() (*poller, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("wait for sockets: %w", os.NewSyscallError("epoll_create1", err))
	}
	if err := unix.SetNonblock(epfd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for sockets: %w", err), unix.Close(epfd))
	}
	p := &poller{file: os.NewFile(uintptr(epfd), "epoll"), epfd: epfd, channels: map[int32]chan<- struct{}{}}
	raw, err := p.file.SyscallConn()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for sockets: %w", err), p.file.Close())
	}
	// It ends with an error when the file is closed, and not before.
	go func() { _ = raw.Read(p.ring) }()
	return p, nil
}

// add begins to tell of a socket. What says so is edge-triggered: a socket that
// nobody reads costs nothing.
func (p *poller) add(c syscall.RawConn, ch chan<- struct{}) (fd int32, err error) {
	errControl := c.Control(func(s uintptr) {
		fd = int32(s)
		err = unix.EpollCtl(p.epfd, unix.EPOLL_CTL_ADD, int(s), &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: fd})
	})
	if err = errors.Join(errControl, os.NewSyscallError("epoll_ctl", err)); err != nil {
		return 0, fmt.Errorf("wait for a socket: %w", err)
	}
	p.channels[fd] = ch
	return fd, nil
}

// leave ends telling of a socket, and the poller with the last one.
func (p *poller) leave(fd int32) {
	mu.Lock()
	delete(p.channels, fd)
	_ = unix.EpollCtl(p.epfd, unix.EPOLL_CTL_DEL, int(fd), nil) // at worst it is closed, and so gone from there
	idle := len(p.channels) == 0
	if idle {
		all = nil
	}
	mu.Unlock()
	if idle {
		p.close()
	}
}

// close returns when the poller's goroutine has ended.
func (p *poller) close() { _ = p.file.Close() } // nothing is lost with it

// ring hands out tokens for everything that is new; it is called when there is
// something. False: wait for more.
func (p *poller) ring(fd uintptr) bool {
	mu.Lock()
	defer mu.Unlock()
	for {
		n, err := unix.EpollWait(int(fd), p.events[:], 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n <= 0 {
			return false
		}
		for _, e := range p.events[:n] {
			select {
			case p.channels[e.Fd] <- struct{}{}:
			default: // nobody's any more, or told already
			}
		}
	}
}
