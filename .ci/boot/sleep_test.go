package boot

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// suspend sends the guest to sleep (ACPI S3, the only kind from which QEMU's
// alarm clock wakes: s2idle waits for an event that it does not send), until
// that many seconds later. Before it lies down it starts a timer that, as most
// timers, does not count while it sleeps, and marks its end where watch writes
// down what becomes of addresses. It returns when, in seconds since boot, it lay
// down, and how long it slept: by the clock that counts sleep, and by the one
// that does not.
func (vm *VM) suspend(seconds, awake int) (since, boot, monotonic float64) {
	vm.t.Helper()
	out := vm.Must(`
		clocks() {
			read -r boot _ < /proc/uptime
			echo $boot $(sed -n 's/^now at \([0-9]*\) nsecs/\1/p' /proc/timer_list)
		}
		(sleep ` + strconv.Itoa(awake) + `; ip address add 127.9.7.1/32 dev lo) &
		echo +` + strconv.Itoa(seconds) + ` > /sys/class/rtc/rtc0/wakealarm
		clocks
		echo mem > /sys/power/state
		clocks`)
	var at []float64
	for _, word := range strings.Fields(out) {
		n, err := strconv.ParseFloat(word, 64)
		if err != nil {
			vm.t.Fatalf("%s: %v", out, err)
		}
		at = append(at, n)
	}
	if len(at) != 4 {
		vm.t.Fatalf("clocks: %s", out)
	}
	return at[0], at[2] - at[0], (at[3] - at[1]) / 1e9
}

func TestASleepLongerThanTheLease(t *testing.T) {
	t.Parallel()
	const lease, asleep = 30 * time.Second, 32
	vm := bound(t, shipped(t), lease)
	vm.Must(watch)
	// A client that trusted its timer would wait for T1, 15 s after it was
	// bound, less the moment that it was awake.
	since, boot, monotonic := vm.suspend(asleep, 11)
	if boot < lease.Seconds() || monotonic > lease.Seconds()/2 {
		t.Fatalf("asleep for %.1f s, of which %.1f s count: that is no sleep", boot, monotonic)
	}
	vm.Until("grep -q '^[0-9]*: lo .*127.9.7.1' /run/monitor")
	vm.Until(isBound)

	taken := regexp.MustCompile(`(?m)^Deleted .*lan0 +inet 192\.0\.2\.`)
	given := regexp.MustCompile(`(?m)^\d+: lan0 +inet 192\.0\.2\.`)
	awake := regexp.MustCompile(`(?m)^\d+: lo +inet 127\.9\.7\.1`)
	events := vm.Must("cat /run/monitor")
	first := func(r *regexp.Regexp) int {
		if at := r.FindStringIndex(events); at != nil {
			return at[0]
		}
		return len(events)
	}
	if !(first(taken) < first(given) && first(given) < first(awake) && first(awake) < len(events)) {
		t.Errorf("not taken away, given anew, and 11 s over, in this order:\n%s", events)
	}
	messages := slices.DeleteFunc(heard(vm), func(m message) bool { return m.at < since+lease.Seconds() })
	if len(messages) < 2 || messages[0].kind != "DHCPDISCOVER" || messages[1].kind != "DHCPREQUEST" {
		t.Errorf("it began with %v", messages)
	}
	if used := slices.IndexFunc(messages[:min(2, len(messages))], func(m message) bool { return m.src != "0.0.0.0" }); used >= 0 {
		t.Errorf("the expired address was used: %v", messages[used])
	}
	vm.Until(`journalctl --no-pager -u lessee | grep 'the lease has expired'`)
}
