package interop

import (
	"testing"
	"time"
)

// The agent knows the server: its lease says which.
func TestF8AgentWithALeaseInformsItsServerByUnicast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer(w.server, scripted())
	w.keep("eth0")
	w.reaches("eth0", "BOUND", 10*time.Second)
	w.sees(0, first...)
	if d := decoded[document](t, w.asked("inform", "eth0", "--format", "json")); d.Result != "informed" {
		t.Errorf("inform: %+v", d)
	}
	w.sees(4, "DHCPINFORM unicast from its address", "DHCPACK")
}
