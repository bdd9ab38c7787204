package boot

import (
	"strings"
	"testing"
	"time"
)

func TestALinkMayHaveAServiceOfItsOwn(t *testing.T) {
	t.Parallel()
	i := withLessee(Systemd())
	i.Unit("lessee@.service", example(t, "systemd/lessee@.service"))
	i.Unit("lessee-wait-online@.service", example(t, "systemd/lessee-wait-online@.service"))
	i.Unit("online.service", online, "multi-user.target")
	vm := Start(t, Config{Image: i, Modules: modules, Setup: network + serveFor(time.Hour) + `
		ip link add br-lan type veth peer name br-lan netns server
		systemctl --root=/ enable lessee@lan0`})
	vm.Until("ls /run/online")
	if got := vm.Must("cat /run/online"); !strings.Contains(got, "inet 192.0.2.") {
		t.Errorf("who needs the network was started with %q", got)
	}
	vm.Must("systemctl start lessee@br-lan")
	if got := vm.Must("systemctl is-active lessee@lan0 lessee@br-lan lessee-wait-online@lan0"); got != "active\nactive\nactive" {
		t.Errorf("%s", got)
	}
	vm.Until("ip link show dev br-lan | grep UP") // by that name, and not br/lan
	vm.Must("systemctl stop lessee@br-lan && systemctl is-active lessee@lan0 && ls /run/lessee/control-lan0")
}

func TestTheServiceMayDoWithoutRoot(t *testing.T) {
	t.Parallel()
	i := shipped(t)
	i.File("/etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nlessee:x:900:900::/:/bin/false\n"))
	i.File("/etc/group", 0o644, []byte("root:x:0:\nlessee:x:900:\n"))
	i.File("/etc/systemd/system/lessee.service.d/unprivileged.conf", 0o644, []byte(example(t, "systemd/unprivileged.conf")))
	i.Link("/etc/resolv.conf", "/run/lessee/resolv.conf")
	vm := bound(t, i, time.Hour)
	vm.Must("grep 'nameserver 192.0.2.53' /etc/resolv.conf")
	if got := vm.Must("stat -c %U /proc/" + property(vm, "MainPID") + " /run/lessee /var/lib/lessee"); got != "lessee\nlessee\nlessee" {
		t.Errorf("owners: %s", got)
	}
	address := addressOf(vm)
	vm.Must(watch + "systemctl restart lessee")
	vm.Until(isBound)
	untouched(t, vm, address)
}

func TestTheServiceMayReachIntoNamespaces(t *testing.T) {
	t.Parallel()
	i := shipped(t)
	i.File("/etc/systemd/system/lessee.service.d/network-namespaces.conf", 0o644, []byte(example(t, "systemd/network-namespaces.conf")))
	i.File("/etc/lessee/lessee.toml", 0o644, []byte("[agent]\nlinks = [\"lan0@blue\"]\n"))
	vm := Start(t, Config{Image: i, Modules: modules, Setup: network + serveFor(time.Hour) + `
		ip netns add blue
		ip link set lan0 netns blue`})
	vm.Until("ip -n blue -4 -o address show dev lan0 | grep 192.0.2.")
	vm.Until("systemctl show --property=StatusText --value lessee | grep -F lan0@blue")
}
