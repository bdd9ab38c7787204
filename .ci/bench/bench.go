package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/nettest"
)

// A bench is a switch with a server. Every measurement gets a host of its own.
type bench struct {
	dir, binary string
	world       *nettest.World
	sw          *nettest.Host
	server      *exec.Cmd
	hosts       int
}

// limit bounds the wait for one address.
const limit = 30 * time.Second

func newBench(dir, binary string) (*bench, error) {
	w, err := nettest.NewWorld()
	if err != nil {
		return nil, err
	}
	b := &bench{dir: dir, binary: binary, world: w}
	if b.sw, err = w.Host("switch"); err != nil {
		return nil, err
	}
	server, err := w.Host("server")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(w.Bridge(b.sw, "br0", server), server.AddAddr("eth0", netip.MustParsePrefix("198.18.0.1/15"))); err != nil {
		return nil, err
	}
	// Before it grants a lease, the server waits until it stands on the disk.
	// That disk's moods are no client's: hence the leases are in memory.
	b.server = exec.Command("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--port=0", "--interface=eth0",
		"--no-ping", "--dhcp-range=198.19.0.0,198.19.255.254,255.254.0.0,10m", "--dhcp-option=3,198.18.0.1", "--dhcp-option=6,198.18.0.53",
		"--dhcp-leasefile=/run/dnsmasq.leases", "--pid-file="+filepath.Join(dir, "pid"))
	return b, server.Start(b.server)
}

func (b *bench) close() {
	_ = b.server.Process.Kill() // its only end
	_ = b.server.Wait()         // killed
	b.world.Close()
}

// newHost is a host that no client has run on, with eth0 up. A lease that was
// remembered from another one would be asked for in vain at first, and a
// resolv.conf that another one wrote is his.
func (b *bench) newHost() (*nettest.Host, error) {
	for _, dir := range stateDirs {
		if err := empty(dir); err != nil {
			return nil, err
		}
	}
	b.hosts++
	h, err := b.world.Host(fmt.Sprintf("h%d", b.hosts))
	if err != nil {
		return nil, err
	}
	state := filepath.Join(b.dir, "state")
	err = errors.Join(os.RemoveAll(state), os.MkdirAll(state, 0o755), os.WriteFile(filepath.Join(state, "dhclient.leases"), nil, 0o644),
		os.RemoveAll(resolvConf), os.WriteFile(resolvConf, nil, 0o644)) // it may lead out of /etc
	return h, errors.Join(err, b.world.Plug(b.sw, "br0", h))
}

// empty removes what is in a directory.
func empty(dir string) error {
	list, err := os.ReadDir(dir)
	for _, e := range list {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// once measures one client once.
func (b *bench) once(c client) (_ time.Duration, err error) {
	h, err := b.newHost()
	if err != nil {
		return 0, err
	}
	updates, done := make(chan netlink.AddrUpdate, 16), make(chan struct{})
	defer close(done)
	if err := h.Do(func() error { return netlink.AddrSubscribe(updates, done) }); err != nil {
		return 0, err
	}
	cmd := exec.Command(c.args[0], c.args[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // for ending whatever it started
	start := time.Now()
	if err := h.Start(cmd); err != nil {
		return 0, err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	defer func() {
		end(cmd, c.stays)
		err = errors.Join(err, h.Remove("eth0")) // or it would hear all that is broadcast
	}()
	for {
		select {
		case u := <-updates:
			if u.NewAddr && u.LinkAddress.IP.To4() != nil && !u.LinkAddress.IP.IsLoopback() {
				return time.Since(start), nil
			}
		case <-timer.C:
			end(cmd, true)
			return 0, fmt.Errorf("%w\n%s", errNoAddress, out.String())
		}
	}
}

// end lets a command end by itself, if it does, then ends it and its children.
func end(cmd *exec.Cmd, stays bool) {
	if cmd.ProcessState != nil {
		return
	}
	wait := time.Second
	if stays {
		wait = 0
	}
	timer := time.AfterFunc(wait, func() { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) })
	_ = cmd.Wait() // how it ends does not matter any more
	timer.Stop()
}

// memory is the most that lessee acquire had resident at a time, in KiB. It is
// asked for while the program runs: what wait4 tells includes this program,
// which it was forked from. One that ended while this program had to wait was not
// seen.
func (b *bench) memory() (peak int, err error) {
	for range 10 {
		if peak, err = b.peak(); peak > 0 || err != nil {
			return peak, err
		}
	}
	return 0, errors.New("its memory was not seen")
}

// peak is memory of one run; 0 if it was not seen.
func (b *bench) peak() (peak int, err error) {
	h, err := b.newHost()
	if err != nil {
		return 0, err
	}
	c := b.clients()[1]
	cmd := exec.Command(c.args[0], c.args[1:]...)
	if err := h.Start(cmd); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return peak, err
		case <-time.After(5 * time.Millisecond):
			peak = max(peak, highWater(cmd.Process.Pid))
		}
	}
}

// highWater is VmHWM of a process, in KiB; 0 if it is gone.
func highWater(pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}
