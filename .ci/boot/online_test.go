package boot

import (
	"strings"
	"testing"
)

// online is a unit that needs the network, and writes down what there was of it
// when it was started.
const online = `[Unit]
Wants=network-online.target
After=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip -4 -o address show dev lan0 > /run/online.part; mv /run/online.part /run/online'
`

func TestNetworkOnlineWaitsForAServerThatIsLate(t *testing.T) {
	t.Parallel()
	i := shipped(t)
	i.Unit("online.service", online, "multi-user.target")
	vm := Start(t, Config{Image: i, Modules: modules, Setup: network})
	vm.Until("systemctl is-active lessee.service")
	vm.Must("sleep 3")
	if out, code := vm.Run("systemctl is-active network-online.target multi-user.target; ls /run/online"); code == 0 || strings.Contains("\n"+out, "\nactive") {
		t.Fatalf("without a server: %s", out)
	}
	vm.Must(`ip netns exec server dnsmasq --conf-file=/dev/null --user=root --port=0 --interface=lan0 --no-ping --dhcp-authoritative \
		--dhcp-leasefile=/run/leases --pid-file=/run/dnsmasq.pid --dhcp-range=192.0.2.100,192.0.2.120,255.255.255.0,600`)
	vm.Until("systemctl is-active multi-user.target")
	if got := vm.Must("cat /run/online"); !strings.Contains(got, "inet 192.0.2.1") {
		t.Errorf("who needs the network was started with %q", got)
	}
}

func TestABootWithoutAServerGoesOn(t *testing.T) {
	t.Parallel()
	i := shipped(t)
	i.Unit("online.service", online, "multi-user.target")
	short := strings.Replace(example(t, "systemd/lessee-wait-online.service"), "--timeout 90s", "--timeout 3s", 1)
	i.Unit("lessee-wait-online.service", short, "network-online.target")
	vm := Start(t, Config{Image: i, Modules: modules, Setup: network})
	vm.Until("systemctl is-active multi-user.target network-online.target online.service")
	if got := vm.Must("systemctl is-active lessee.service; cat /run/online"); got != "active" {
		t.Errorf("%s", got)
	}
	if out, code := vm.Run("systemctl is-failed lessee-wait-online.service"); code != 0 {
		t.Errorf("the wait did not fail: %s", out)
	}
}
