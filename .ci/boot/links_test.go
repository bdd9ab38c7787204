package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The kernel of a machine that runs tests may lack kinds of links that package
// netconf has tests for; Debian's has them.
func TestNetconfOnAKernelWithVRFsAndWireGuard(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "netconf.test")
	cmd := exec.Command("go", "test", "-c", "-o", path, "../../netconf")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := NewImage()
	i.File("/root/netconf.test", 0o755, program)
	i.Programs("ip")
	vm := Start(t, Config{Image: i, Modules: []string{"veth", "bridge", "vrf", "wireguard"}, Init: []string{"/bin/busybox", "sleep", "1000"}})
	out := vm.Must("CI=1 TMPDIR=/tmp /root/netconf.test -test.v -test.timeout=5m -test.run='VRF|WireGuard|EachAnswersForItself|WithoutRules'")
	t.Logf("after %v:\n%s", vm.Age().Round(time.Second), out)
	if strings.Contains(out, "THIS KERNEL HAS NO") || strings.Count(out, "--- PASS") != 4 {
		t.Error("not everything was shown")
	}
}
