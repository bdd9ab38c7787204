package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

// hostAsAWhole is a life of the program on a host of its own: what it is called,
// its zone, and what chrony is to use, at each turn.
const hostAsAWhole = `set -e
mount -t tmpfs none /run
mkdir -p "$DIR/sbin" "$DIR/bin" /run/chrony
for p in sbin/chronyd bin/chronyc; do printf '#!/bin/sh\necho "told $*" >> %s/told\n' "$DIR" > "$DIR/$p"; chmod 755 "$DIR/$p"; done
touch /run/chrony/chronyd.sock
mount -t overlay none -o "lowerdir=$DIR/sbin:/usr/sbin" /usr/sbin
mount -t overlay none -o "lowerdir=$DIR/bin:/usr/bin" /usr/bin
mount -t tmpfs none /etc
ln -s /usr/share/zoneinfo/Etc/UTC /etc/localtime
hostname "$NAME"
tell() { echo "$1: $(cat /proc/sys/kernel/hostname) $(readlink /etc/localtime) $(cat /run/chrony-dhcp/*.sources 2>/dev/null | grep -v '^#')"; }
lessee() { LESSEE_TEST_AS_LESSEE=1 "$LESSEE" "$@" --state-dir "$DIR" --run-dir /run/lessee --resolv-conf none; }
lessee acquire eth0 --dry-run --offer-wait 100ms $FLAGS || lessee acquire eth0 --dry-run --offer-wait 10s $FLAGS
tell planned
lessee acquire eth0 $FLAGS
tell bound
lessee renew eth0 $FLAGS
tell renewed
lessee release eth0
tell released
find /etc /run -type f -o -type l | sort
cat "$DIR/told" 2>/dev/null || true
`

// wholeLife runs it in UTS and mount namespaces of its own.
func (b *bench) wholeLife(name, flags string) string {
	b.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", hostAsAWhole)
	cmd.Env = append(os.Environ(), "DIR="+b.dir, "LESSEE="+exe, "NAME="+name, "FLAGS="+flags)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS | syscall.CLONE_NEWNS}
	log, err := os.Create(filepath.Join(b.t.TempDir(), "log"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := b.host.Start(cmd); err != nil {
		b.t.Fatal(err)
	}
	err = cmd.Wait()
	out, errRead := os.ReadFile(log.Name())
	if err != nil || errRead != nil {
		b.t.Fatalf("%v, %v\n%s", err, errRead, out)
	}
	return string(out)
}

// says demands lines, in their order.
func says(t *testing.T, out string, lines ...string) {
	t.Helper()
	rest := out
	for _, l := range lines {
		_, after, ok := strings.Cut(rest, l)
		if !ok {
			t.Fatalf("it does not say %q there:\n%s", l, out)
		}
		rest = after
	}
}

func wholeOptions() dhcptest.Config {
	return dhcptest.Config{Options: dhcptest.MustOptions("routers=192.0.2.1", "host-name=box.example.com", "ntp-servers=192.0.2.123", "tzdb-timezone=Europe/Berlin")}
}

func TestAHostAsAWholeFollowsItsLeaseAndIsPutBack(t *testing.T) {
	b := newBench(t, wholeOptions())
	out := b.wholeLife("localhost", "--accept-time-servers always --accept-timezone always")
	says(t, out, "would hostname box\n", "would write /run/chrony-dhcp/lessee-eth0.sources\n", "would link /etc/localtime to /usr/share/zoneinfo/Europe/Berlin\n",
		"planned: localhost /usr/share/zoneinfo/Etc/UTC \n",
		"eth0: bound", "bound: box /usr/share/zoneinfo/Europe/Berlin server 192.0.2.123 iburst\n",
		"renewed: box /usr/share/zoneinfo/Europe/Berlin server 192.0.2.123 iburst\n",
		"released: localhost /usr/share/zoneinfo/Etc/UTC \n/etc/localtime\n/run/chrony/chronyd.sock\n/run/lessee/",
		"told -n reload sources\ntold -n reload sources\n")
	if n := strings.Count(out, "reload sources"); n != 2 {
		t.Errorf("chrony was told %d times", n)
	}
	for _, m := range b.srv.Log() {
		if name, ok := m.Message.Options.Lookup(dhcp4.HostName.Code); ok && !m.Sent {
			t.Errorf("a host without a name of its own says %q in %v", name, m)
		}
	}
}

func TestAHostWithANameAndWithoutSettingsKeepsAllOfIt(t *testing.T) {
	b := newBench(t, wholeOptions())
	out := b.wholeLife("mine", "")
	says(t, out, "planned: mine /usr/share/zoneinfo/Etc/UTC \n", "eth0: bound", `note: host name "box.example.com": the host has a name of its own, "mine"`,
		"note: time servers: the operator keeps the clock's own (accept-time-servers)", "bound: mine /usr/share/zoneinfo/Etc/UTC \n", "released: mine")
	if strings.Contains(out, "reload") || strings.Contains(out, "would hostname") {
		t.Error(out)
	}
}

// What cannot be done is told to whoever reads what is printed, once.
func TestAHostThatCouldNotBeNamedIsANote(t *testing.T) {
	b := newBench(t, wholeOptions())
	// Nothing can be written down where a directory is in the way.
	for _, name := range []string{".hostname.json.lessee", ".resolv.conf.lessee"} {
		if err := os.MkdirAll(filepath.Join(b.dir, name, "x"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := b.command(t.Context(), "acquire", "eth0", "--accept-hostname", "always", "--supersede", "domain-name-servers=192.0.2.53", "--log-level", "error")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}
	r := ran(t, b.host, cmd)
	if r.code != exitDone || strings.Count(r.out, "note: the host's name is not set: ") != 1 || strings.Count(r.out, "resolv.conf") != 1 {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.stderr)
	}
}
