package boot

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The programs that guests run, built for the whole of the tests.
var programs struct{ lessee, server []byte }

func TestMain(m *testing.M) {
	var err error
	if programs.lessee, err = build("../../cmd/lessee"); err == nil {
		programs.server, err = build("./server")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// build builds a program as it is shipped.
func build(pkg string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "boot-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "program")
	if out, err := exec.Command("../build", path, pkg).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return os.ReadFile(path)
}

// examples is where the files are that users install.
const examples = "../../examples/init/"

// example reads one of them.
func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(examples + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// withLessee adds the program and what the tests' own network needs.
func withLessee(i *Image) *Image {
	i.File("/usr/sbin/lessee", 0o755, programs.lessee)
	i.File("/usr/sbin/server", 0o755, programs.server)
	i.Programs("ip", "ping", "dnsmasq")
	return i
}

// modules are what the tests' own network needs of the kernel.
var modules = []string{"veth"}

// network makes lan0, whose other end is with a server in a namespace that does
// not serve yet.
const network = `
ip netns add server
ip link add lan0 type veth peer name lan0 netns server
ip -n server address add 192.0.2.1/24 dev lan0
ip -n server link set lo up
ip -n server link set lan0 up
`

// serveFor starts the server, with leases of that time. What it hears is in
// /run/server.
func serveFor(lease time.Duration) string { return serveAndRenew(lease, 0) }

// serveAndRenew also tells clients when to renew.
func serveAndRenew(lease, renewal time.Duration) string {
	return fmt.Sprintf("ip netns exec server server -lease %v -renewal %v > /run/server 2>&1 &\n", lease, renewal)
}
