package boot

import "testing"

// withNetworkd adds systemd-networkd, to be started by the test.
func withNetworkd(i *Image) *Image {
	i.Host("/lib/systemd/systemd-networkd", "/lib/systemd/system/systemd-networkd.service")
	// It waits for udev to know a link, unless /sys cannot be written to.
	i.File("/etc/systemd/system/systemd-networkd.service.d/no-udev.conf", 0o644, []byte("[Service]\nReadOnlyPaths=/sys\n"))
	i.File("/etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nsystemd-network:x:998:998::/:/bin/false\n"))
	i.File("/etc/group", 0o644, []byte("root:x:0:\nsystemd-network:x:998:\n"))
	return i
}

// besideNetworkd has systemd-networkd take lan0, as whose second manager it is
// to be told of, and let it go again.
func besideNetworkd(t *testing.T, vm *VM) {
	t.Helper()
	take := func(sections, state string) {
		t.Helper()
		vm.Must("mkdir -p /run/systemd/network; printf '[Match]\\nName=lan0\\n" + sections + "' > /run/systemd/network/10-lan0.network")
		vm.Must("systemctl restart systemd-networkd")
		vm.Until("grep -x ADMIN_STATE=" + state + " /run/systemd/netif/links/$(cat /sys/class/net/lan0/ifindex)")
		vm.Must("lessee renew lan0")
	}
	const told = "systemd-networkd configures it too, by /run/systemd/network/10-lan0.network"
	take("[Network]\\nLinkLocalAddressing=no\\n", "configured")
	vm.Until("lessee status lan0 | grep -F '" + told + "'")
	vm.Until("journalctl --no-pager -u lessee PRIORITY=4 | grep -F '" + told + "'")
	take("[Link]\\nUnmanaged=yes\\n", "unmanaged")
	vm.Until("lessee status lan0 > /run/status && ! grep networkd /run/status")
}
