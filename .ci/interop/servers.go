// Package interop holds lessee, as a binary, against servers that others
// wrote: dnsmasq, Kea and ISC dhcpd, in network namespaces. It is for CI: a
// server that is not installed is a failure.
package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/nettest"
)

// A Network is what a server gives out.
type Network struct {
	Prefix      netip.Prefix
	First, Last netip.Addr
	Seconds     int // lease time; dnsmasq gives no less than 120
	T1, T2      int // in seconds; 0: as the server likes
	Router      netip.Addr
	DNS         netip.Addr
	Domain      string
	Routes      []dhcp4.Route // option 121; nil: none
	Behind      netip.Prefix  // the server's own network, if a relay is between; the zero Prefix: none
}

// A Server is a program that can serve a network on a host's eth0, or at the
// end of its relays.
type Server struct {
	Name string
	// Command writes configuration into dir and returns the command, and
	// what the program says when it is ready.
	Command func(dir string, n Network) (args []string, ready string, err error)
}

// Servers are all that lessee must get along with.
var Servers = []Server{{"dnsmasq", dnsmasq}, {"kea", kea}, {"dhcpd", dhcpd}}

func dnsmasq(dir string, n Network) ([]string, string, error) {
	args := []string{
		"dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--user=root", "--port=0",
		"--interface=eth0", "--no-ping", "--dhcp-authoritative", "--log-dhcp",
		"--dhcp-leasefile=" + filepath.Join(dir, "leases"), "--pid-file=" + filepath.Join(dir, "pid"),
		fmt.Sprintf("--dhcp-range=%v,%v,%v,%d", n.First, n.Last, mask(n.Prefix), n.Seconds),
		fmt.Sprintf("--dhcp-option=3,%v", n.Router),
		fmt.Sprintf("--dhcp-option=6,%v", n.DNS),
		"--dhcp-option=15," + n.Domain,
	}
	if n.T1 != 0 {
		args = append(args, fmt.Sprintf("--dhcp-option-force=option:T1,%d", n.T1), fmt.Sprintf("--dhcp-option-force=option:T2,%d", n.T2))
	}
	if n.Routes != nil {
		option := "--dhcp-option=121"
		for _, r := range n.Routes {
			option += fmt.Sprintf(",%v,%v", r.Dest, r.Gateway)
		}
		args = append(args, option)
	}
	return args, "DHCP, IP range", nil
}

func kea(dir string, n Network) ([]string, string, error) {
	type object = map[string]any
	options := []object{
		{"name": "routers", "data": n.Router.String()},
		{"name": "domain-name-servers", "data": n.DNS.String()},
		{"name": "domain-name", "data": n.Domain},
	}
	if n.Routes != nil {
		options = append(options, object{"code": 121, "space": "dhcp4", "csv-format": false, "data": fmt.Sprintf("%X", routes(n))})
	}
	daemon := object{
		"interfaces-config": object{"interfaces": []string{"eth0"}, "dhcp-socket-type": "raw"},
		"lease-database":    object{"type": "memfile", "persist": false},
		"valid-lifetime":    n.Seconds, "authoritative": true,
		"subnet4": []object{{
			"id": 1, "subnet": n.Prefix.Masked().String(), "option-data": options,
			"pools": []object{{"pool": fmt.Sprintf("%v - %v", n.First, n.Last)}},
		}},
		"loggers": []object{{"name": "kea-dhcp4", "severity": "DEBUG", "debuglevel": 50, "output_options": []object{{"output": "stdout", "flush": true}}}},
	}
	if n.T1 != 0 {
		daemon["renew-timer"], daemon["rebind-timer"] = n.T1, n.T2
	}
	b, err := json.Marshal(object{"Dhcp4": daemon})
	if err != nil {
		return nil, "", err
	}
	path := filepath.Join(dir, "kea.json")
	return []string{"env", "KEA_PIDFILE_DIR=" + dir, "KEA_LOCKFILE_DIR=" + dir, "kea-dhcp4", "-c", path}, "DHCP4_STARTED", os.WriteFile(path, b, 0o644)
}

