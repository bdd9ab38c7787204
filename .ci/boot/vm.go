package boot

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lessee/lessee/client/nettest"
)

// Config is what is in a virtual machine, and what happens there first.
type Config struct {
	Image   *Image   // the root file system
	Base    string   // the file of an initramfs that lies under Image, and has busybox; "": there is none
	Modules []string // kernel modules, loaded before anything else
	Setup   string   // a script that runs before Init, and stops at the first failure
	Init    []string // the first program; default: systemd
	Cmdline string   // more for the kernel
	QEMU    []string // more arguments, such as a network card's

	// Limit is how long the machine lives at most, should nobody end it. It is
	// for what hangs: nothing is judged by it. Default: eight minutes.
	Limit time.Duration
}

// kernelOptions are what every guest's kernel is told. no_timer_check: it gives
// up if no timer ticks within a moment, which on a busy host happens. panic=-1:
// when it panics the machine ends, and the test with it. The rest is for speed,
// and for a console that has only what matters.
const kernelOptions = "rdinit=/boot/init no_timer_check panic=-1 mitigations=off cryptomgr.notests random.trust_cpu=on " +
	"console=ttyS0 earlyprintk=serial,ttyS0 loglevel=4"

// A VM is a virtual machine that runs.
type VM struct {
	t     *testing.T
	dir   string
	qemu  *exec.Cmd
	ended chan struct{} // closed when qemu has ended
	shell shell
	began time.Time
}

//go:embed guest/init
var guestInit []byte

//go:embed guest/shell
var guestShell []byte

const qemu = "qemu-system-x86_64"

const (
	defaultLimit = 8 * time.Minute
	memory       = "512" // MiB
)

// Start boots a machine, and returns when Init begins. The machine ends with the
// test.
func Start(t *testing.T, cfg Config) *VM {
	t.Helper()
	// Not the test's own folder: the path of a socket has 107 bytes at most.
	dir, err := os.MkdirTemp("", "boot-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	vm := &VM{t: t, dir: dir, ended: make(chan struct{}), began: time.Now()}
	k, err := FindKernel()
	if err == nil {
		err = vm.pack(k, cfg)
	}
	if err == nil {
		err = vm.boot(k, cfg)
	}
	if err == nil {
		err = vm.release(cfg.Setup)
	}
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		nettest.Missing(t, "%v (the file packages lists what is needed)", err)
	case err != nil:
		t.Fatal(err)
	}
	return vm
}

// pack writes the initramfs.
func (vm *VM) pack(k *Kernel, cfg Config) error {
	i := cfg.Image
	if cfg.Base == "" {
		i.Busybox()
	}
	modules, err := k.Load(cfg.Modules...)
	if err != nil {
		return err
	}
	i.Host(modules...)
	i.File("/boot/modules", 0o644, []byte(strings.Join(modules, "\n")))
	i.File("/boot/init", 0o755, guestInit)
	i.File("/boot/shell", 0o644, guestShell)
	f, err := os.Create(vm.path("initrd"))
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(writeBase(w, cfg.Base), i.Write(w), w.Flush(), f.Close())
}

// writeBase writes the initramfs at path. The kernel unpacks one archive after
// the other, each of which begins at a multiple of four bytes.
func writeBase(w io.Writer, path string) error {
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, make([]byte, -len(data)&3)...))
	return err
}

// path names a file of the machine's on this side.
func (vm *VM) path(name string) string { return filepath.Join(vm.dir, name) }

// boot starts qemu and waits for the shell.
func (vm *VM) boot(k *Kernel, cfg Config) error {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: vm.path("shell"), Net: "unix"})
	if err != nil {
		return err
	}
	defer l.Close()
	if _, err := exec.LookPath(qemu); err != nil {
		return err
	}
	if cfg.Limit == 0 {
		cfg.Limit = defaultLimit
	}
	vm.qemu = exec.Command("timeout", append([]string{"--signal=KILL", strconv.Itoa(int(cfg.Limit.Seconds()))}, vm.command(k, cfg)...)...)
	// A group of timeout's, to be killed together; if nobody does, because the
	// test was killed, timeout is told, and hands it on.
	vm.qemu.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	var complaints bytes.Buffer
	vm.qemu.Stderr = &complaints
	if err := vm.qemu.Start(); err != nil {
		return err
	}
	go func() {
		_ = vm.qemu.Wait() // it is killed
		close(vm.ended)
		_ = l.Close() // nobody will call any more
	}()
	vm.t.Cleanup(vm.end)
	conn, err := l.Accept()
	if err != nil {
		vm.end()
		return fmt.Errorf("qemu does not call: %w\n%s", err, complaints.String())
	}
	vm.shell = shell{conn: conn, answers: bufio.NewReader(conn)}
	return vm.shell.ready()
}

// command is qemu's command line.
func (vm *VM) command(k *Kernel, cfg Config) []string {
	if cfg.Init == nil {
		cfg.Init = []string{"/lib/systemd/systemd"}
	}
	// The kernel splits its line at spaces, but not between double quotes.
	init := `"` + strings.Join(cfg.Init, `" "`) + `"`
	cmdline := kernelOptions + " " + cfg.Cmdline + " -- begin " + init
	return append([]string{
		qemu, "-accel", "tcg", "-machine", "pc", "-cpu", "max", "-smp", "1", "-m", memory,
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", k.Image, "-initrd", vm.path("initrd"), "-append", cmdline,
		"-serial", "file:" + vm.path("console"),
		"-chardev", "socket,id=shell,path=" + vm.path("shell"), "-serial", "chardev:shell",
	}, cfg.QEMU...)
}

// release prepares the guest and lets Init begin.
func (vm *VM) release(setup string) error {
	out, code, err := vm.shell.run("set -e\n" + setup)
	switch {
	case err != nil:
		return fmt.Errorf("setup: %w", err)
	case code != 0:
		return fmt.Errorf("setup: exit %d\n%s", code, out)
	}
	_, _, err = vm.shell.run("echo > /run/init")
	return err
}

// Console is what the machine wrote to its console.
func (vm *VM) Console() string {
	text, err := os.ReadFile(vm.path("console"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Age is how long ago the machine was started.
func (vm *VM) Age() time.Duration { return time.Since(vm.began) }

// end kills qemu, and what watches over it. It may be called again.
func (vm *VM) end() {
	select {
	case <-vm.ended:
	default:
		_ = syscall.Kill(-vm.qemu.Process.Pid, syscall.SIGKILL)
		<-vm.ended
	}
	if vm.t.Failed() {
		vm.t.Logf("console:\n%s", vm.Console())
	}
	if vm.shell.conn != nil {
		_ = vm.shell.conn.Close()
	}
}
