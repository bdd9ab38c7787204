package boot

import (
	"strings"
	"testing"
	"time"
)

// What hooks are run with is allowed within the unit's sandbox, and one that
// hangs at the end does not make systemd kill the service.
func TestHooksRunWithinTheUnitAndDoNotOutliveIt(t *testing.T) {
	t.Parallel()
	i := shipped(t)
	i.File("/etc/lessee/hooks.d/10-test", 0o755, []byte(`#!/bin/sh
cat >> /run/lessee/events
echo "$LESSEE_EVENT $LESSEE_ADDRESS" >> /run/lessee/said
case $LESSEE_EVENT in stopping) exec sleep 1000;; esac
`))
	i.File("/etc/lessee/hooks.d/20-bad", 0o777, []byte("#!/bin/sh\necho bad >> /run/lessee/said\n"))
	vm := bound(t, i, time.Hour)
	address, _, _ := strings.Cut(addressOf(vm), "/")
	vm.Until("grep -F 'bound " + address + "' /run/lessee/said")
	vm.Must(`grep -F '"event":"bound"' /run/lessee/events | grep -F '"address":"` + address + `/'`)
	vm.Must("systemctl stop lessee")
	if got := vm.Must("grep -v link- /run/lessee/said"); got != "bound "+address+"\nstopping "+address {
		t.Errorf("%s", got)
	}
	if got := property(vm, "Result"); got != "success" {
		t.Errorf("the service ended with %s", got)
	}
	vm.Must("! pidof sleep")
}
