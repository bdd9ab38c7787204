package interop

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/nettest"
)

// Scripts that were made for other clients, called by lessee: Debian's own, as
// they are installed, and what they get compared with what their own clients
// give them.

// A privateHost is a world whose client has an /etc and a host name of its own,
// so that scripts which know no other place may write there.
type privateHost struct {
	*world
	etc string
	srv *dhcptest.Server
}

// offers is what the server says.
var offers = []string{
	"routers=192.0.2.1", "domain-name-servers=192.0.2.53,192.0.2.54", "domain-name=interop.example",
	"domain-search=a.example,b.example", "interface-mtu=1400", "ntp-servers=192.0.2.9", "broadcast-address=192.0.2.255",
}

func newPrivateHost(t *testing.T, options ...string) *privateHost {
	t.Helper()
	h := &privateHost{world: newWorld(t)}
	h.etc = filepath.Join(h.dir, "etc")
	if out, err := exec.Command("cp", "-a", "/etc", h.etc).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_ = os.Remove(h.file("resolv.conf")) // it may be a link
	h.write("resolv.conf", operators)
	h.srv = h.answer(h.server, dhcptest.Config{Options: dhcptest.MustOptions(options...), ForceOptions: true, First: network.First, Last: network.Last})
	return h
}

func (h *privateHost) file(name string) string { return filepath.Join(h.etc, name) }

func (h *privateHost) write(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(h.file(name), []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h *privateHost) read(path string) string {
	h.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Fatal(err)
	}
	return string(b)
}

// command is a program on the client, with the private /etc and a host name
// that is nobody's.
func (h *privateHost) command(ctx context.Context, args ...string) *exec.Cmd {
	wrapped := append([]string{"-euc", `mount --bind "$0" /etc; hostname localhost; exec "$@"`, h.etc}, args...)
	cmd := exec.CommandContext(ctx, "sh", wrapped...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWUTS}
	return cmd
}

// lessee is a command line of lessee's.
func (h *privateHost) line(args ...string) []string {
	return append(append([]string{binary}, args...), "--config", "none", "--state-dir", h.dir, "--run-dir", h.dir, "--hooks-dir", "none", "--log-level", "debug")
}

// do runs a program on the client to its end and returns what it said.
func (h *privateHost) do(args ...string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	cmd := h.command(ctx, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.client.Start(cmd); err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		h.t.Fatalf("%q: %v\n%s", args, err, &out)
	}
	return out.String()
}

// configured checks that the link holds what the server says, as far as both
// scripts do it.
func (h *privateHost) configured() netip.Addr {
	h.t.Helper()
	addrs := h.client.AddrsOf("eth0")
	if len(addrs) != 1 || addrs[0].Prefix.Bits() != 24 || !network.Prefix.Contains(addrs[0].Prefix.Addr()) {
		h.t.Fatalf("addresses: %v", addrs)
	}
	if r := h.client.RoutesOf(); !slices.ContainsFunc(r, func(s string) bool { return strings.HasPrefix(s, "default via 192.0.2.1 dev eth0") }) {
		h.t.Errorf("routes: %q", r)
	}
	if mtu, err := h.client.MTU("eth0"); err != nil || mtu != 1400 {
		h.t.Errorf("MTU %d, %v", mtu, err)
	}
	text := h.read(h.file("resolv.conf"))
	for _, want := range []string{"nameserver 192.0.2.53\n", "nameserver 192.0.2.54\n", "interop.example"} {
		if !strings.Contains(text, want) {
			h.t.Errorf("resolv.conf has no %q:\n%s", want, text)
		}
	}
	return addrs[0].Prefix.Addr()
}

// unconfigured checks that nothing is left on the link, and that the host's own
// /etc was not touched.
func (h *privateHost) unconfigured() {
	h.t.Helper()
	if a, r := h.client.AddrsOf("eth0"), h.client.RoutesOf(); len(a) != 0 || len(r) != 0 {
		h.t.Errorf("left behind: %v, %q", a, r)
	}
	left, err := filepath.Glob(filepath.Join(h.dir, "*.script.json*"))
	if err != nil || len(left) != 0 {
		h.t.Errorf("left behind: %q, %v", left, err)
	}
}

// follow has Debian's dhclient-script write down each call in its hook folders.
func (h *privateHost) follow() {
	for _, folder := range []string{"enter", "exit"} {
		h.write("dhcp/dhclient-"+folder+"-hooks.d/zz-test",
			`echo "`+folder+` $reason $interface ${old_ip_address:+old} ${new_ip_address:+new}" >> `+h.dir+"/calls\n")
	}
}

