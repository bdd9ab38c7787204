package hook

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// killAll signals a program's process group, and whoever else has its output
// open, in whatever group.
func killAll(pid int, out *os.File, sig syscall.Signal) {
	_ = syscall.Kill(-pid, sig) // the group may be empty but for the program itself, which has ended
	var pipe string
	conn, err := out.SyscallConn() // Fd would make its reads block
	if err == nil {
		err = conn.Control(func(fd uintptr) { pipe, _ = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)) })
	}
	if err != nil || pipe == "" {
		return
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n != os.Getpid() {
			signalHolder(n, pipe, sig)
		}
	}
}

// signalHolder signals a process if it has a pipe open. The process is held
// before it is looked at, so that no other one of its number gets the signal.
func signalHolder(pid int, pipe string, sig os.Signal) {
	p, err := os.FindProcess(pid)
	if err != nil {
		return
	}
	defer p.Release()
	dir := fmt.Sprintf("/proc/%d/fd/", pid)
	fds, err := os.ReadDir(dir)
	if err != nil {
		return // it has ended, or is not ours to look at
	}
	for _, fd := range fds {
		if to, err := os.Readlink(dir + fd.Name()); err == nil && to == pipe {
			_ = p.Signal(sig) // it may have ended meanwhile
			return
		}
	}
}