func dhcpd(dir string, n Network) ([]string, string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "authoritative; ping-check false;\ndefault-lease-time %d; max-lease-time %d;\n", n.Seconds, n.Seconds)
	fmt.Fprintf(&b, "option classless code 121 = array of unsigned integer 8;\n")
	fmt.Fprintf(&b, "subnet %v netmask %v {\n  range %v %v;\n  option routers %v;\n  option domain-name-servers %v;\n  option domain-name %q;\n",
		n.Prefix.Masked().Addr(), mask(n.Prefix), n.First, n.Last, n.Router, n.DNS, n.Domain)
	if n.T1 != 0 {
		fmt.Fprintf(&b, "  option dhcp-renewal-time %d;\n  option dhcp-rebinding-time %d;\n", n.T1, n.T2)
	}
	if n.Routes != nil {
		fmt.Fprintf(&b, "  option classless %s;\n", strings.Join(strings.Fields(strings.Trim(fmt.Sprint(routes(n)), "[]")), ", "))
	}
	b.WriteString("}\n")
	if n.Behind.IsValid() { // it must know of its own network, though it serves another
		fmt.Fprintf(&b, "subnet %v netmask %v {}\n", n.Behind.Addr(), mask(n.Behind))
	}
	conf, leases := filepath.Join(dir, "dhcpd.conf"), filepath.Join(dir, "leases")
	f, err := os.OpenFile(leases, os.O_CREATE|os.O_WRONLY, 0o644) // one that is there stays
	if err != nil {
		return nil, "", err
	}
	if err := f.Close(); err != nil {
		return nil, "", err
	}
	return []string{"dhcpd", "-f", "-d", "-cf", conf, "-lf", leases, "-pf", filepath.Join(dir, "pid"), "eth0"}, "Server starting service", os.WriteFile(conf, []byte(b.String()), 0o644)
}

// relay joins the network of its link eth0 to the server behind its eth1.
func relay(server netip.Addr) (args []string, ready string) {
	return []string{"dhcrelay", "-4", "-d", "--no-pid", "-id", "eth0", "-iu", "eth1", server.String()}, "Socket/fallback"
}

func mask(p netip.Prefix) netip.Addr {
	var o dhcp4.Options
	if err := dhcp4.SubnetMask.Put(&o, p.Bits()); err != nil {
		panic(err)
	}
	v, _ := o.Lookup(dhcp4.SubnetMask.Code)
	return netip.AddrFrom4([4]byte(v))
}

func routes(n Network) []byte {
	var o dhcp4.Options
	if err := dhcp4.ClasslessRoutes.Put(&o, n.Routes); err != nil {
		panic(err)
	}
	v, _ := o.Lookup(dhcp4.ClasslessRoutes.Code)
	return v
}

// A Process is a running program and what it says.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu   sync.Mutex
	log  bytes.Buffer
	said chan struct{} // closed and made anew with each word
}

// readyLimit bounds how long a program may take to begin its work.
const readyLimit = 20 * time.Second

// Start runs a program on a host until the end of the test, and returns when it
// has said that it is ready.
func Start(t *testing.T, h *nettest.Machine, args []string, ready string) *Process {
	t.Helper()
	p := &Process{cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{}), said: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := h.Start(p.cmd); err != nil {
		t.Fatalf("%s: %v", args[0], err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // it is killed in the end
	}()
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", args[0], p.Log())
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), readyLimit)
	defer cancel()
	if !p.WaitFor(ctx, ready) {
		t.Fatalf("%s is not ready:\n%s", args[0], p.Log())
	}
	return p
}

// Write takes what the program says.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.said)
	p.said = make(chan struct{})
	return p.log.Write(b)
}

// Log returns everything said so far.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// WaitFor returns whether the program said text before ctx ended.
func (p *Process) WaitFor(ctx context.Context, text string) bool {
	for {
		p.mu.Lock()
		said, has := p.said, strings.Contains(p.log.String(), text)
		p.mu.Unlock()
		if has {
			return true
		}
		select {
		case <-said:
		case <-p.done:
			return strings.Contains(p.Log(), text)
		case <-ctx.Done():
			return false
		}
	}
}

// Stop ends the program.
func (p *Process) Stop() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}
