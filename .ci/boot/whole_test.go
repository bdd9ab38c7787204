package boot

import "testing"

// serveWhole starts a server that says something of the host as a whole.
const serveWhole = `ip netns exec server dnsmasq --conf-file=/dev/null --user=root --port=0 --interface=lan0 --no-ping --dhcp-authoritative \
	--dhcp-leasefile=/run/leases --pid-file=/run/dnsmasq.pid --dhcp-range=192.0.2.100,192.0.2.120,255.255.255.0,600 \
	--dhcp-option-force=12,box --dhcp-option=42,192.0.2.123 --dhcp-option-force=101,Europe/Berlin
`

// whole is a host without a name, whose clock systemd-timesyncd keeps.
func whole(t *testing.T) *Image {
	t.Helper()
	i := shipped(t)
	i.File("/etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nsystemd-timesync:x:997:997::/:/bin/false\n"))
	i.File("/etc/group", 0o644, []byte("root:x:0:\nsystemd-timesync:x:997:\n"))
	i.Host("/lib/systemd/systemd-timesyncd", "/lib/systemd/system/systemd-timesyncd.service", "/lib/systemd/system/time-set.target")
	i.Link("/etc/systemd/system/multi-user.target.wants/systemd-timesyncd.service", "/lib/systemd/system/systemd-timesyncd.service")
	i.File("/etc/systemd/system/systemd-timesyncd.service.d/debug.conf", 0o644, []byte("[Service]\nEnvironment=SYSTEMD_LOG_LEVEL=debug\n"))
	i.Host("/usr/share/zoneinfo/tzdata.zi", "/usr/share/zoneinfo/Europe/Berlin")
	i.File("/etc/hostname", 0o644, []byte("localhost\n"))
	i.File("/etc/lessee/lessee.toml", 0o644, []byte(configuration+"\n[defaults]\naccept-time-servers = \"always\"\naccept-timezone = \"always\"\n"))
	return i
}

func TestTheServiceMayNameTheHostAndHandOnTimeServers(t *testing.T) {
	t.Parallel()
	i := whole(t)
	i.File("/etc/systemd/system/lessee.service.d/whole-host.conf", 0o644, []byte(example(t, "systemd/whole-host.conf")))
	vm := Start(t, Config{Image: i, Modules: modules, Setup: network + serveWhole})
	vm.Until(isBound)
	vm.Until(`[ "$(cat /proc/sys/kernel/hostname)" = box ] && [ "$(readlink /etc/localtime)" = /usr/share/zoneinfo/Europe/Berlin ]`)
	vm.Until("journalctl -u systemd-timesyncd | grep -F 192.0.2.123") // it has read its configuration again
	vm.Must("lessee release lan0")
	if got := vm.Must("cat /proc/sys/kernel/hostname; ls -d /etc/localtime /run/systemd/timesyncd.conf.d 2> /dev/null; true"); got != "localhost" {
		t.Errorf("left behind: %s", got)
	}
}

func TestAServiceThatMayNotNameTheHostSaysSoAndHasItsAddress(t *testing.T) {
	t.Parallel()
	vm := Start(t, Config{Image: whole(t), Modules: modules, Setup: network + serveWhole})
	vm.Until(isBound)
	vm.Until(`[ "$(readlink /etc/localtime)" = /usr/share/zoneinfo/Europe/Berlin ]`)
	if got := vm.Must("cat /proc/sys/kernel/hostname"); got != "localhost" {
		t.Errorf("it is called %s", got)
	}
	vm.Until("journalctl -u lessee | grep -F CAP_SYS_ADMIN")
	vm.Until("journalctl -u systemd-timesyncd | grep -F 192.0.2.123") // nobody needs more than root's name for that
}