// calls are the reasons that dhclient-script was called for since the last time,
// each seen by both of its folders.
func (h *privateHost) calls() (out []string) {
	h.t.Helper()
	lines := strings.Split(strings.TrimSpace(h.read(filepath.Join(h.dir, "calls"))), "\n")
	if err := os.Remove(filepath.Join(h.dir, "calls")); err != nil {
		h.t.Error(err)
	}
	for i := 0; i+1 < len(lines); i += 2 {
		enter, exit := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		if enter[0] != "enter" || exit[0] != "exit" || !slices.Equal(enter[1:], exit[1:]) {
			h.t.Fatalf("calls: %q", lines)
		}
		out = append(out, strings.Join(enter[1:], " "))
	}
	return out
}

func TestDebiansScriptsConfigureAndUnconfigureALink(t *testing.T) {
	before, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		t.Fatal(err)
	}
	for _, style := range []string{"udhcpc", "dhclient"} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			h := newPrivateHost(t, offers...)
			h.follow()
			plan := h.do(h.line("acquire", "eth0", "--dry-run", "--hook-style", style)...)
			if !strings.Contains(plan, "would run /") || strings.Contains(plan, "would ip ") {
				t.Errorf("the plan:\n%s", plan)
			}
			h.do(h.line("acquire", "eth0", "--hook-style", style)...)
			first := h.configured()
			h.do(h.line("renew", "eth0", "--hook-style", style)...)
			h.do(h.line("rebind", "eth0", "--hook-style", style)...)
			h.do(h.line("acquire", "eth0", "--hook-style", style)...)
			if again := h.configured(); again != first {
				t.Errorf("%v became %v", first, again)
			}
			h.do(h.line("release", "eth0", "--hook-style", style)...)
			h.unconfigured()
			if style == "dhclient" {
				want := []string{"PREINIT eth0", "BOUND eth0 new", "RENEW eth0 old new", "REBIND eth0 old new", "REBOOT eth0 new", "RELEASE eth0 old"}
				if got := h.calls(); !slices.Equal(got, want) {
					t.Errorf("called for %q, want %q", got, want)
				}
			}
		})
	}
	t.Cleanup(func() {
		if after, err := os.ReadFile("/etc/resolv.conf"); err != nil || !bytes.Equal(before, after) {
			t.Errorf("the host's own resolv.conf is %q, %v", after, err)
		}
	})
}

func TestDebiansDhclientScriptAddsClasslessRoutes(t *testing.T) {
	t.Parallel()
	h := newPrivateHost(t, append([]string{"classless-static-routes=10.0.0.0/8 via 192.0.2.2,0.0.0.0/0 via 192.0.2.1"}, offers...)...)
	h.do(h.line("acquire", "eth0", "--hook-style", "dhclient")...)
	h.configured()
	if r := h.client.RoutesOf(); !slices.ContainsFunc(r, func(s string) bool { return strings.HasPrefix(s, "10.0.0.0/8 via 192.0.2.2 dev eth0") }) {
		t.Errorf("routes: %q", r)
	}
	h.do(h.line("release", "eth0", "--hook-style", "dhclient")...)
	h.unconfigured()
}

// An agent that is killed leaves the address; the next one knows that it is
// there, and takes it away when it is told to.
func TestAnAgentTakesOverWhatAScriptConfigured(t *testing.T) {
	for _, style := range []string{"udhcpc", "dhclient"} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			h := newPrivateHost(t, offers...)
			h.follow()
			first := h.agent(style)
			h.await("eth0 BOUND")
			addr := h.configured()
			if err := first.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = first.Wait() // killed
			if h.configured() != addr {
				t.Error("the address went with the agent")
			}
			second := h.agent(style)
			h.await("eth0 BOUND")
			if h.configured() != addr {
				t.Error("the address changed")
			}
			if style == "dhclient" {
				if got, want := h.calls(), []string{"PREINIT eth0", "BOUND eth0 new", "REBOOT eth0 new"}; !slices.Equal(got, want) {
					t.Errorf("called for %q, want %q", got, want)
				}
			}
			h.srv.On(dhcp4.Request, dhcptest.First(1, dhcptest.NAK("not here")))
			h.refused("renew", "eth0")
			h.await("eth0 BOUND")
			h.configured()
			if err := second.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := second.Wait(); err != nil {
				t.Error(err)
			}
			h.unconfigured()
			if style == "dhclient" {
				if got, want := h.calls(), []string{"EXPIRE eth0 old", "BOUND eth0 new", "STOP eth0 old"}; !slices.Equal(got, want) {
					t.Errorf("called for %q, want %q", got, want)
				}
			}
		})
	}
}

