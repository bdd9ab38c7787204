package resolvtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
<type>system</type>
<listen>unix:path=/run/dbus/system_bus_socket</listen>
<auth>EXTERNAL</auth>
<policy context="default">
<allow user="*"/> <allow own="*"/> <allow send_type="method_call"/> <allow send_type="signal"/>
<allow send_requested_reply="true" send_type="method_return"/> <allow send_requested_reply="true" send_type="error"/>
<allow receive_type="method_call"/> <allow receive_type="method_return"/> <allow receive_type="error"/> <allow receive_type="signal"/>
%s
</policy>
</busconfig>
`

// Resolved starts a system bus and a systemd-resolved, and waits until that
// knows the links. More rules of the bus's policy may be given, such as
// <deny …/>.
func (h *Host) Resolved(policy string) {
	h.t.Helper()
	dir := h.unpacked("systemd-resolved")
	h.Append("/etc/passwd", "systemd-resolve:x:990:990::/:/usr/sbin/nologin\n")
	h.Append("/etc/group", "systemd-resolve:x:990:\n")
	h.bus(policy)
	log, err := os.Create("/run/resolved.log")
	h.must(err)
	defer log.Close()
	cmd := exec.Command(dir + "/lib/systemd/systemd-resolved")
	cmd.Stdout, cmd.Stderr = log, log
	h.Machine.Run(cmd)
	h.t.Cleanup(func() {
		if text, err := os.ReadFile("/run/resolved.log"); err == nil && h.t.Failed() {
			h.t.Logf("systemd-resolved: %s", text)
		}
	})
	for _, link := range h.links { // it hears of them by and by
		h.Await("systemd-resolved", func() error {
			out, err := h.try(dir+"/usr/bin/resolvectl", "dns", link)
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			return err
		})
	}
}

func (h *Host) bus(policy string) {
	h.t.Helper()
	h.must(errors.Join(os.MkdirAll("/run/dbus", 0o755), os.MkdirAll("/run/systemd", 0o755),
		os.WriteFile("/run/bus.conf", fmt.Appendf(nil, busConfig, policy), 0o644)))
	cmd := exec.Command("dbus-daemon", "--config-file=/run/bus.conf", "--nofork", "--nopidfile", "--print-address=1")
	out, err := cmd.StdoutPipe()
	h.must(err)
	h.Machine.Run(cmd)
	if _, err := out.Read(make([]byte, 1)); err != nil { // it is ready
		h.t.Fatalf("dbus-daemon: %v", err)
	}
}

// Resolvectl asks systemd-resolved by its own tool, and returns the value that
// it prints for a link: "dns eth0", "domain eth0", "default-route eth0" and the
// like; with arguments, "dns eth0 203.0.113.1", it sets one.
func (h *Host) Resolvectl(args string) string {
	h.t.Helper()
	out := h.Run(h.unpacked("systemd-resolved")+"/usr/bin/resolvectl", strings.Fields(args)...)
	_, value, found := strings.Cut(out, "): ")
	if !found {
		return ""
	}
	return strings.TrimSpace(value)
}

// State is all that resolves names on the host: what systemd-resolved has for
// its links, what resolvconf keeps, and resolv.conf.
func (h *Host) State() string {
	h.t.Helper()
	text := h.Files("/run/systemd/resolve/netif", "/run/resolvconf", "/etc/resolv.conf")
	if resolved, err := os.ReadFile("/etc/resolv.conf"); err == nil { // where a link leads
		text += string(resolved)
	}
	if _, err := os.Stat("/run/resolved.log"); err != nil {
		return text
	}
	for line := range strings.Lines(h.Run(h.unpacked("systemd-resolved")+"/usr/bin/resolvectl", "status", "--no-pager")) {
		if !strings.Contains(line, "Current DNS Server") { // whom it asked last
			text += line
		}
	}
	return text
}

// Tools is the folder that resolvectl is in, for commands that need to find it.
func (h *Host) Tools() string {
	h.t.Helper()
	return h.unpacked("systemd-resolved") + "/usr/bin"
}
