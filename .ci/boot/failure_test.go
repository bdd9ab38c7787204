package boot

import (
	"fmt"
	"testing"
	"time"
)

func TestAProcessThatDiesIsReplacedAndTheLinkTakenOver(t *testing.T) {
	t.Parallel()
	vm := bound(t, shipped(t), time.Hour)
	address := addressOf(vm)
	vm.Must(watch)
	// ABRT is how systemd ends what hangs, and how a panic of Go's ends.
	for n, signal := range []string{"KILL", "ABRT"} {
		pid := property(vm, "MainPID")
		vm.Must("kill -" + signal + " " + pid)
		vm.Until(fmt.Sprintf("[ $(systemctl show --value --property=NRestarts lessee) = %d ]", n+1))
		vm.Until(isBound)
		untouched(t, vm, address)
		if got := property(vm, "MainPID"); got == pid || got == "0" {
			t.Errorf("%s: process %s, was %s", signal, got, pid)
		}
	}
}

func TestAProcessThatHangsIsReplaced(t *testing.T) {
	t.Parallel()
	i := shipped(t)
	i.File("/etc/systemd/system/lessee.service.d/watchdog.conf", 0o644, []byte("[Service]\nWatchdogSec=10s\nTimeoutAbortSec=1s\n"))
	vm := bound(t, i, time.Hour)
	address := addressOf(vm)
	vm.Must(watch + "sleep 11")
	if got := property(vm, "NRestarts"); got != "0" {
		t.Fatalf("a process that is well was killed %s times", got)
	}
	vm.Must("kill -STOP " + property(vm, "MainPID")) // deaf to ABRT, so it takes a second more
	vm.Until("[ $(systemctl show --value --property=NRestarts lessee) = 1 ]")
	vm.Until(isBound)
	untouched(t, vm, address)
}

func TestABadConfigurationIsNotTriedForEver(t *testing.T) {
	t.Parallel()
	i := shipped(t)
	i.File("/etc/lessee/lessee.toml", 0o644, []byte("nonsense\n"))
	vm := Start(t, Config{Image: i, Modules: modules, Setup: network})
	vm.Until("systemctl is-failed lessee.service")
	vm.Must("sleep 2")
	if got := property(vm, "NRestarts") + " " + property(vm, "ExecMainStatus"); got != "0 2" {
		t.Errorf("restarts and exit code: %s", got)
	}
}