// agent starts the agent, which ends with the test.
func (h *privateHost) agent(style string) *exec.Cmd {
	h.t.Helper()
	cmd := h.command(context.Background(), h.line("run", "eth0", "--hook-style", style, "--on-stop", "withdraw")...)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := h.client.Start(cmd); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		if h.t.Failed() {
			h.t.Logf("the agent's log:\n%s", &log)
		}
	})
	return cmd
}

// await waits until the agent says so of its links.
func (h *privateHost) await(status string) {
	h.t.Helper()
	var out string
	for range 400 {
		ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
		cmd := exec.CommandContext(ctx, binary, "status", "--config", "none", "--run-dir", h.dir)
		var b bytes.Buffer
		cmd.Stdout = &b
		err := h.client.Start(cmd)
		if err == nil {
			_ = cmd.Wait() // there may be no agent yet
		}
		cancel()
		if out = strings.Join(strings.Fields(b.String()), " "); err == nil && strings.Contains(out, status) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	h.t.Fatalf("status: %s", out)
}

// refused runs a command of the agent's that is to fail.
func (h *privateHost) refused(args ...string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append(args, "--config", "none", "--run-dir", h.dir)...)
	if err := h.client.Start(cmd); err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		h.t.Errorf("lessee %q was not refused", args)
	}
}

// dump is a script that writes down how it is called, a file for each reason,
// and gives the link its address, which lessee and dhclient want to be there.
const dump = `#!/bin/sh
env > "OUT/${reason-}${1-}"
[ -z "${ip-}${new_ip_address-}" ] || ip addr replace "${ip-}${new_ip_address-}/24" dev "$interface"
[ "${1-}" != deconfig ] && [ "${reason-}" != RELEASE ] || ip addr flush dev "$interface"
`

// variables reads what a script wrote down. Of the address and what follows
// from it nobody gets the same twice.
func (h *privateHost) variables(reason string) map[string]string {
	h.t.Helper()
	path := filepath.Join(h.dir, reason)
	text := h.read(path)
	if err := os.Remove(path); err != nil {
		h.t.Fatalf("%s: %v", reason, err)
	}
	out := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		out[name] = value
	}
	for _, own := range []string{
		"PATH", "LANG", "PWD", "OLDPWD", "SHLVL", "_", // of whoever called it
		"ip", "new_ip_address", "old_ip_address", "new_expiry", "old_expiry", // no two are the same
	} {
		delete(out, own)
	}
	return out
}

