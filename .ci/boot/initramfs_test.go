package boot

import (
	"slices"
	"strings"
	"testing"
)

// drivers are what a card of QEMU's needs of the kernel.
var drivers = []string{"virtio_net", "virtio_pci"}

// cards are cards on networks of QEMU's own, one each: 10.0.2.0/24, 10.0.3.0/24
// and so on. The host has .15 there, the router .2, and the name server .3.
func cards(n int) (args []string) {
	for i := range n {
		third := string(rune('2' + i))
		args = append(args, "-nic", "user,model=virtio-net-pci,ipv6=off,net=10.0."+third+".0/24,mac=52:54:00:12:34:0"+third)
	}
	return args
}

// initramfs is a system that has busybox and lessee, and nothing else.
func initramfs() *Image {
	i := NewImage()
	i.File("/usr/sbin/lessee", 0o755, programs.lessee)
	return i
}

// boots is a first process that configures the network.
func boots(args string) []string {
	return []string{"/bin/sh", "-c", "lessee acquire --boot " + args + " > /run/said 2>&1; echo $? > /run/code.part; mv /run/code.part /run/code; exec sleep 1000"}
}

// hasBooted waits until that has been tried, and returns what it said.
func hasBooted(vm *VM) string {
	vm.t.Helper()
	code := vm.Until("cat /run/code")
	said := vm.Must("cat /run/said")
	if code != "0" {
		vm.t.Fatalf("exit %s\n%s", code, said)
	}
	return said
}

// isOn checks that a link is configured as a network of QEMU's wants it.
func isOn(vm *VM, link, network string) {
	vm.t.Helper()
	for script, want := range map[string]string{
		"ip -4 -o address show dev " + link:                                                            " inet " + network + ".15/24 ",
		"ip -4 route show default dev " + link:                                                         "default via " + network + ".2 ",
		"ping -c 1 -w 60 -I " + link + " " + network + ".2":                                            " 0% packet loss",
		"cat /etc/resolv.conf":                                                                         "nameserver " + network + ".3\n",
		". /run/net-" + link + ".conf; echo $DEVICE $PROTO $IPV4ADDR":                                  link + " dhcp " + network + ".15\n",
		". /run/net-" + link + ".conf; echo $IPV4NETMASK $IPV4GATEWAY $IPV4DNS0 $IPV4DNS1 $ROOTSERVER": "255.255.255.0 " + network + ".2 " + network + ".3 0.0.0.0 " + network + ".2\n",
	} {
		if out, code := vm.Run(script); code != 0 || !strings.Contains(out, want) {
			vm.t.Errorf("%s: exit %d, no %q in\n%s", script, code, want, out)
		}
	}
}

func TestAnInitramfsIsOnTheNetwork(t *testing.T) {
	t.Parallel()
	vm := Start(t, Config{
		Image: initramfs(), Modules: drivers, QEMU: cards(1), Init: boots(""),
		// The command line asks for DHCP, and the kernel has no randomness.
		Cmdline: "ip=:::::eth0:dhcp random.trust_cpu=off random.trust_bootloader=off",
		Setup:   "date -u -s @86400", // the clock's battery is empty
	})
	said := hasBooted(vm)
	t.Logf("bound after %v\n%s", vm.Age(), said)
	isOn(vm, "eth0", "10.0.2")
	if !strings.Contains(said, "eth0: bound, 10.0.2.15/24 from 10.0.2.2") {
		t.Errorf("%s", said)
	}
}

func TestAnInitramfsWithTwoCards(t *testing.T) {
	t.Parallel()
	vm := Start(t, Config{
		Image: initramfs(), Modules: drivers, QEMU: cards(2), Init: boots("--boot-wait first"),
		Setup: "mount -o remount,ro /", // no /etc, no /var
	})
	said := hasBooted(vm)
	if !strings.Contains(said, "the resolver is not configured") {
		t.Errorf("nothing is said of a disk that is read-only:\n%s", said)
	}
	links := strings.Fields(vm.Must("ip -4 -o address show up scope global | awk '{print $2}'"))
	up := strings.Fields(vm.Must("ip -o link show up | sed -n 's/^[0-9]*: \\(eth[0-9]*\\).*/\\1/p'"))
	told := strings.Fields(vm.Must("cd /run; ls net-*.conf | sed 's/net-\\(.*\\).conf/\\1/'"))
	if len(links) != 1 || !slices.Equal(links, up) || !slices.Equal(links, told) {
		t.Fatalf("configured %v, up %v, told %v, want one and the same\n%s", links, up, told, said)
	}
	vm.Must("mount -o remount,rw /; lessee release " + links[0] + " && rm /run/net-*.conf && [ -z \"$(ip -o link show up | grep eth)\" ]")
	vm.Must("lessee acquire --boot --boot-wait all --format json")
	isOn(vm, "eth0", "10.0.2")
	isOn(vm, "eth1", "10.0.3")
}