// same compares what lessee tells a script with what the script's own client
// does. In differ is why they are not the same.
func same(t *testing.T, reason string, theirs, ours map[string]string, differ map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		if _, known := differ[name]; !known && ours[name] != theirs[name] {
			t.Errorf("%s: %s is %q, want %q", reason, name, ours[name], theirs[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if _, there := theirs[name]; !there && differ[name] == "" {
			t.Errorf("%s: %s is %q, and not told by the script's own client", reason, name, ours[name])
		}
	}
}

// named are the options that udhcpc knows by name, and a few that it does not. It
// takes no more than a message without overload has room for.
var named = append([]string{
	"time-offset=3600", "root-path=/srv/root", "ip-forwarding=true", "default-ip-ttl=64", "static-routes=198.51.100.7 via 192.0.2.2",
	"netbios-name-servers=192.0.2.3", "netbios-node-type=8", "tftp-server-name=b.example", "bootfile-name=boot.img", "host-name=host-1",
	"nis-domain=nis.example", "smtp-server=192.0.2.4", "dhcp-renewal-time=1800", "dhcp-rebinding-time=3000", "posix-timezone=EST5EDT",
	"lpr-servers=192.0.2.5", "boot-size=7", "swap-server=192.0.2.5", "nis-servers=192.0.2.5", "tzdb-timezone=Europe/Paris",
	"classless-static-routes=10.0.0.0/8 via 192.0.2.2,192.0.2.128/25 via 192.0.2.3,0.0.0.0/0 via 192.0.2.1",
}, offers...)

// everyOption has options of every form.
var everyOption = append([]string{
	"time-servers=192.0.2.5,192.0.2.6", "ien116-name-servers=192.0.2.5", "log-servers=192.0.2.5", "cookie-servers=192.0.2.5",
	"impress-servers=192.0.2.5", "resource-location-servers=192.0.2.5", "merit-dump=dump", "extensions-path=/x",
	"non-local-source-routing=false", "max-dgram-reassembly=600", "path-mtu-aging-timeout=600", "path-mtu-plateau-table=68,1500", "all-subnets-local=true",
	"router-solicitation-address=192.0.2.5", "arp-cache-timeout=60", "default-tcp-ttl=64", "vendor-encapsulated-options=0x010203",
	"netbios-scope=scope", "font-servers=192.0.2.5", "nisplus-domain=plus.example", "pop-server=192.0.2.5", "irc-server=192.0.2.5",
	"captive-portal=http://portal.example/x", "tftp-servers=192.0.2.5", "pxelinux-configfile=cfg", "pxelinux-pathprefix=/pxe/", "pxelinux-reboottime=60",
}, named...)

// boots is what a server says in the fixed fields of its messages for hosts that
// boot from the network.
var boots = dhcptest.Mutate(func(m *dhcp4.Message) { m.SIAddr, m.File = netip.MustParseAddr("192.0.2.9"), "boot.img" })

func (h *privateHost) dumper() string {
	path := filepath.Join(h.dir, "scripts", "dump")
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	nettest.Executable(h.t, path, strings.ReplaceAll(dump, "OUT", h.dir))
	return path
}

func TestAScriptOfUdhcpcsGetsWhatUdhcpcTells(t *testing.T) {
	t.Parallel()
	h := newPrivateHost(t, named...)
	h.srv.Always(boots)
	script := h.dumper()
	h.do("env", "-i", "PATH="+os.Getenv("PATH"), "udhcpc", "-i", "eth0", "-s", script, "-n", "-q", "-f", "-R")
	theirs := map[string]map[string]string{"deconfig": h.variables("deconfig"), "bound": h.variables("bound")}
	h.do(h.line("acquire", "eth0", "--hook-style", "udhcpc", "--hook-script", script)...)
	for _, reason := range []string{"deconfig", "bound"} {
		same(t, reason, theirs[reason], h.variables(reason), nil)
	}
	h.do(h.line("renew", "eth0", "--hook-style", "udhcpc", "--hook-script", script)...)
	same(t, "renew", theirs["bound"], h.variables("renew"), nil)
	h.do(h.line("release", "eth0", "--hook-style", "udhcpc", "--hook-script", script)...)
	same(t, "deconfig", theirs["deconfig"], h.variables("deconfig"), nil)
}

func TestAScriptOfDhclientsGetsWhatDhclientTells(t *testing.T) {
	t.Parallel()
	h := newPrivateHost(t, everyOption...)
	h.srv.Always(boots)
	script := h.dumper()
	conf := filepath.Join(h.dir, "dhclient.conf")
	// As Debian's own has it.
	if err := os.WriteFile(conf, []byte("option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	theirClient := []string{"-4", "-cf", conf, "-sf", script, "-lf", filepath.Join(h.dir, "dhclient.leases"), "-pf", filepath.Join(h.dir, "dhclient.pid"), "eth0"}
	h.do(append([]string{"dhclient", "-1"}, theirClient...)...)
	h.do(append([]string{"dhclient", "-r"}, theirClient...)...)
	theirs := map[string]map[string]string{}
	for _, reason := range []string{"PREINIT", "BOUND", "RELEASE"} {
		theirs[reason] = h.variables(reason)
	}
	differ := map[string]string{
		"pid": "dhclient's own", "dad_wait_time": "it is of IPv6",
		"old_next_server":            "dhclient does not keep it for a later process",
		"new_dhcp_client_identifier": "dhclient sends none by itself", "old_dhcp_client_identifier": "the same",
	}
	for _, set := range theirs {
		for name := range set {
			if strings.HasPrefix(name, "requested_") {
				differ[name] = "what was asked for is no configuration"
			}
		}
	}
	h.do(h.line("acquire", "eth0", "--hook-style", "dhclient", "--hook-script", script)...)
	h.do(h.line("release", "eth0", "--hook-style", "dhclient", "--hook-script", script)...)
	for _, reason := range []string{"PREINIT", "BOUND", "RELEASE"} {
		same(t, reason, theirs[reason], h.variables(reason), differ)
	}
}
